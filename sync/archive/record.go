package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Record is one record of the org as the archive keeps it.
type Record struct {
	Table  Table
	Values []any // one a column of Columns(Table)
}

// NewRecord makes one whose values are all nil.
func NewRecord(t Table) Record { return Record{Table: t, Values: make([]any, len(columns[t]))} }

// Get is the value of a column, nil too where the table has no such column.
func (r *Record) Get(name string) any {
	if i, ok := places[r.Table][name]; ok {
		return r.Values[i]
	}
	return nil
}

// Set sets the value of a column and answers false if its type is another.
func (r *Record) Set(name string, v any) bool {
	i, ok := places[r.Table][name]
	if !ok || v != nil && !columns[r.Table][i].holds(v) {
		return false
	}
	r.Values[i] = v
	return true
}

func (c Column) holds(v any) bool {
	var ok bool
	switch c.Type {
	case Instant, Day:
		_, ok = v.(time.Time)
	case Number:
		_, ok = v.(float64)
	case Whole:
		_, ok = v.(int64)
	case Flag:
		_, ok = v.(bool)
	default:
		_, ok = v.(string)
	}
	return ok
}

// ID is the record's id in the org that it was copied from.
func (r *Record) ID() string { return r.text(ColID) }

// Parent is the record id of a medium's message.
func (r *Record) Parent() string { return r.text(ColMessage) }

func (r *Record) instant(name string) time.Time {
	t, _ := r.Get(name).(time.Time) //nolint:errcheck // nil is none
	return t
}

// Modified is when the org last changed the record in any way.
func (r *Record) Modified() time.Time { return r.instant(ColModified) }

// Created is when the message was created, or the record if nobody knows: what
// its age is counted from, and whose month its file is of.
func (r *Record) Created() time.Time {
	if t := r.instant(ColCreated); !t.IsZero() {
		return t
	}
	return r.instant(ColMade)
}

// Status is the message's.
func (r *Record) Status() message.Status { return message.Status(r.text(ColStatus)) }

// Involves says whether the message came from or went to a number.
func (r *Record) Involves(number string) bool {
	return slices.ContainsFunc([]string{ColFrom, ColTo, ColTheirs}, func(name string) bool {
		return strings.EqualFold(strings.TrimPrefix(r.text(name), "whatsapp:"), number) || strings.EqualFold(r.text(name), number)
	})
}

// Digest tells records apart by everything but when they were last changed.
type Digest [sha256.Size]byte

// Digest is the record's.
func (r *Record) Digest() Digest {
	h := sha256.New()
	for i, c := range columns[r.Table] {
		if c.Name != ColModified {
			write(h, r.Values[i])
		}
	}
	return Digest(h.Sum(nil))
}

// DigestOf is that of several records, in whatever order; of none it is zero.
func DigestOf(all []Record) Digest {
	if len(all) == 0 {
		return Digest{}
	}
	each := make([]string, len(all))
	for i := range all {
		d := all[i].Digest()
		each[i] = string(d[:])
	}
	slices.Sort(each)
	return sha256.Sum256([]byte(strings.Join(each, "")))
}

// write appends a value so that no two values, and no two rows of values, look alike.
func write(h hash.Hash, v any) {
	var b [9]byte
	put := func(kind byte, n uint64) {
		b[0] = kind
		binary.BigEndian.PutUint64(b[1:], n)
		_, _ = h.Write(b[:]) // a hash takes everything
	}
	switch v := v.(type) {
	case nil:
		put('0', 0)
	case string:
		put('s', uint64(len(v)))
		_, _ = h.Write([]byte(v))
	case float64:
		put('f', math.Float64bits(v))
	case int64:
		put('i', uint64(v)) //nolint:gosec // bits, not a number
	case bool:
		n := uint64(0)
		if v {
			n = 1
		}
		put('b', n)
	case time.Time:
		put('t', uint64(v.UnixMilli()))
	default:
		panic(fmt.Sprintf("archive: a record holds a %T", v)) // Set lets none in
	}
}
