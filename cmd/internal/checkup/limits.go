package checkup

import (
	"context"
	"slices"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// nearly is the part of a limit from which somebody should look, in per cent.
const nearly = 90

// recordKB is what most records take of an org's storage, whatever is in them.
// https://help.salesforce.com/s/articleView?id=xcloud.overview_storage.htm
const recordKB = 2

// limits looks at the org's API calls and its storage.
func (v *visit) limits(ctx context.Context, org *salesforce.Org) {
	calls := v.may(factCalls, factLogin, factOrg)
	if !v.may(factStorage, factLogin, factOrg) || !calls {
		return
	}
	limits, err := org.Limits(ctx)
	if err != nil {
		v.fault(factCalls, Todo, err)
		v.addf(factStorage, Skipped, "", "not asked, because %s failed", factCalls)
		return
	}
	v.calls(limits["DailyApiRequests"])
	v.storage(limits["DataStorageMB"])
}

func (v *visit) calls(l salesforce.Limit) {
	p := daemon.Predict(v.cfg)
	if l.Max == 0 {
		v.okf(factCalls, "the org does not show its limit to this user; this configuration makes %d calls a day and %d per 1,000 messages", p.Day, p.PerThousand)
		return
	}
	share := int(v.cfg.Salesforce.DailyAPIShare * float64(l.Max))
	used := l.Max - l.Remaining
	const slower = "Raise salesforce.daily_api_share, lengthen sync.drafts_every and people.refresh_every, or let the org have more calls."
	switch {
	case l.Remaining <= 0:
		v.addf(factCalls, Fail, "Wait, find who uses them (Setup, System Overview) or buy more.", "all of the org's %d API calls of 24 hours are used", l.Max)
	case p.Day > share:
		v.addf(factCalls, Fail, slower, "this configuration makes %d calls a day, and salesforce.daily_api_share allows %d of the org's %d", p.Day, share, l.Max)
	case used*100 >= l.Max*nearly:
		v.addf(factCalls, Todo, "Find who uses them (Setup, System Overview) or buy more.", "the org has made %d of its %d API calls of 24 hours", used, l.Max)
	case p.Day*100 >= share*nearly:
		v.addf(factCalls, Todo, slower, "this configuration makes %d calls a day, which leaves %d of our share for messages", p.Day, share-p.Day)
	default:
		v.okf(factCalls, "the org has made %d of %d calls in 24 hours; this configuration makes %d a day and from %d per 1,000 messages, and %d are allowed (salesforce.daily_api_share)",
			used, l.Max, p.Day, p.PerThousand, share)
	}
}

func (v *visit) storage(l salesforce.Limit) {
	room := l.Remaining * 1024 / recordKB
	const remedy = "Free or buy data storage (Setup, Storage Usage): without it new messages wait."
	switch {
	case l.Max == 0:
		v.okf(factStorage, "the org does not show it to this user")
	case l.Remaining <= 0:
		v.addf(factStorage, Fail, remedy, "the org's data storage of %d MB is full", l.Max)
	case (l.Max-l.Remaining)*100 >= l.Max*nearly:
		v.addf(factStorage, Todo, remedy, "%d of %d MB are left, room for about %d messages", l.Remaining, l.Max, room)
	default:
		v.okf(factStorage, "%d of %d MB are left, room for about %d messages", l.Remaining, l.Max, room)
	}
}

// blocks says that a difference is why no message could be written.
func blocks(why error, d *orgsetup.Difference) bool {
	f := fault.Of(why)
	if f == nil {
		return false
	}
	name := d.Field
	if name == "" {
		name = d.Object
	}
	return slices.Contains(f.Fields, name)
}
