// Package demo shows the daemon at work without an account or an org: people of
// many languages write to an emulated Twilio account, the daemon carries every
// message into an emulated Salesforce org, a table shows how it goes, and in the
// end both emulators' contents are compared.
//
// Everything that happens is made from a seed: the same seed gives the same
// people, messages and fates. Only the clock is real, or virtual in a
// testing/synctest bubble.
//
// All names and numbers are fictitious; the numbers are from ranges that are kept
// free for fiction: https://en.wikipedia.org/wiki/Fictitious_telephone_number
package demo
