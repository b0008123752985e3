// Package outbox sends what records of the org ask to be sent, each once (P5).
//
// A record that asks becomes one row of a ledger. The row is checked, given a
// sender, waits for its turn, is intended (committed before Twilio is called) and
// ends accepted, rejected or uncertain (committed after). What is uncertain is
// looked up in the account, several times, before anything else is done about it.
// What became of a row is written back to its record until the record shows it;
// no trouble of Salesforce's repeats a send, none of Twilio's loses a draft.
package outbox
