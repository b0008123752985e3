package config

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/schedule"
)

// Archive is when old messages leave the org.
type Archive struct {
	// Cron is a cron expression; empty means never.
	Cron string `key:"cron"`
	// After is the age of messages that leave, Sync.Lookback at least.
	After time.Duration `key:"after"`
	// To is the URL of a folder or an object store.
	To string `key:"to"`
	// Delete takes them out of the org; else they are marked.
	Delete bool `key:"delete"`
	// HardDelete goes past the recycle bin.
	HardDelete bool `key:"hard_delete"`
	// Where is a SOQL condition, HoldField a checkbox that keeps a record; both may be empty.
	Where     string `key:"where"`
	HoldField string `key:"hold_field"`
	// Directions and Statuses are those that leave; empty means all.
	Directions []string `key:"directions"`
	Statuses   []string `key:"statuses"`
	// BudgetShare is the part of our own daily API calls up to which the archive makes any.
	BudgetShare float64 `key:"budget_share"`
}

func archiveKeys() []key {
	return []key{
		{
			path: "archive.cron", kind: text, example: "0 3 * * *", check: checkCronText,
			doc: "When messages are archived: a cron expression. Empty means never. What one night cannot finish, the next one goes on with.",
		},
		{
			path: "archive.after", kind: duration, fallback: "365d", low: "1d", high: "3650d",
			doc: "How old messages are that are archived. At least sync.lookback, because a status must not change any more.",
		},
		{
			path: "archive.to", kind: text, fallback: "file:///var/lib/twiliosf/archive", check: checkTarget,
			doc: "Where copies go: file:// and the absolute path of a folder, or an object store such as s3://bucket?region=eu-central-1 or azblob://container, whose credentials come from the environment as its own tools take them. A build reaches stores with make build TAGS=s3, azure, gcs or, for all of them, stores.",
		},
		{
			path: "archive.delete", kind: flag, fallback: "false",
			doc: "Whether messages leave Salesforce when their copy is verified. false only marks them (Archived__c), which hides them from the list views.",
		},
		{
			path: "archive.hard_delete", kind: flag, fallback: "false",
			doc: "Deletes past the recycle bin, which needs the permission Bulk API Hard Delete. Needs delete.",
		},
		{
			path: "archive.where", kind: text, example: "Account__r.Type != 'Partner'",
			doc: "A SOQL condition that messages must meet as well to be archived. Empty means none.",
		},
		{
			path: "archive.hold_field", kind: text, example: "Legal_Hold__c", pattern: apiName, shape: "the API name of a field",
			doc: "A checkbox on the message object: where it is set, the message stays. Empty means none. If the org does not have it, nothing is archived.",
		},
		{
			path: "archive.directions", kind: list, fallback: "[]", example: "[inbound]",
			doc: "Which directions are archived (inbound, outbound-api, outbound-reply, outbound-call). An empty list means all.",
		},
		{
			path: "archive.statuses", kind: list, fallback: "[]", example: "[delivered, received]",
			doc: "Which statuses are archived. An empty list means all; an open status never is.",
		},
		{
			path: "archive.budget_share", kind: share, fallback: "0.8", low: "0", above: true, high: "1",
			doc: "The archive stops for the night when this share of our daily API calls is used (salesforce.daily_api_share), so that messages always have the rest.",
		},
	}
}

func checkCronText(value string) *problem {
	if _, err := schedule.Parse(value); err != nil {
		return problemf("%s", err)
	}
	return nil
}

// targets are the schemes that archive.to may have.
var targets = []string{"file", "s3", "azblob", "gs", "mem"}

func checkTarget(value string) *problem {
	u, err := url.Parse(value)
	const remedy = "write file:///absolute/folder, s3://bucket?region=... or azblob://container"
	switch {
	case err != nil || u.Scheme == "":
		return problemf("is no URL").do(remedy)
	case !slices.Contains(targets, u.Scheme):
		return problemf("has the scheme %s, which is no target", quote(u.Scheme)).do(remedy)
	case u.User != nil:
		return problemf("holds credentials").do("give them by the environment, as the store's own tools take them")
	case u.Scheme == "file" && (u.Host != "" || !filepath.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != ""):
		return problemf("is no folder").do("write file:// and an absolute path, such as file:///var/lib/twiliosf/archive")
	}
	return nil
}

// archive holds the archive's keys together.
func (r rules) archive() {
	const after, lookback, hard, where = "archive.after", "sync.lookback", "archive.hard_delete", "archive.where"
	a := r.cfg.Archive
	r.atMost(lookback, r.cfg.Sync.Lookback, after, a.After)
	if a.HardDelete && !a.Delete && r.good(hard) {
		r.fault(r.at(hard), hard, problemf("is given without delete").do("set archive.delete: true as well, or leave it out"))
	}
	for _, d := range a.Directions {
		if !slices.Contains([]string{string(message.Inbound), string(message.OutboundAPI), "outbound-reply", "outbound-call"}, d) && r.good("archive.directions") {
			r.fault(r.at("archive.directions"), "archive.directions", problemf("%s is no direction", quote(d)).do("write inbound, outbound-api, outbound-reply or outbound-call"))
		}
	}
	if strings.ContainsAny(a.Where, ";") && r.good(where) {
		r.fault(r.at(where), where, problemf("holds a semicolon").do("write one SOQL condition, without WHERE"))
	}
}
