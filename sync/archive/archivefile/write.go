package archivefile

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/twiliosf/twiliosf/sync/archive"
)

const (
	// rowGroup is how many rows are held in memory before they are compressed.
	rowGroup = 1000
	// pageSize is small, because every column has a buffer of it.
	pageSize = 32 << 10
)

// Format implements archive.Format.
type Format struct{}

var _ archive.Format = Format{}

// Extension implements archive.Format.
func (Format) Extension() string { return ".parquet" }

// New implements archive.Format.
func (Format) New(t archive.Table) archive.FileWriter {
	w := &writer{table: t, schema: schemas[t]}
	w.parquet = parquet.NewGenericWriter[any](&w.data, w.schema.parquet,
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}), parquet.MaxRowsPerRowGroup(rowGroup), parquet.PageBufferSize(pageSize),
		parquet.CreatedBy("twiliosf", version(), ""), parquet.KeyValueMetadata(versionKey, version()), parquet.DataPageStatistics(true))
	return w
}

type writer struct {
	table   archive.Table
	schema  *schema
	data    bytes.Buffer
	parquet *parquet.GenericWriter[any]
	row     parquet.Row
}

// Add implements archive.FileWriter.
func (w *writer) Add(r *archive.Record) error {
	columns := archive.Columns(w.table)
	if r.Table != w.table || len(r.Values) != len(columns) {
		return fmt.Errorf("archivefile: a record of %q does not belong in a file of %q", r.Table, w.table)
	}
	if w.row == nil {
		w.row = make(parquet.Row, len(columns))
	}
	for i, c := range columns {
		v, defined := valueOf(c, r.Values[i]), 1
		switch {
		case c.Name == archive.ColID && v.IsNull():
			return fmt.Errorf("archivefile: a record of %q has no id", w.table)
		case c.Name == archive.ColID, v.IsNull():
			defined = 0
		}
		w.row[w.schema.leaves[i]] = v.Level(0, defined, w.schema.leaves[i])
	}
	if _, err := w.parquet.WriteRows([]parquet.Row{w.row}); err != nil {
		return fmt.Errorf("archivefile: write: %w", err)
	}
	return nil
}

// Size implements archive.FileWriter.
func (w *writer) Size() int { return w.data.Len() }

// Close implements archive.FileWriter.
func (w *writer) Close() ([]byte, error) {
	if err := w.parquet.Close(); err != nil {
		return nil, fmt.Errorf("archivefile: write: %w", err)
	}
	return w.data.Bytes(), nil
}
