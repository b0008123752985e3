// Package followuptest is the contract of the queue of follow-ups as tests, and
// a queue and a doer in memory for tests of others.
package followuptest
