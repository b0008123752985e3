// Package people answers whose number a message's other party has. It keeps an
// index of the phone numbers in the org, as they are after normalising, with the
// records they stand in: filled once by an export, then kept true by what has
// changed, so that a message costs no call to Salesforce.
//
// The number is the truth about whom a message belongs to; links are a
// convenience, given when exactly one record of an object has the number.
package people
