package people_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/people"
	"github.com/twiliosf/twiliosf/sync/store"
)

const (
	ann = "005000000000001AAA"
	bob = "005000000000002AAA"
	que = "00G000000000001AAA"
)

// org is an org in memory, as the engine's ports see one. While an engine Runs,
// its fields are read and changed by its methods, or under locked.
type org struct {
	mu      sync.Mutex // not held while a hook or the engine's own code is called
	objects []string
	rows    map[string]map[string]people.Record
	hidden  map[string]bool
	define  map[string]string // another definition of an object
	jobs    map[string][]people.Record
	calls   map[string]int
	fails   map[string]error // by call
	page    int
	made    int
	onPage  func(locator string) error
	onAwait func(ctx context.Context) error
	moves   []people.Move
	refuse  error // of Moved
}

func newOrg(objects ...string) *org {
	o := &org{
		objects: objects, rows: map[string]map[string]people.Record{}, hidden: map[string]bool{}, define: map[string]string{},
		jobs: map[string][]people.Record{}, calls: map[string]int{}, fails: map[string]error{}, page: 1000,
	}
	for _, object := range objects {
		o.rows[object] = map[string]people.Record{}
	}
	return o
}

// locked calls f while the org answers nobody.
func (o *org) locked(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// fail lets a call fail from now on, or no longer.
func (o *org) fail(name string, err error) {
	o.locked(func() { o.fails[name] = err })
}

// called is how often a call was made.
func (o *org) called(name string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[name]
}

// id is the n-th record of an object.
func id(object string, n int) string { return fmt.Sprintf("%.3s%012dAAA", object, n) }

// set makes or changes a record.
func (o *org) set(object string, n int, owner string, phones ...string) string {
	r := people.Record{ID: id(object, n), Owner: owner, Phones: phones, Modified: time.Now().UTC().Truncate(time.Second)}
	o.locked(func() { o.rows[object][r.ID] = r })
	return r.ID
}

// remove puts a record into the recycle bin.
func (o *org) remove(object, id string) {
	r := people.Record{ID: id, Gone: true, Modified: time.Now().UTC().Truncate(time.Second)}
	o.locked(func() { o.rows[object][id] = r })
}

func (o *org) call(name string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls[name]++
	return o.fails[name]
}

func (o *org) Shapes(context.Context) ([]people.Shape, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.fails["shapes"]; err != nil {
		return nil, err
	}
	var all []people.Shape
	for _, object := range o.objects {
		s := people.Shape{Object: object, Definition: object + ": Phone" + o.define[object]}
		if o.hidden[object] {
			s.Err = errors.New("is hidden")
		}
		all = append(all, s)
	}
	return all, nil
}

// sorted are the records of an object by the time of their change.
func (o *org) sorted(object string) []people.Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []people.Record
	for _, r := range o.rows[object] {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b people.Record) int {
		return cmp.Or(a.Modified.Compare(b.Modified), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (o *org) Newest(_ context.Context, object string, row func(people.Record) error) error {
	if err := o.call("newest"); err != nil {
		return err
	}
	all := o.sorted(object)
	slices.Reverse(all)
	all = slices.DeleteFunc(all, func(r people.Record) bool { return r.Gone })
	for _, r := range all[:min(len(all), people.SmallObject)] {
		if err := row(r); err != nil {
			return err
		}
	}
	return nil
}

func (o *org) Changed(_ context.Context, since []people.Since, row func(int, people.Record) error) ([]error, error) {
	if err := o.call("changed"); err != nil {
		return nil, err
	}
	outcomes := make([]error, len(since))
	for i, s := range since {
		o.locked(func() { outcomes[i] = o.fails["changed "+s.Object] })
		if outcomes[i] != nil {
			continue
		}
		for _, r := range o.sorted(s.Object) {
			if r.Modified.Before(s.At) {
				continue
			}
			if err := row(i, r); err != nil {
				return nil, err
			}
		}
	}
	return outcomes, nil
}

func (o *org) Start(_ context.Context, object string) (string, error) {
	if err := o.call("start"); err != nil {
		return "", err
	}
	rows := slices.DeleteFunc(o.sorted(object), func(r people.Record) bool { return r.Gone })
	slices.SortFunc(rows, func(a, b people.Record) int { return cmp.Compare(a.ID, b.ID) })
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made++
	job := "750" + strconv.Itoa(o.made)
	o.jobs[job] = rows
	return job, nil
}

func (o *org) Await(ctx context.Context, job string) error {
	if err := o.call("await"); err != nil {
		return err
	}
	o.mu.Lock()
	hook, none := o.onAwait, o.jobs[job] == nil
	o.mu.Unlock()
	switch {
	case hook != nil:
		return hook(ctx)
	case none:
		return people.ErrNoExport
	}
	return nil
}

func (o *org) Page(_ context.Context, _, job, locator string, row func(people.Record) error) (string, error) {
	if err := o.call("page"); err != nil {
		return "", err
	}
	o.mu.Lock()
	hook, none, page := o.onPage, o.jobs[job] == nil, o.page
	o.mu.Unlock()
	if none {
		return "", people.ErrNoExport
	}
	from, _ := strconv.Atoi(locator)
	if hook != nil {
		if err := hook(locator); err != nil {
			return "", err
		}
	}
	var rows []people.Record
	o.locked(func() { rows = slices.Clone(o.jobs[job][from:]) })
	for _, r := range rows[:min(len(rows), page)] {
		r.Modified = time.Time{}
		if err := row(r); err != nil {
			return "", err
		}
	}
	if len(rows) <= page {
		return "", nil
	}
	return strconv.Itoa(from + page), nil
}

func (o *org) Drop(_ context.Context, job string) error {
	o.locked(func() { delete(o.jobs, job) })
	return o.call("drop")
}

func (o *org) Moved(_ context.Context, moves []people.Move) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.moves = append(o.moves, moves...)
	return o.refuse
}

// world is an engine between an org and a real store.
type world struct {
	*org
	t      testing.TB
	store  *store.Store
	health *health.Registry
	engine *people.Engine
}

func newWorld(t testing.TB, o *org) *world {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "t.db"), Version: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	w := &world{org: o, t: t, store: s, health: health.New(zap.NewNop(), nil)}
	w.restart()
	return w
}

// restart makes a new engine on the same store, as a new process does.
func (w *world) restart(change ...func(*people.Options)) {
	w.t.Helper()
	opts := people.Options{Country: "US", Link: true, Own: true}
	for _, c := range change {
		c(&opts)
	}
	var err error
	w.engine, err = people.New(people.Ports{
		Source: w.org, Export: w.org, Index: w.store.People(), Directory: w.store.People(), Mover: w.org, Health: w.health,
	}, opts)
	require.NoError(w.t, err)
}

func (w *world) fill() {
	w.t.Helper()
	require.NoError(w.t, w.engine.Fill(w.t.Context()))
}

func (w *world) refresh() {
	w.t.Helper()
	require.NoError(w.t, w.engine.Refresh(w.t.Context()))
}

// from is a message that somebody wrote to us.
func from(number message.Number) message.Message {
	return message.Message{SID: "SM1", From: number, To: "+15005550006", Direction: message.Inbound, Status: message.Received, Created: time.Now()}
}

// meet is what the engine answers for one message.
func (w *world) meet(m message.Message) message.Links {
	w.t.Helper()
	links, err := w.engine.Meet(w.t.Context(), []*message.Message{&m})
	require.NoError(w.t, err)
	require.Len(w.t, links, 1)
	return links[0]
}

func (w *world) conditions() map[string]health.Condition {
	all := map[string]health.Condition{}
	for _, c := range w.health.Active() {
		all[c.Name] = c
	}
	return all
}

// statuses are the follow-ups that are due, by record.
func (w *world) statuses() map[string]message.LastStatus {
	w.t.Helper()
	due, err := w.store.FollowUps().Due(w.t.Context(), message.FollowStatus, time.Now(), 1000)
	require.NoError(w.t, err)
	all := map[string]message.LastStatus{}
	for _, q := range due {
		all[q.FollowUp.Key] = *q.FollowUp.Status
	}
	return all
}

var errBusy = fault.New(fault.Transient, "salesforce queries", errors.New("busy"))
