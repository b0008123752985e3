package salesforcetest

import (
	"strings"
	"time"
)

// relativeDate turns a date literal into the span it stands for, in days since
// 1970: from first up to, not including, end. Weeks begin on Sunday, as in the
// en_US locale, and days in GMT, the user's time zone.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
func relativeDate(word string, n int, nowMs int64) (first, end int64, ok bool) {
	now := time.UnixMilli(nowMs).UTC()
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	span := func(from, to time.Time) (int64, int64, bool) {
		return from.Unix() / 86400, to.Unix() / 86400, true
	}
	week := today.AddDate(0, 0, -int(today.Weekday()))
	month := today.AddDate(0, 0, 1-today.Day())
	year := time.Date(today.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	tomorrow := today.AddDate(0, 0, 1)
	switch strings.ToUpper(word) {
	case "TODAY":
		return span(today, tomorrow)
	case "YESTERDAY":
		return span(today.AddDate(0, 0, -1), today)
	case "TOMORROW":
		return span(tomorrow, tomorrow.AddDate(0, 0, 1))
	case "LAST_N_DAYS:N":
		return span(today.AddDate(0, 0, -n), tomorrow)
	case "NEXT_N_DAYS:N":
		return span(tomorrow, tomorrow.AddDate(0, 0, n))
	case "N_DAYS_AGO:N":
		return span(today.AddDate(0, 0, -n), today.AddDate(0, 0, 1-n))
	case "THIS_WEEK":
		return span(week, week.AddDate(0, 0, 7))
	case "LAST_WEEK":
		return span(week.AddDate(0, 0, -7), week)
	case "THIS_MONTH":
		return span(month, month.AddDate(0, 1, 0))
	case "LAST_MONTH":
		return span(month.AddDate(0, -1, 0), month)
	case "THIS_YEAR":
		return span(year, year.AddDate(1, 0, 0))
	case "LAST_YEAR":
		return span(year.AddDate(-1, 0, 0), year)
	case "LAST_90_DAYS":
		return span(today.AddDate(0, 0, -90), tomorrow)
	default:
		return 0, 0, false
	}
}
