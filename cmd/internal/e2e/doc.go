// Package e2e holds the whole daemon against both emulators: an account and an
// org that misbehave in every way we know of. Each test is a sentence that a
// user of the daemon would say, and looks only at what a user can see: the org's
// records, the status, the quarantine, the log and the metrics.
//
// There is no code here that the daemon uses.
package e2e
