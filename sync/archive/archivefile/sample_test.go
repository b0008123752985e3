package archivefile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/archive"
)

// A reader that is not ours is given files and what must be in them; see
// interop/archive.mjs.
func TestASampleForAnotherReader(t *testing.T) {
	dir := os.Getenv("TWILIOSF_SAMPLE")
	if dir == "" {
		t.Skip("TWILIOSF_SAMPLE names no folder: make interop")
	}
	require.NoError(t, os.MkdirAll(dir, 0o750))
	for _, table := range []archive.Table{archive.Messages, archive.Media} {
		var all []archive.Record
		rows := []map[string]any{}
		for n := range 2500 {
			r := filled(table, n)
			if n%3 == 1 {
				r = archive.NewRecord(table)
				r.Set(archive.ColID, "only an id")
			}
			row := map[string]any{}
			for i, c := range archive.Columns(table) {
				switch v := r.Values[i].(type) {
				case time.Time:
					row[c.Name] = v.Format("2006-01-02T15:04:05.000Z")
				case string:
					row[c.Name] = v
					if c.Type == archive.JSON {
						row[c.Name] = json.RawMessage(v)
					}
				case int64:
					row[c.Name] = strconv.FormatInt(v, 10) // too large for a number of JavaScript's
				default:
					row[c.Name] = v
				}
			}
			all, rows = append(all, r), append(rows, row)
		}
		want, err := json.Marshal(rows)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, string(table)+".json"), want, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, string(table)+".parquet"), write(t, table, all), 0o600))
	}
}
