package archivefile_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/archive/archivefile"
)

// filled is a record with a value in every column, other ones for each n.
func filled(t archive.Table, n int) archive.Record {
	r := archive.NewRecord(t)
	for i, c := range archive.Columns(t) {
		switch c.Type {
		case archive.Instant:
			r.Values[i] = time.UnixMilli(1_700_000_000_123 + int64(n)*1000 + int64(i)).UTC()
		case archive.Day:
			r.Values[i] = time.Date(1969, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n+i)
		case archive.Number:
			r.Values[i] = -0.0075 * float64(n+1)
		case archive.Whole:
			r.Values[i] = int64(math.MaxInt64) - int64(n)
		case archive.Flag:
			r.Values[i] = n%2 == 0
		case archive.JSON:
			r.Values[i] = fmt.Sprintf(`{"Own__c":%d}`, n)
		default:
			r.Values[i] = fmt.Sprintf("%s %d \u2028 😀 \"'\n", c.Name, n)
		}
	}
	return r
}

func write(tb testing.TB, t archive.Table, all []archive.Record) []byte {
	tb.Helper()
	w := archivefile.Format{}.New(t)
	for i := range all {
		require.NoError(tb, w.Add(&all[i]))
	}
	data, err := w.Close()
	require.NoError(tb, err)
	return data
}

func read(t archive.Table, data []byte) (all []archive.Record, err error) {
	err = archivefile.Format{}.Read(t, data, func(r *archive.Record) error {
		all = append(all, *r)
		return nil
	})
	return all, err
}

func TestWhatIsWrittenIsReadAgainValueByValue(t *testing.T) {
	for _, table := range []archive.Table{archive.Messages, archive.Media} {
		var all []archive.Record
		for n := range 2345 {
			r := filled(table, n)
			if n%3 == 1 { // nothing but its id
				r = archive.NewRecord(table)
				r.Set(archive.ColID, fmt.Sprint(n))
			}
			all = append(all, r)
		}
		got, err := read(table, write(t, table, all))
		require.NoError(t, err)
		require.Len(t, got, len(all))
		for i := range all {
			require.Equal(t, all[i], got[i], "%s %d", table, i)
			require.Equal(t, all[i].Digest(), got[i].Digest())
		}
	}
}

func TestARecordThatDoesNotFitIsRefused(t *testing.T) {
	w := archivefile.Format{}.New(archive.Messages)
	of := filled(archive.Media, 1)
	require.ErrorContains(t, w.Add(&of), `"media"`)
	none := archive.NewRecord(archive.Messages)
	require.ErrorContains(t, w.Add(&none), "no id")
}

func TestAFileOfAnotherTableOrOfANewerVersionIsRefused(t *testing.T) {
	_, err := read(archive.Media, write(t, archive.Messages, []archive.Record{filled(archive.Messages, 1)}))
	require.ErrorContains(t, err, "newer")
	_, err = read(archive.Messages, []byte(strings.Repeat("no parquet", 100)))
	require.ErrorContains(t, err, "no Parquet file")
	_, err = read(archive.Messages, nil)
	require.Error(t, err)
}

func TestATenthOfTheTextsSizeIsEnough(t *testing.T) {
	var all []archive.Record
	for n := range 5000 {
		r := filled(archive.Messages, n)
		r.Set("Body__c", "Your appointment is tomorrow at 9. Reply C to confirm.")
		all = append(all, r)
	}
	require.Less(t, len(write(t, archive.Messages, all)), 5000*200)
}

// Whatever bytes come, a reader answers with an error at most.
func FuzzRead(f *testing.F) {
	good := write(f, archive.Media, []archive.Record{filled(archive.Media, 1), filled(archive.Media, 2)})
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := read(archive.Media, data)
		if err == nil {
			for i := range all {
				require.NotEmpty(t, all[i].ID())
			}
		}
	})
}
