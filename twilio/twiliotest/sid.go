package twiliotest

import (
	"encoding/binary"
	"encoding/hex"
)

// sidLength is the length of every SID: two letters and 32 hexadecimal digits.
const sidLength = 34

// digits are the 32 hexadecimal digits of a SID, packed.
type digits [16]byte

// maker makes SIDs and random numbers that depend on nothing but the seed and
// a running number, so that a concurrent test finds the same ones again.
type maker struct{ seed uint64 }

// digits never repeats: its first half is a bijection of n.
func (m maker) digits(n uint64) digits {
	var d digits
	binary.BigEndian.PutUint64(d[:8], mix(n+mix(m.seed)))
	binary.BigEndian.PutUint64(d[8:], mix(n^m.seed^0xA5A5A5A5A5A5A5A5))
	return d
}

// mix is the finaliser of splitmix64, a bijection of 64 bits.
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func (d digits) sid(prefix string) string {
	var b [sidLength]byte
	copy(b[:2], prefix)
	hex.Encode(b[2:], d[:])
	return string(b[:])
}

// parseSID takes a SID apart. SIDs are case-sensitive: digits are lower case.
func parseSID(s string) (prefix string, d digits, ok bool) {
	if len(s) != sidLength {
		return "", d, false
	}
	for _, c := range []byte(s[2:]) {
		if c >= 'A' && c <= 'F' {
			return "", d, false
		}
	}
	_, err := hex.Decode(d[:], []byte(s[2:]))
	return s[:2], d, err == nil
}

// isSID reports whether s is a SID of the kind.
func isSID(s, kind string) bool {
	if len(s) != sidLength || s[:2] != kind {
		return false
	}
	_, err := hex.DecodeString(s[2:])
	return err == nil
}
