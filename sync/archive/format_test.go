package archive_test

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"time"

	"github.com/twiliosf/twiliosf/sync/archive"
)

// plain is a format for tests in virtual time: the decoder of zstd hands itself
// from one test to the next over a channel, which a bubble does not let it.
type plain struct{}

func init() { gob.Register(time.Time{}) }

// cell is a value; gob knows no nil in a list.
type cell struct{ V any }

func (plain) Extension() string { return ".gob" }

func (plain) New(archive.Table) archive.FileWriter {
	w := &plainWriter{}
	w.enc = gob.NewEncoder(&w.data)
	return w
}

type plainWriter struct {
	data bytes.Buffer
	enc  *gob.Encoder
}

func (w *plainWriter) Add(r *archive.Record) error {
	cells := make([]cell, len(r.Values))
	for i, v := range r.Values {
		cells[i].V = v
	}
	return w.enc.Encode(cells)
}

func (w *plainWriter) Size() int              { return w.data.Len() }
func (w *plainWriter) Close() ([]byte, error) { return w.data.Bytes(), nil }

func (plain) Read(t archive.Table, data []byte, row func(*archive.Record) error) error {
	dec := gob.NewDecoder(bytes.NewReader(data))
	for {
		var cells []cell
		switch err := dec.Decode(&cells); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		r := archive.NewRecord(t)
		for i, c := range cells {
			if at, is := c.V.(time.Time); is {
				c.V = at.UTC()
			}
			r.Values[i] = c.V
		}
		if err := row(&r); err != nil {
			return err
		}
	}
}

// lying is a format with a fault: what it writes is well formed, and not what it was given.
type lying struct{ plain }

func (f lying) New(t archive.Table) archive.FileWriter { return &lyingWriter{f.plain.New(t)} }

type lyingWriter struct{ archive.FileWriter }

func (w *lyingWriter) Add(r *archive.Record) error {
	other := archive.Record{Table: r.Table, Values: append([]any(nil), r.Values...)}
	other.Set("Price__c", nil)
	return w.FileWriter.Add(&other)
}
