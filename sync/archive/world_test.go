package archive_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/health"
	"github.com/twiliosf/twiliosf/sync/store"
)

const (
	object = "TwilioSF_Message__c"
	media  = "TwilioSF_Media__c"
	bulk   = "TwilioSF_Bulk_Message__c"
	day    = 24 * time.Hour
)

// world is an org with old messages, and an archive.
type world struct {
	t       *testing.T
	org     *salesforcetest.Server
	store   *store.Store
	url     string
	target  *target
	health  *health.Registry
	records *records.Archive
	o       archive.Options
	ro      records.ArchiveOptions
	budget  func() error
	spies   spies
	format  archive.Format
}

// spies look in at moments of a run.
type spies struct {
	beforeAgain func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, org: salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS}), target: &target{files: map[string][]byte{}},
		health: health.New(zap.NewNop(), nil), url: "sqlite://" + strings.ReplaceAll(t.TempDir(), "#", "%23") + "/t.db",
		format: plain{},
		o:      archive.Options{Account: "AC1", After: 365 * day, Lookback: 3 * day, Delete: true, PageRows: 50, RunRows: 100, FileRows: 40},
	}
	w.openStore()
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	return w
}

func (w *world) openStore() {
	w.t.Helper()
	var err error
	w.store, err = store.Open(context.Background(), store.Options{URL: w.url, Version: "test"})
	require.NoError(w.t, err)
}

// engine is a new one, as after a restart.
func (w *world) engine() *archive.Engine {
	w.t.Helper()
	org, err := salesforce.New(salesforce.Options{
		LoginURL: w.org.URL, HTTP: w.org.Client().Transport,
		Auth: salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret},
	})
	require.NoError(w.t, err)
	w.records, err = records.NewArchive(org, w.ro)
	require.NoError(w.t, err)
	memory := w.store.Archive()
	e, err := archive.New(archive.Ports{
		Source: &spying{w.records, &w.spies}, Leaver: w.records, Returner: w.records, Target: w.target, Format: w.format,
		Journal: memory, Contents: memory, Departures: memory, Absent: memory, Budget: w.budget, Health: w.health,
	}, w.o)
	require.NoError(w.t, err)
	return e
}

// spying is the source, with a look in.
type spying struct {
	archive.Source
	spies *spies
}

func (s *spying) Again(ctx context.Context, ids []string) ([]archive.Record, error) {
	if f := s.spies.beforeAgain; f != nil {
		s.spies.beforeAgain = nil
		f()
	}
	return s.Source.Again(ctx, ids)
}

// sid is the n-th message's.
func sid(n int) string { return fmt.Sprintf("SM%032x", n) }

// old makes n messages, 400 days old and older, a day apart.
func (w *world) old(n int) {
	w.t.Helper()
	for i := range n {
		w.insert(i, 400+i/4, nil)
	}
}

// insert makes one message of an age in days.
func (w *world) insert(n, days int, more map[string]any) string {
	w.t.Helper()
	at := time.Now().UTC().Add(-time.Duration(days) * day).Truncate(time.Second)
	row := map[string]any{
		"Message_SID__c": sid(n), "Body__c": fmt.Sprintf("text %d\nof 😀", n), "From_Number__c": fmt.Sprintf("+1415555%04d", n%50),
		"To_Number__c": "+14155550100", "Their_Number__c": fmt.Sprintf("+1415555%04d", n%50), "Direction__c": "inbound", "Status__c": "received",
		"Date_Created__c": at, "Date_Sent__c": at, "Num_Segments__c": 2.0, "Num_Media__c": 0.0, "Price__c": -0.0075, "Price_Unit__c": "USD", "Unread__c": n%2 == 0,
	}
	maps.Copy(row, more)
	id, err := w.org.Insert(object, row)
	require.NoError(w.t, err)
	return id
}

func (w *world) attach(parent string, n int) {
	w.t.Helper()
	_, err := w.org.Insert(media, map[string]any{
		"Message__c": parent, "Media_SID__c": fmt.Sprintf("ME%032x", n), "Content_Type__c": "image/png", "Url__c": "https://api.twilio.com/x",
	})
	require.NoError(w.t, err)
}

// row is a message's record; nil when there is none.
func (w *world) row(n int) map[string]any {
	w.t.Helper()
	all := w.org.ByKey(object, "Message_SID__c", sid(n))
	require.LessOrEqual(w.t, len(all), 1)
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// live is every message's record by its SID, without what Salesforce itself keeps.
func (w *world) live() map[string]map[string]any {
	all := map[string]map[string]any{}
	for row := range w.org.Rows(object) {
		for _, system := range []string{"Id", "Name", "CreatedDate", "LastModifiedDate", "SystemModstamp", "Archive_After__c", "CreatedById", "LastModifiedById", "LastReferencedDate", "LastViewedDate"} {
			delete(row, system)
		}
		all[fmt.Sprint(row["Message_SID__c"])] = row
	}
	return all
}

// copied are the SIDs in files that a manifest names.
func (w *world) copied() map[string]int {
	w.t.Helper()
	v, err := w.engine().Verify(w.t.Context())
	require.NoError(w.t, err)
	found := map[string]int{}
	for name, data := range w.target.all() {
		if !strings.HasPrefix(name, "messages/") || slices.Contains(v.Strays, name) {
			continue
		}
		require.NoError(w.t, w.format.Read(archive.Messages, data, func(r *archive.Record) error {
			found[string(r.SID())]++
			return nil
		}))
	}
	return found
}

// conditions are the names of those that last.
func (w *world) conditions() (names []string) {
	for _, c := range w.health.Active() {
		names = append(names, c.Name)
	}
	return names
}

func (w *world) runs() []archive.Run {
	w.t.Helper()
	all, err := w.store.Archive().Runs(w.t.Context(), 100)
	require.NoError(w.t, err)
	return all
}

func (w *world) gone() int {
	w.t.Helper()
	n, err := w.store.Archive().Gone(w.t.Context(), 1_000_000)
	require.NoError(w.t, err)
	return n
}

// target is a folder in memory that can fail.
type target struct {
	mu    sync.Mutex
	files map[string][]byte
	// put and get, if set, see each write and read first.
	put func(name string, data []byte) ([]byte, error)
	get func(name string) error
}

func (d *target) Put(_ context.Context, name string, data []byte) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.put != nil {
		if data, err = d.put(name, data); err != nil {
			return err
		}
	}
	d.files[name] = slices.Clone(data)
	return nil
}

func (d *target) Get(_ context.Context, name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.get != nil {
		if err := d.get(name); err != nil {
			return nil, err
		}
	}
	data, ok := d.files[name]
	if !ok {
		return nil, archive.ErrNoFile
	}
	return slices.Clone(data), nil
}

func (d *target) List(_ context.Context, prefix string) ([]string, error) {
	var names []string
	for name := range d.all() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d *target) Remove(_ context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, name)
	return nil
}

func (d *target) all() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.files)
}

// flip changes one bit of the first file whose name begins so.
func (d *target) flip(t *testing.T, prefix string) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if strings.HasPrefix(name, prefix) {
			data := slices.Clone(d.files[name])
			data[len(data)/3] ^= 1
			d.files[name] = data
			return name
		}
	}
	t.Fatal("there is no such file")
	return ""
}

var errFull = func() error {
	f := fault.New(fault.Transient, "archive write", errors.New("no space left on device"))
	f.Condition, f.Hint = "archive-target", "Make room."
	return f
}()
