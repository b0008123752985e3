// Package consent answers one question: may we text this number? It reads words
// (STOP, START, HELP and the org's opt-in keywords) and keeps a register of them
// per number and keyword.
//
// What is remembered are the words themselves, each once and under its message's
// date, and the register is what they say in the order of their dates (Settle).
// So it is the same whatever order they are learnt in: by webhook, by a sweep, by
// a backfill, or from the org's own rows.
package consent
