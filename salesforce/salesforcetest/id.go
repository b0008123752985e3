package salesforcetest

import "strings"

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// idPod is the part between the key prefix and the number: the pod and a reserved zero.
const idPod = "Hn0"

// formatID makes the 18-character id of row seq: key prefix, pod, nine base 62
// digits, and the three characters that say which letters are capitals.
func formatID(prefix string, seq uint32) string {
	var b [18]byte
	copy(b[:], prefix)
	copy(b[3:], idPod)
	n := seq
	for i := 14; i >= 6; i-- {
		b[i] = base62[n%62]
		n /= 62
	}
	s := idSuffix(string(b[:15]))
	copy(b[15:], s[:])
	return string(b[:])
}

// idSuffix computes the checksum of a 15-character id: for each group of five
// characters, the bits of its capitals index into A-Z0-5.
func idSuffix(id string) (out [3]byte) {
	for group := range 3 {
		bits := 0
		for i := range 5 {
			if c := id[group*5+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		out[group] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
	}
	return out
}

// parseID takes an id of 15 or 18 characters apart. An 18-character id must have
// the right checksum. ok is false when the text cannot be an id at all.
func parseID(id string) (prefix string, seq uint32, ok bool) {
	if len(id) != 15 && len(id) != 18 {
		return "", 0, false
	}
	for i := range len(id) {
		if strings.IndexByte(base62, id[i]) < 0 {
			return "", 0, false
		}
	}
	if len(id) == 18 {
		if s := idSuffix(id[:15]); string(s[:]) != id[15:] {
			return "", 0, false
		}
	}
	if id[3:6] != idPod {
		return id[:3], 0, true // well formed, but no row of this org
	}
	var n uint64
	for i := 6; i < 15; i++ {
		n = n*62 + uint64(strings.IndexByte(base62, id[i]))
	}
	if n > 1<<32-1 {
		return id[:3], 0, true
	}
	return id[:3], uint32(n), true
}
