package phone_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

func TestANumberTellsWhereItsPeopleMayBe(t *testing.T) {
	for n, want := range map[message.Number][]string{
		"+12125550100":          {"America/New_York"},
		"whatsapp:+12125550100": {"America/New_York"},
		"+14155550100":          {"America/Los_Angeles"},
		"+18085550100":          {"Pacific/Honolulu"},
		"+442079460018":         {"Europe/London"},
		"+4930901820":           {"Europe/Berlin"},
		"+33612345678":          {"Europe/Paris"},
		"+34612345678":          {"Atlantic/Canary", "Europe/Madrid"},
		"+34912345678":          {"Europe/Madrid"},
		"+5511987654321":        {"America/Sao_Paulo"},
		"+77012345678":          {"Asia/Almaty", "Asia/Aqtobe"},
	} {
		require.Equal(t, want, phone.Zones(n), "%s", n)
	}
	for _, several := range []message.Number{"+18005550100", "+61412345678", "+79123456789", "+6281234567890"} {
		require.Greater(t, len(phone.Zones(several)), 2, "%s belongs to no place", several)
	}
	require.Subset(t, phone.Zones("+61412345678"), []string{"Australia/Perth", "Australia/Sydney"})
	require.Contains(t, phone.Zones("+18005550100"), "Pacific/Honolulu")
}

func TestWhatIsNoPhoneNumberIsNowhere(t *testing.T) {
	for _, n := range []message.Number{"", "72345", "ACME", "whatsapp:", "messenger:110000000000000", "12125550100", "+1212", "+1234567890123456", "+99999999999", "+1 212 555 0100", "client:anna", "rcs:acme_x1"} {
		require.Nil(t, phone.Zones(n), "%s", n)
		require.Nil(t, phone.Locations(n), "%s", n)
	}
}

func TestEveryZoneIsOneThatGoKnows(t *testing.T) {
	for _, n := range []message.Number{"+12125550100", "+18005550100", "+61412345678", "+74951234567", "+551155550100", "+5411123456789", "+911123456789", "+97714123456", "+6281234567", "+81312345678", "+19025550100", "+17095550100", "+33612345678", "+34612345678", "+77012345678", "+521234567890"} {
		names := phone.Zones(n)
		require.NotEmpty(t, names, "%s", n)
		places := phone.Locations(n)
		require.Len(t, places, len(names), "%s", n)
		for i, name := range names {
			require.Equal(t, name, places[i].String())
		}
		require.Same(t, places[0], phone.Locations(n)[0], "a location is read once")
	}
}

func TestACallersZonesAreTheirOwn(t *testing.T) {
	mine := phone.Zones("+18005550100")
	mine[0] = "Moon/Sea_of_Tranquility"
	require.NotContains(t, phone.Zones("+18005550100"), mine[0])
}

func TestManyMayAskForZonesAtOnce(t *testing.T) {
	done := make(chan []*time.Location)
	for range 8 {
		go func() { done <- phone.Locations("+18005550100") }()
	}
	first := <-done
	for range 7 {
		require.Equal(t, first, <-done)
	}
}

func FuzzZones(f *testing.F) {
	for _, seed := range []string{"+12125550100", "whatsapp:+4930901820", "+0", "72345", "+1234567890123456", "+99999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, n string) {
		for _, zone := range phone.Zones(message.Number(n)) {
			require.NotEmpty(t, zone)
			require.NotEqual(t, "Etc/Unknown", zone)
		}
	})
}
