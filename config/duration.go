package config

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// durationPattern is the text form of a duration: days, then Go's units.
// Editors check it by the schema, so it is an ECMA expression too.
const durationPattern = `^(?=.)(\d+(\.\d+)?d)?(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?$`

const day = 24 * time.Hour

// Go's regexp has no look-ahead; that a duration is not empty is checked apart.
var durationForm = regexp.MustCompile(strings.Replace(durationPattern, "(?=.)", "", 1))

// parseDuration reads "90s", "1h30m", "30d" and "1d12h"; ok is false for
// anything else, also for what no time.Duration can hold.
func parseDuration(text string) (d time.Duration, ok bool) {
	if text == "" || !durationForm.MatchString(text) {
		return 0, false
	}
	days, rest, found := strings.Cut(text, "d")
	if !found {
		d, err := time.ParseDuration(text)
		return d, err == nil
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil || n*float64(day) > math.MaxInt64/2 {
		return 0, false
	}
	d = time.Duration(n * float64(day))
	if rest == "" {
		return d, true
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more > math.MaxInt64-d {
		return 0, false
	}
	return d + more, true
}

// formatDuration is the shortest text that parseDuration reads back as d.
func formatDuration(d time.Duration) string {
	if d >= 7*day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
