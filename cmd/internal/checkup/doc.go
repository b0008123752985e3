// Package checkup looks at everything that a daemon needs before one runs: this
// machine, both vendors, the store, and what a day will cost. Each fact is a line,
// ok or what to do about it. It changes nothing and leaves nothing behind.
package checkup
