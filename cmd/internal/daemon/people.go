package daemon

import (
	"context"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// jobPeople keeps the index of phone numbers fresh.
const jobPeople = "people-refresh"

func (g *generation) buildPeople() error {
	c := g.cfg.People
	objects := make([]records.PhoneObject, len(c.Objects))
	for i, o := range c.Objects {
		objects[i] = records.PhoneObject{Object: o.Object, Fields: o.Fields}
	}
	reader, err := records.NewPeople(g.org, objects)
	if err != nil {
		return &ConfigError{err}
	}
	g.people, err = people.New(people.Ports{
		Source: reader, Export: reader, Index: g.store.People(), Directory: g.store.People(), Mover: mover{g}, Health: g.health,
	}, people.Options{
		Country: c.Country, Link: c.Link == config.LinkUnique, Own: c.Owner == config.OwnerRecord, Log: g.log, Metrics: g.metrics,
	})
	return err
}

// refreshPeople is the job. A number that has changed clears a last status.
func (g *generation) refreshPeople(ctx context.Context) error {
	err := g.people.Refresh(ctx)
	g.followups.Wake(message.FollowStatus)
	return err
}

// typed reads a number as somebody typed it in the org.
func (g *generation) typed(raw string) (message.Number, bool) {
	number, err := phone.Parse(raw, g.cfg.People.Country)
	return number, err == nil
}

// lookups are the message object's fields for objects that are not the standard
// ones, whose lookups have names of their own.
func lookups(c config.People) map[string]string {
	all := map[string]string{}
	for _, o := range c.Objects {
		if o.Lookup != "" {
			all[o.Object] = o.Lookup
		}
	}
	return all
}
