package message

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Sighting is what is remembered of a message: enough to tell whether what
// Twilio shows next is news.
type Sighting struct {
	Fingerprint int64
	Status      Status
	Updated     time.Time
}

// Seen makes the sighting of m.
func (m *Message) Seen() Sighting {
	return Sighting{Fingerprint: m.Fingerprint(), Status: m.Status, Updated: m.Updated}
}

// News reports whether next, read from Twilio's API, replaces what was seen
// before. It upholds P4: a status never moves backwards, whatever order the
// sightings arrive in. A page of a list may be older than a message fetched
// while the list was walked, so an older picture is not news either; between
// two final statuses the API's newer one wins, because it corrects callbacks.
func News(before, next Sighting) bool {
	if before.Fingerprint == next.Fingerprint {
		return false
	}
	if b, n := before.Status.Rank(), next.Status.Rank(); b != n {
		return n > b
	}
	return !next.Updated.Before(before.Updated)
}

// Fingerprint is a 64-bit digest of everything that is mirrored. Two states of
// one message have the same fingerprint only if they are the same.
func (m *Message) Fingerprint() int64 {
	buf := make([]byte, 0, 512)
	for _, s := range [...]string{
		m.ServiceSID, string(m.From), string(m.To), m.Body, string(m.Direction), string(m.Status),
		m.Price, m.PriceUnit, m.ErrorMessage,
	} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	for _, n := range [...]int64{
		int64(m.Segments), int64(m.Media), int64(m.ErrorCode),
		m.Created.Unix(), m.Updated.Unix(), m.Sent.Unix(),
	} {
		buf = binary.AppendVarint(buf, n)
	}
	sum := sha256.Sum256(buf)
	return int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // a digest: every bit pattern is as good as another
}
