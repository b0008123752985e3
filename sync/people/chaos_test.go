package people_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// chaos is an org that anything may happen to at any call, and a store that may
// be the last thing a process has written to, or just not.
type chaos struct {
	*org
	people.Index
	rng   *rand.Rand
	calm  bool
	small int // of an object that is read by one call
}

var errKilled = errors.New("killed")

func (c *chaos) killed() error {
	if !c.calm && c.rng.IntN(6) == 0 {
		return errKilled
	}
	return nil
}

// Newest gives the newest few, so that few are enough for an export.
func (c *chaos) Newest(ctx context.Context, object string, row func(people.Record) error) error {
	n := 0
	err := c.org.Newest(ctx, object, func(r people.Record) error {
		n++
		if n > c.small {
			return people.ErrTooLarge
		}
		return row(r)
	})
	return errors.Join(c.killed(), err)
}

func (c *chaos) Changed(ctx context.Context, since []people.Since, row func(int, people.Record) error) ([]error, error) {
	return c.org.Changed(ctx, since, func(i int, r people.Record) error { return errors.Join(c.killed(), row(i, r)) })
}

func (c *chaos) Await(ctx context.Context, job string) error {
	if !c.calm && c.rng.IntN(4) == 0 {
		c.locked(func() { delete(c.jobs, job) })
	}
	return errors.Join(c.killed(), c.org.Await(ctx, job))
}

func (c *chaos) Page(ctx context.Context, object, job, locator string, row func(people.Record) error) (string, error) {
	next, err := c.org.Page(ctx, object, job, locator, row)
	return next, errors.Join(c.killed(), err)
}

func (c *chaos) Write(ctx context.Context, object string, st people.State, changes []people.Change) error {
	if err := c.killed(); err != nil {
		return err
	}
	return errors.Join(c.Index.Write(ctx, object, st, changes), c.killed())
}

// truth is who has which number, by the org.
func (c *chaos) truth() map[phone.Key][]string {
	all := map[phone.Key][]string{}
	for id, r := range c.rows["Contact"] {
		for _, p := range r.Phones {
			if !r.Gone {
				all[phone.KeyOf(message.Number(p))] = append(all[phone.KeyOf(message.Number(p))], id)
			}
		}
	}
	return all
}

// Whatever stops a filling or a refresh, and whatever changes meanwhile: in the end
// the index holds what the org does, and nobody was said to have gone back to a
// number of before.
func TestWhateverHappensTheIndexIsTrueInTheEnd(t *testing.T) {
	const persons = 40
	for seed := range uint64(25) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			o := newOrg("Contact")
			o.page = 7
			w := newWorld(t, o)
			c := &chaos{org: o, Index: w.store.People(), rng: rng, small: 12}
			restart := func() {
				var err error
				w.engine, err = people.New(people.Ports{
					Source: c, Export: c, Index: c, Directory: w.store.People(), Mover: c, Health: w.health,
				}, people.Options{Country: "US", Link: true, Own: true})
				require.NoError(t, err)
			}
			restart()
			version := 0
			change := func() {
				n := rng.IntN(persons)
				version++
				own := fmt.Sprintf("+1415%03d%04d", n, version)
				switch rng.IntN(6) {
				case 0:
					o.remove("Contact", id("Contact", n))
				case 1:
					o.set("Contact", n, ann)
				case 2:
					o.set("Contact", n, ann, own, fmt.Sprintf("+1416000%04d", rng.IntN(5)))
				default:
					o.set("Contact", n, ann, own)
				}
			}
			for range persons {
				change()
			}
			for range 150 {
				var err error
				switch rng.IntN(9) {
				case 0, 1, 2, 3:
					change()
				case 4:
					time.Sleep(time.Duration(rng.IntN(10)) * time.Minute)
				case 5:
					time.Sleep(time.Duration(rng.IntN(4)) * 24 * time.Hour)
				case 6:
					err = w.engine.Fill(t.Context())
				default:
					err = w.engine.Refresh(t.Context())
				}
				if errors.Is(err, errKilled) {
					restart()
				}
			}
			c.calm = true
			time.Sleep(time.Minute)
			for range 2 { // an export may have been too old when it came
				w.fill()
				w.refresh()
			}

			truth := c.truth()
			for key := range truth {
				slices.Sort(truth[key])
			}
			var rows int
			require.NoError(t, w.store.DB().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM people_numbers`).Scan(&rows))
			want, holders := 0, map[string]bool{}
			for key, ids := range truth {
				want += len(ids)
				for _, id := range ids {
					holders[id] = true
				}
				found, err := w.store.People().Find(t.Context(), []phone.Key{key})
				require.NoError(t, err)
				require.Len(t, found[key], 1, "seed %d", seed)
				require.Equal(t, len(ids), found[key][0].Records, "seed %d", seed)
				require.Equal(t, ids[0], found[key][0].ID, "seed %d", seed)
			}
			require.Equal(t, want, rows, "seed %d: and nothing else", seed)
			require.EqualValues(t, len(holders), marks(w)["Contact"].People, "seed %d", seed)
			for _, m := range o.moves {
				require.False(t, latest(m.New) != 0 && latest(m.New) < latest(m.Old), "seed %d: %v", seed, m)
			}
		})
	}
}

// latest is the highest version in the numbers.
func latest(numbers []message.Number) (v int) {
	for _, n := range numbers {
		if at := 0; strings.HasPrefix(string(n), "+1415") {
			_, _ = fmt.Sscanf(string(n[len(n)-4:]), "%d", &at)
			v = max(v, at)
		}
	}
	return v
}
