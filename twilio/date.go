package twilio

import (
	"fmt"
	"time"
)

// lax is RFC 2822 with a day of one digit or two.
const lax = "Mon, 2 Jan 2006 15:04:05 -0700"

// parseDate reads a date of the message resource: RFC 2822 in GMT, whole
// seconds, "Thu, 30 Jul 2015 20:12:31 +0000". Twilio's newer products write ISO
// 8601, which is understood as well. The time is UTC; the error does not
// repeat the text.
// https://www.twilio.com/docs/messaging/api/message-resource
func parseDate(text []byte) (time.Time, error) {
	if t, ok := parseUsual(text); ok {
		return t, nil
	}
	for _, layout := range [...]string{lax, time.RFC3339} {
		if t, err := time.Parse(layout, string(text)); err == nil {
			return t.UTC().Truncate(time.Second), nil
		}
	}
	return time.Time{}, fmt.Errorf("%d characters that are no date", len(text))
}

// parseUsual reads the one form that Twilio writes, ten times as fast as
// time.Parse: three dates a message are a third of what decoding it costs. It
// takes nothing that time.RFC1123Z would not.
func parseUsual(s []byte) (time.Time, bool) {
	if len(s) != len("Thu, 30 Jul 2015 20:12:31 +0000") ||
		s[3] != ',' || s[4] != ' ' || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' ||
		s[19] != ':' || s[22] != ':' || string(s[25:]) != " +0000" || !isWeekday(s[:3]) {
		return time.Time{}, false
	}
	month := monthOf(s[8:11])
	year := twoDigits(s[12:])*100 + twoDigits(s[14:])
	day, hour, minute, second := twoDigits(s[5:]), twoDigits(s[17:]), twoDigits(s[20:]), twoDigits(s[23:])
	if month == 0 || day < 1 || twoDigits(s[12:]) < 0 || twoDigits(s[14:]) < 0 ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day // the 31st of a shorter month has moved on
}

// twoDigits is the number that s begins with, -1 if it is none.
func twoDigits(s []byte) int {
	tens, ones := s[0]-'0', s[1]-'0'
	if tens > 9 || ones > 9 {
		return -1
	}
	return int(tens)*10 + int(ones)
}

func isWeekday(s []byte) bool {
	switch string(s) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

func monthOf(s []byte) time.Month {
	switch string(s) {
	case "Jan":
		return time.January
	case "Feb":
		return time.February
	case "Mar":
		return time.March
	case "Apr":
		return time.April
	case "May":
		return time.May
	case "Jun":
		return time.June
	case "Jul":
		return time.July
	case "Aug":
		return time.August
	case "Sep":
		return time.September
	case "Oct":
		return time.October
	case "Nov":
		return time.November
	case "Dec":
		return time.December
	}
	return 0
}
