package archivefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/twiliosf/twiliosf/sync/archive"
)

// readRows is how many rows are read at a time.
const readRows = 64

// Read implements archive.Format. The library panics on some files that are
// damaged; to us that is one more way of being damaged.
func (Format) Read(t archive.Table, data []byte, row func(*archive.Record) error) (err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("archivefile: it is damaged: %v", what)
		}
	}()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("archivefile: it is no Parquet file, or damaged: %w", err)
	}
	leaves, err := match(t, f.Schema())
	if err != nil {
		return err
	}
	for _, group := range f.RowGroups() {
		if err := readGroup(t, group, leaves, row); err != nil {
			return err
		}
	}
	return nil
}

// match finds the table's columns in a file: -1 is one that an older version did
// not write.
func match(t archive.Table, s *parquet.Schema) ([]int, error) {
	leaves, found := make([]int, len(archive.Columns(t))), 0
	for i, c := range archive.Columns(t) {
		leaf, ok := s.Lookup(c.Name)
		if !ok {
			leaves[i] = -1
			continue
		}
		found++
		want, _ := schemas[t].parquet.Lookup(c.Name)
		if leaf.Node.Type().String() != want.Node.Type().String() || leaf.MaxRepetitionLevel != 0 {
			return nil, fmt.Errorf("archivefile: its column %s is %s, not %s", c.Name, leaf.Node.Type(), want.Node.Type())
		}
		leaves[i] = leaf.ColumnIndex
	}
	if len(s.Columns()) > found {
		return nil, errors.New("archivefile: it has columns that this version does not know: a newer one wrote it")
	}
	return leaves, nil
}

func readGroup(t archive.Table, group parquet.RowGroup, leaves []int, row func(*archive.Record) error) (err error) {
	rows := group.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	var buf [readRows]parquet.Row
	for {
		n, err := rows.ReadRows(buf[:])
		for _, r := range buf[:n] {
			record, ok := recordOf(t, r, leaves)
			if !ok {
				return errors.New("archivefile: it is damaged: a row without an id")
			}
			if err := row(&record); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("archivefile: it is damaged: %w", err)
		case n == 0:
			return errors.New("archivefile: it is damaged: it ends early")
		}
	}
}

func recordOf(t archive.Table, r parquet.Row, leaves []int) (archive.Record, bool) {
	record := archive.NewRecord(t)
	for i, c := range archive.Columns(t) {
		if at := leaves[i]; at >= 0 && at < len(r) {
			record.Values[i] = goValue(c, r[at])
		}
	}
	return record, record.ID() != ""
}
