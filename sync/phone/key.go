package phone

import (
	"strconv"
	"strings"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Key is what two ways of writing one number have in common: its digits, but for
// those that came or went when a country changed its plan. It is for comparing,
// never for sending. 0 is no number's.
type Key int64

// KeyVersion changes when KeyOf answers something else for a number, so that
// whoever has stored keys knows that they are old.
const KeyVersion = 1

// Writings are the ways in which one number is written, itself first: all that have
// its key and its channel.
func Writings(n message.Number) []message.Number {
	all := []message.Number{n}
	key := KeyOf(n)
	if key == 0 {
		return all
	}
	channel := strings.TrimRight(string(n), "0123456789")
	d := strconv.FormatInt(int64(key), 10)
	for _, digits := range []string{d, grown(d)} {
		if other := message.Number(channel + digits); digits != "" && other != n && KeyOf(other) == key {
			all = append(all, other)
		}
	}
	return all
}

// grown are the digits of a key with the one that sameDigits leaves out.
func grown(d string) string {
	switch {
	case len(d) != 12:
		return ""
	case strings.HasPrefix(d, "52"):
		return "521" + d[2:]
	case strings.HasPrefix(d, "54"):
		return "549" + d[2:]
	case strings.HasPrefix(d, "55"):
		return d[:4] + "9" + d[4:]
	default:
		return ""
	}
}

// KeyOf is the key of a number as Twilio writes it, whatever channel it is behind.
// Short codes and alphanumeric senders, which are nobody's phone, have none.
//
// A channel may name a number as it once was: WhatsApp's accounts in Mexico still
// have the 1 that went in 2019, in Brazil many lack the 9 that came until 2016,
// and in Argentina a mobile number has a 9 abroad that nobody dials at home.
// https://www.twilio.com/docs/whatsapp/api
func KeyOf(n message.Number) Key {
	_, address := splitChannel(string(n))
	digits, plus, ok := onlyDigits(address)
	if !ok || !plus || len(digits) > 15 || len(digits) < 7 {
		return 0
	}
	key, err := strconv.ParseInt(sameDigits(digits), 10, 64)
	if err != nil {
		return 0
	}
	return Key(key)
}

func sameDigits(d string) string {
	switch {
	case len(d) != 13:
		return d
	case strings.HasPrefix(d, "521"):
		return d[:2] + d[3:]
	case strings.HasPrefix(d, "549"):
		return d[:2] + d[3:]
	case strings.HasPrefix(d, "55") && d[4] == '9' && d[5] >= '6':
		return d[:4] + d[5:]
	default:
		return d
	}
}
