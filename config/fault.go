package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong, where it is and what to do about it.
type Fault struct {
	File   string // as it was given to Load; empty for the environment
	Line   int    // from 1; 0 when the whole file is meant
	Column int    // from 1, in characters
	Env    string // the environment variable
	Key    string // dotted, "sync.full_every"; empty when no key is meant
	// Problem and Remedy never hold a value that could be a secret.
	Problem string
	Remedy  string
	// Err is the cause, where there is one (fs.ErrNotExist).
	Err error
}

// Error is one line: `twiliosf.yaml:12:3: sync.full_evry: unknown key; did you mean full_every?`
func (f Fault) Error() string {
	parts := make([]string, 0, 3)
	if place := f.place(); place != "" {
		parts = append(parts, place)
	}
	if f.Key != "" {
		parts = append(parts, f.Key)
	}
	text := f.Problem
	if f.Remedy != "" {
		text += "; " + f.Remedy
	}
	return strings.Join(append(parts, text), ": ")
}

func (f Fault) place() string {
	switch {
	case f.Env != "":
		return f.Env
	case f.Line > 0:
		return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
	default:
		return f.File
	}
}

// Unwrap gives the cause.
func (f Fault) Unwrap() error { return f.Err }

// Faults is everything that is wrong: the file's by position, then the
// environment's by name.
type Faults []Fault

// Error is one line per fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single faults.
func (fs Faults) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}

func (fs Faults) sort() {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(a.Env, b.Env), // the file's faults have none and come first
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Key, b.Key),
		)
	})
}

// maxFaults is the most faults that anybody reads; a file with more is another
// file, and repeating it whole helps nobody.
const maxFaults = 100

// inOrder sorts the faults and cuts them off at maxFaults, with a last one that
// says how many were left out.
func (fs Faults) inOrder() Faults {
	fs.sort()
	if len(fs) <= maxFaults {
		return fs
	}
	more := Fault{File: fs[0].File, Env: fs[0].Env, Problem: fmt.Sprintf("%d more faults", len(fs)-maxFaults), Remedy: "correct these first"}
	return append(fs[:maxFaults:maxFaults], more)
}

// problem is a fault before anybody knows where it happened.
type problem struct {
	what   string
	remedy string
	err    error
}

func problemf(format string, args ...any) *problem {
	return &problem{what: fmt.Sprintf(format, args...)}
}

func (p *problem) do(format string, args ...any) *problem {
	p.remedy = fmt.Sprintf(format, args...)
	return p
}

func (p *problem) because(err error) *problem {
	p.err = err
	return p
}

// origin is where a value was given.
type origin struct {
	file         string
	line, column int
	env          string
}

func (o origin) fault(key string, p *problem) Fault {
	return Fault{File: o.file, Line: o.line, Column: o.column, Env: o.env, Key: key, Problem: p.what, Remedy: p.remedy, Err: p.err}
}
