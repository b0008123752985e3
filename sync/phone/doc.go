// Package phone reads phone numbers as people type them, brings them into the
// form Twilio uses (E.164: "+14155550100") and masks them for every place
// where a whole number must not stand (P8). It is pure, but for Locations, which reads
// time zones, each once.
package phone
