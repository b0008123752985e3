package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// part is a file that is being made.
type part struct {
	table  Table
	month  string
	writer FileWriter
	sums   []sum  // of its records, in their order
	copies []Copy // of its messages
	file   File
	used   int // when a record was last added
}

// sum is what a record is known by when it is read back.
type sum struct {
	digest   Digest
	modified int64
}

func sumOf(r *Record) sum { return sum{r.Digest(), r.Modified().UnixMilli()} }

// parts are a run's files on their way to the target.
type parts struct {
	e     *Engine
	run   string
	open  []*part
	files []File
	clock int
}

// add puts a record into the file of its month. c is its copy if it is a message.
func (p *parts) add(ctx context.Context, r *Record, month string, c *Copy) error {
	at := p.part(r.Table, month)
	if at == nil {
		if err := p.room(ctx); err != nil {
			return err
		}
		at = &part{table: r.Table, month: month, writer: p.e.Format.New(r.Table)}
		p.open = append(p.open, at)
	}
	p.clock++
	at.used = p.clock
	if err := at.writer.Add(r); err != nil {
		return err
	}
	at.sums = append(at.sums, sumOf(r))
	if sid := r.SID(); sid != "" {
		if at.file.FirstSID == "" || sid < at.file.FirstSID {
			at.file.FirstSID = sid
		}
		at.file.LastSID = max(at.file.LastSID, sid)
	}
	if c != nil {
		at.copies = append(at.copies, *c)
	}
	if len(at.sums) >= p.e.o.FileRows || at.writer.Size() >= p.e.o.FileSize {
		return p.flush(ctx, at)
	}
	return nil
}

func (p *parts) part(t Table, month string) *part {
	for _, at := range p.open {
		if at.table == t && at.month == month {
			return at
		}
	}
	return nil
}

// room ends the file that has waited longest, if there are many.
func (p *parts) room(ctx context.Context) error {
	if len(p.open) < openParts {
		return nil
	}
	oldest := p.open[0]
	for _, at := range p.open {
		if at.used < oldest.used {
			oldest = at
		}
	}
	return p.flush(ctx, oldest)
}

// end writes what is left.
func (p *parts) end(ctx context.Context) error {
	for len(p.open) > 0 {
		if err := p.flush(ctx, p.open[0]); err != nil {
			return err
		}
	}
	return nil
}

// flush makes a file durable and reads it back, record by record, before it is
// noted as a part of the run (P7).
func (p *parts) flush(ctx context.Context, at *part) error {
	data, err := at.writer.Close()
	if err != nil {
		return err
	}
	h := sha256.Sum256(data)
	at.file.Name = string(at.table) + "/month=" + at.month + "/" + p.run + "-" + strconv.Itoa(len(p.files)+1) + p.e.Format.Extension()
	at.file.Table, at.file.Month, at.file.Rows, at.file.Bytes, at.file.SHA256 = at.table, at.month, len(at.sums), len(data), hex.EncodeToString(h[:])
	if err := p.e.Contents.Intend(ctx, p.run, at.file.Name); err != nil {
		return err
	}
	if err := p.e.Target.Put(ctx, at.file.Name, data); err != nil {
		return err
	}
	if err := p.e.compare(ctx, at); err != nil {
		return err
	}
	if err := p.e.Contents.Keep(ctx, p.run, at.file, at.copies); err != nil {
		return err
	}
	p.e.metrics.bytes.Add(float64(len(data)))
	p.files = append(p.files, at.file)
	for i := range p.open {
		if p.open[i] == at {
			p.open = append(p.open[:i], p.open[i+1:]...)
			break
		}
	}
	return nil
}

// compare reads a file back and compares it with the records that went into it.
func (e *Engine) compare(ctx context.Context, at *part) error {
	n := 0
	err := e.readFile(ctx, &at.file, func(r *Record) error {
		if n >= len(at.sums) || sumOf(r) != at.sums[n] {
			return fmt.Errorf("record %d is not what was written", n+1)
		}
		n++
		return nil
	})
	if err == nil && n != len(at.sums) {
		err = fmt.Errorf("it has %d records instead of %d", n, len(at.sums))
	}
	if err != nil {
		return damaged(at.file.Name, err)
	}
	return nil
}

// DamagedError says that a file is not what was written.
type DamagedError struct {
	Name string
	Err  error
}

func (e *DamagedError) Error() string { return "the file " + e.Name + " is damaged: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// damaged leaves alone what is about the target and not about the file.
func damaged(name string, err error) error {
	if d, ok := errors.AsType[*DamagedError](err); ok {
		return d
	}
	if isFault(err) {
		return err
	}
	return &DamagedError{name, err}
}

// readFile reads a file whose sum, size and number of records are right, and
// calls row, if there is one, for each record.
func (e *Engine) readFile(ctx context.Context, f *File, row func(*Record) error) error {
	data, err := e.Target.Get(ctx, f.Name)
	if err != nil {
		return damaged(f.Name, err)
	}
	if h := sha256.Sum256(data); hex.EncodeToString(h[:]) != f.SHA256 {
		return damaged(f.Name, fmt.Errorf("its SHA-256 is %x, not %s (%d bytes, %d were written)", h, f.SHA256, len(data), f.Bytes))
	}
	rows := 0
	var own error
	err = e.Format.Read(f.Table, data, func(r *Record) error {
		rows++
		if row != nil {
			own = row(r)
		}
		return own
	})
	switch {
	case own != nil:
		return own
	case err != nil:
		return damaged(f.Name, err)
	case rows != f.Rows:
		return damaged(f.Name, fmt.Errorf("it has %d records, not %d", rows, f.Rows))
	default:
		return nil
	}
}
