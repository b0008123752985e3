package campaign

import (
	"strconv"
	"strings"
)

// Key is under which the org has the record of a run's recipient until that has a
// SID, and the outbox their attempts: the campaign's record and the recipient's
// number.
func Key(record string, recipient int64) string {
	return record + ":" + strconv.FormatInt(recipient, 10)
}

// ReadKey takes a Key apart. ok is false for what is none, as a record's id.
func ReadKey(key string) (record string, recipient int64, ok bool) {
	record, number, found := strings.Cut(key, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if !found || err != nil || record == "" || n <= 0 || Key(record, n) != key {
		return "", 0, false
	}
	return record, n, true
}
