// Package records knows the org's objects and fields by name, and writes what
// the engines hand it: messages become records of the message object.
//
// What an org looks like is not taken for granted. Before the first write, and
// every hour, the object is described: a required field that is missing or
// hidden stops the writing with a fault that names it; an optional one is left
// out and reported; a field's type decides how its value is written.
package records
