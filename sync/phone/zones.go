package phone

import (
	"slices"
	"sync"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/twiliosf/twiliosf/sync/message"
)

// Zones are the time zones that a number's people may be in, as names of the IANA's
// database ("America/New_York"): one where the number belongs to a place, several
// where it does not (toll-free, mobiles of a large country). They are nil for what is
// no phone number and where nobody knows.
//
// A number can be taken along to another zone; what it was given out for is all that
// can be told. https://github.com/google/libphonenumber
func Zones(n message.Number) []string {
	_, address := splitChannel(string(n))
	digits, plus, ok := onlyDigits(address)
	if !ok || !plus || len(digits) < 7 || len(digits) > 15 {
		return nil
	}
	zones := zonesOf(digits)
	country := digits[:countryLength(digits)]
	if len(zones) != 1 || slices.Contains(placed, country) {
		return zones
	}
	// The library names the capital's zone for most countries' mobiles.
	if all := zonesOf(country); len(all) > 1 && mobile(digits) {
		return all
	}
	return zones
}

// placed are the countries whose mobiles have the area codes of places.
var placed = []string{"1", "52", "54", "55"}

func mobile(digits string) bool {
	n, err := phonenumbers.Parse("+"+digits, "")
	return err == nil && phonenumbers.GetNumberType(n) == phonenumbers.MOBILE
}

// zonesOf are those of all numbers that begin so.
func zonesOf(digits string) []string {
	zones, err := phonenumbers.GetTimezonesForPrefix(digits)
	if err != nil || slices.Contains(zones, phonenumbers.UNKNOWN_TIMEZONE) {
		return nil
	}
	return slices.Clone(zones) // the library's own
}

// Locations are Zones as Go knows them, in their order. Of a name that this
// machine's database lacks nothing is known, and it is left out.
func Locations(n message.Number) []*time.Location {
	var all []*time.Location
	for _, zone := range Zones(n) {
		if place := places.get(zone); place != nil {
			all = append(all, place)
		}
	}
	return all
}

// atlas remembers locations by their names, because reading one is reading a file.
// There are a few hundred.
type atlas struct {
	mu    sync.Mutex
	known map[string]*time.Location // nil for a name that is not known
}

var places = &atlas{known: map[string]*time.Location{}}

func (a *atlas) get(name string) *time.Location {
	a.mu.Lock()
	defer a.mu.Unlock()
	place, met := a.known[name]
	if !met {
		place, _ = time.LoadLocation(name) //nolint:errcheck // nil says it
		a.known[name] = place
	}
	return place
}
