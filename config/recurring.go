package config

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/schedule"
)

// Recurring is a campaign on a schedule. One of Campaign, ListView and Query is
// its audience.
type Recurring struct {
	Name string
	Cron string // an expression of robfig/cron
	Body string
	// Campaign and ListView are ids in Salesforce, Query is SOQL.
	Campaign, ListView, Query string
	Sender, Media             string
	Rate                      float64 // messages a second; 0 is the sender's own
}

const recurringForm = `write it such as {name: reminders, cron: "0 10 * * 1", campaign: 701..., body: "Hi"}`

var (
	recurringName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,29}$`)
	salesforceID  = regexp.MustCompile(`^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$`)
)

// recurring reads the list. Every fault in it is reported in its place.
func (r *nodeReader) recurring(path string, n *yaml.Node) given {
	before := len(r.faults)
	out := []Recurring{}
	for _, item := range n.Content {
		at, item := r.place(item), follow(item)
		if item.Kind != yaml.MappingNode {
			r.fault(at, path, problemf("is no mapping").do(recurringForm))
			continue
		}
		c := r.recurringCampaign(path, at, item)
		for i := range out {
			if c.Name != "" && strings.EqualFold(out[i].Name, c.Name) {
				r.fault(at, path, problemf("the name %s is given twice", quote(c.Name)).do("give each its own, because it tells which was made already"))
			}
		}
		out = append(out, c)
	}
	return given{value: out, at: r.place(n), bad: len(r.faults) > before}
}

// recurringCampaign reads one of them.
func (r *nodeReader) recurringCampaign(path string, at origin, n *yaml.Node) Recurring {
	var c Recurring
	texts := map[string]*string{
		"name": &c.Name, "cron": &c.Cron, "body": &c.Body, "campaign": &c.Campaign, "list_view": &c.ListView, "query": &c.Query,
		"sender": &c.Sender, "media": &c.Media,
	}
	before := len(r.faults)
	for _, p := range r.entries(path, n) {
		full, value := join(path, quoteKey(p.key.Value)), follow(p.value)
		into, isText := texts[p.key.Value]
		var wrong *problem
		switch {
		case p.key.Value == "rate":
			c.Rate, wrong = recurringRate(value)
		case !isText:
			r.fault(r.place(p.key), full, suggest(p.key.Value, []string{"name", "cron", "body", "campaign", "list_view", "query", "sender", "media", "rate"}))
			continue
		default:
			if wrong = (&key{kind: text}).wrongType(value); wrong == nil {
				*into, wrong = value.Value, recurringFault(p.key.Value, value.Value)
			}
		}
		if wrong != nil {
			r.fault(r.place(p.value), full, wrong)
		}
	}
	if len(r.faults) > before {
		return c
	}
	audiences := 0
	for _, a := range []string{c.Campaign, c.ListView, c.Query} {
		if a != "" {
			audiences++
		}
	}
	switch {
	case c.Name == "" || c.Cron == "" || c.Body == "" && c.Media == "":
		r.fault(at, path, problemf("a name, a cron expression or a body is missing").do(recurringForm))
	case audiences != 1:
		r.fault(at, path, problemf("%s has %d audiences", quote(c.Name), audiences).do("give one of campaign, list_view and query"))
	}
	return c
}

func recurringRate(value *yaml.Node) (float64, *problem) {
	rate, err := strconv.ParseFloat(value.Value, 64)
	if value.Kind != yaml.ScalarNode || err != nil || !(rate > 0 && rate <= 1000) {
		return 0, problemf("is no rate").do("write messages a second, above 0 and at most 1000")
	}
	return rate, nil
}

// recurringFault is what is wrong with one text.
func recurringFault(name, value string) *problem {
	var err error
	switch name {
	case "name":
		if !recurringName.MatchString(value) {
			return problemf("is no name").do("use up to 30 letters, digits, _ and -, for it becomes part of a key")
		}
	case "cron":
		if _, err = schedule.Parse(value); err != nil {
			return problemf("%s", err)
		}
	case "campaign", "list_view":
		if !salesforceID.MatchString(value) {
			return problemf("is no id of Salesforce's").do("copy its 15 or 18 letters and digits out of the page's address")
		}
	case "body":
		_, err = campaign.ParseBody(value)
	case "query":
		_, err = campaign.ParseQuery(value)
	case "sender":
		if !senderKey().pattern.MatchString(value) || value == "" {
			return problemf("must be %s", senderKey().shape)
		}
	}
	if err != nil {
		return problemf("%s", err)
	}
	return nil
}

// parseRecurring reads what is no list: nothing but an empty one.
func parseRecurring(value string) (any, *problem) {
	if strings.Trim(value, "[ ]") == "" {
		return []Recurring{}, nil
	}
	return nil, problemf("is no list of campaigns").do(recurringForm)
}

func recurringSchema() object {
	text := object{"type": "string"}
	return object{
		"type": "object", "additionalProperties": false, "required": []string{"name", "cron"},
		"properties": object{
			"name": object{"type": "string", "pattern": recurringName.String()}, "cron": text, "body": text,
			"campaign": object{"type": "string", "pattern": salesforceID.String()}, "list_view": object{"type": "string", "pattern": salesforceID.String()},
			"query": text, "sender": text, "media": text, "rate": object{"type": "number", "exclusiveMinimum": 0, "maximum": 1000},
		},
	}
}
