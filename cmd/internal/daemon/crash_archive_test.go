package daemon_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/archive/archivefile"
)

// fewArchiveKills is how often a daemon that archives is killed in a run of all tests.
const fewArchiveKills = 12

// archiveKinds are the phases of the archive's work in which a daemon may end.
var archiveKinds = []kind{
	{"a page of old messages", isOldPage, 2, ""},
	{"media read", isMediaRead, 3, ""},
	{"messages read again", isReadAgain, 2, ""},
	{"a deletion", isDeletion, 1, ""},
	{"a deletion after others", isDeletion, 2, ""},
	{"a restore's write", isRestoring, 3, ""},
	{"before a file is noted", nil, 200, "copies"},
	{"behind a file's note", nil, 200, "copies+"},
	{"before messages are noted to leave", nil, 250, "leaves"},
	{"behind the note that messages leave", nil, 250, "leaves+"},
	{"before a run's state changes", nil, 3, "runs"},
	{"behind a change of a run's state", nil, 3, "runs+"},
	{"before messages are forgotten", nil, 250, "left"},
	{"any request", func(call) bool { return true }, 60, ""},
	{"a commit of the store", nil, 80, "commit"},
}

func init() {
	deeds["copies"] = func(d *sqlite.SQLitePreUpdateData) bool {
		return d.TableName == "archive_copies" && d.Op == sqliteInsert
	}
	deeds["leaves"] = func(d *sqlite.SQLitePreUpdateData) bool { return d.TableName == "archived" && d.Op == sqliteInsert }
	deeds["runs"] = func(d *sqlite.SQLitePreUpdateData) bool { return d.TableName == "archive_runs" }
	deeds["left"] = func(d *sqlite.SQLitePreUpdateData) bool {
		return d.TableName == "archive_copies" && d.Op == sqliteDelete
	}
}

// https://www.sqlite.org/c3ref/c_alter_table.html
const sqliteDelete = 9

// asked is what a call asks the org, as text.
func asked(c call) string {
	text, err := url.QueryUnescape(c.r.URL.RawQuery + " " + string(c.body))
	if err != nil || c.at != atOrg {
		return ""
	}
	return text
}

func isOldPage(c call) bool   { return strings.Contains(asked(c), "N_DAYS_AGO") }
func isMediaRead(c call) bool { return strings.Contains(asked(c), "FROM TwilioSF_Media__c WHERE") }
func isReadAgain(c call) bool {
	return strings.Contains(asked(c), "FROM TwilioSF_Message__c WHERE Id IN") && strings.Contains(asked(c), "Archived__c")
}
func isDeletion(c call) bool { return c.at == atOrg && c.r.Method == http.MethodDelete }
func isRestoring(c call) bool {
	return isUpsert(c) && strings.Contains(string(c.body), "Archive_After__c")
}

// P7: whenever a daemon is killed that archives and restores, every message is in
// the org or in a file that its manifest names by its checksum. Old messages are
// walked all the time, by backfills, and no walk brings back what is archived.
func TestCrashesOfTheArchiveLeaveEveryMessageInTheOrgOrInAVerifiedFile(t *testing.T) {
	kills := number(t, "TWILIOSF_KILLS", fewArchiveKills)
	seed := uint64(number(t, "TWILIOSF_SEED", 7))
	w := newCrashWorld(t, seed)
	w.people.past(7, 150, 300)
	w.yaml += "archive: {cron: '@every 1s', delete: true, to: 'file://" + w.archive() + "'}\n"
	require.NoError(t, os.WriteFile(w.configPath(), []byte(w.yaml), 0o600))
	d := &deck{kinds: archiveKinds, rng: rand.New(rand.NewPCG(seed, 6))}
	old := &oldOnes{crashWorld: w, rows: map[string]map[string]any{}}
	timely, most, writing, leaving := map[string]int{}, 0, 0, 0
	for n := range kills {
		if n%5 == 4 {
			old.live(t, d.stop())
		}
		m := d.deal()
		if old.live(t, m) {
			timely[m.name]++
		}
		copies, absent := old.requireNoneLost(t)
		most = max(most, absent)
		switch w.openRun(t) {
		case archive.Writing:
			writing++
		case archive.Leaving:
			leaving++
		}
		t.Logf("%d messages in verified files, %d of them not in the org", len(copies), absent)
	}
	all := 0
	for _, name := range slices.Sorted(maps.Keys(timely)) {
		all += timely[name]
		t.Logf("%4d kills: %s", timely[name], name)
	}
	t.Logf("%d kills, %d of them at their moment; %d fell while a run was written, %d while one's messages left", kills, all, writing, leaving)
	require.Greater(t, all, kills/3, "too few kills came at their moment: the suite shows little")
	require.Greater(t, writing+leaving, kills/5, "too few kills fell into a run: the suite shows little")
	require.Greater(t, most, 300, "too few messages ever left: the suite shows little")
	old.bringAllBack(t)
	w.requireEqual(t)
}

func (w *crashWorld) archive() string { return filepath.Join(w.dir, "archive") }

// oldOnes are old messages that the org has and Twilio has no more.
type oldOnes struct {
	*crashWorld
	rows map[string]map[string]any // by SID, as they were made
}

// aLife is how many of them each daemon finds new.
const aLife = 260

func (o *oldOnes) insert(t *testing.T) {
	t.Helper()
	for range aLife {
		n := len(o.rows)
		at := time.Now().UTC().Add(-time.Duration(100+n%150) * 24 * time.Hour).Truncate(time.Second)
		row := map[string]any{
			sandbox.SIDField: fmt.Sprintf("SM%032x", n), "Body__c": fmt.Sprintf("an old text, %d", n), "From_Number__c": theirs(n), "To_Number__c": ours,
			"Their_Number__c": theirs(n), "Direction__c": "inbound", "Status__c": "received", "Date_Created__c": at, "Price__c": -0.0075, "Unread__c": n%2 == 0,
		}
		id, err := o.Org.Insert(sandbox.MessageObject, row)
		require.NoError(t, err)
		o.rows[fmt.Sprint(row[sandbox.SIDField])] = row
		if n%20 == 0 {
			_, err := o.Org.Insert("TwilioSF_Media__c", map[string]any{"Message__c": id, "Media_SID__c": fmt.Sprintf("ME%032x", n)})
			require.NoError(t, err)
		}
	}
}

// live runs one daemon to its end. What was restored may leave again, and in some
// lives an operator asks for all of it back.
func (o *oldOnes) live(t *testing.T, m moment) (timely bool) {
	t.Helper()
	for row := range o.Org.Rows(sandbox.MessageObject) {
		if row["Archive_After__c"] != nil {
			require.NoError(t, o.Org.Update(sandbox.MessageObject, fmt.Sprint(row["Id"]), map[string]any{"Archive_After__c": nil}))
		}
	}
	o.insert(t)
	o.people.burst()
	l := o.start(t, m)
	if m.name == "a restore's write" || m.name == "any request" {
		o.restoreAll(t, l)
	}
	timely = l.await(t)
	o.quiesce()
	o.requireKept(t)
	t.Logf("%4d requests; %s (came: %t)", l.all.Load(), m, timely)
	return timely
}

// restoreAll asks for all messages back as soon as the daemon works; it may die
// before it answers.
func (w *crashWorld) restoreAll(t *testing.T, l *life) {
	t.Helper()
	select {
	case <-l.awake:
	case <-l.dead:
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if c, err := daemon.Dial(ctx, w.socket()); err == nil && c != nil {
		go func() { <-l.dead; cancel() }()
		_, _ = c.ArchiveDo(ctx, daemon.ArchiveTask{Restore: &archive.Wanted{All: true}})
	}
}

// requireNoneLost is P7 at any moment: of the messages that ever had a record, the
// ones that have none are in a file whose checksum is its manifest's.
func (o *oldOnes) requireNoneLost(t *testing.T) (copies map[string]bool, absent int) {
	t.Helper()
	copies = map[string]bool{}
	manifests, err := filepath.Glob(filepath.Join(o.archive(), "manifests", "*.json"))
	require.NoError(t, err)
	for _, path := range manifests {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		var m archive.Manifest
		require.NoError(t, json.Unmarshal(data, &m), path)
		for _, f := range m.Files {
			data, err := os.ReadFile(filepath.Join(o.archive(), f.Name))
			require.NoError(t, err)
			sum := sha256.Sum256(data)
			require.Equal(t, f.SHA256, hex.EncodeToString(sum[:]), f.Name)
			if f.Table == archive.Messages {
				require.NoError(t, archivefile.Format{}.Read(f.Table, data, func(r *archive.Record) error {
					copies[string(r.SID())] = true
					return nil
				}))
			}
		}
	}
	o.books.mu.Lock()
	defer o.books.mu.Unlock()
	had := maps.Clone(o.books.statuses)
	for sid := range o.rows {
		had[sid] = "received"
	}
	for sid, status := range had {
		if status == "" || len(o.Org.ByKey(sandbox.MessageObject, sandbox.SIDField, sid)) > 0 {
			continue
		}
		require.True(t, copies[sid], "%s is neither in the org nor in a verified file", sid)
		absent++
	}
	return copies, absent
}

// openRun is the state of the run that a dead daemon has left, "" if none.
func (w *crashWorld) openRun(t *testing.T) archive.State {
	t.Helper()
	st := w.look(t)
	defer func() { require.NoError(t, st.Close()) }()
	r, open, err := st.Archive().Open(t.Context())
	require.NoError(t, err)
	if !open {
		return ""
	}
	return r.State
}

// bringAllBack lets a last daemon archive what is old, verifies the archive, and
// restores all of it.
func (o *oldOnes) bringAllBack(t *testing.T) {
	t.Helper()
	o.people.sleep()
	evening := time.Now()
	l := o.start(t, moment{name: "the last one", polite: true})
	select {
	case <-l.awake:
	case <-l.dead:
		require.Fail(t, "it ended by itself", l.said())
	}
	c, err := daemon.Dial(t.Context(), o.socket())
	require.NoError(t, err)
	require.NotNil(t, c)
	var last daemon.Status
	require.Eventually(t, func() bool {
		if last, err = c.Status(t.Context()); err != nil {
			return false
		}
		return last.Counts.Waiting == 0 && last.Backfill == nil && last.Archive != nil && last.Archive.Archived > 300 && last.Archive.Runs[0].State == archive.Done
	}, 2*time.Minute, 200*time.Millisecond, "%+v; %s", &last, l.log)
	v, err := c.ArchiveDo(t.Context(), daemon.ArchiveTask{Verify: true})
	require.NoError(t, err)
	require.Empty(t, v.Verdict.Problems)
	var compared sandbox.Comparison
	require.Eventually(t, func() bool {
		r, err := c.ArchiveDo(t.Context(), daemon.ArchiveTask{Restore: &archive.Wanted{All: true}})
		if err != nil || len(r.Restored.Problems) > 0 || r.Restored.Matched != r.Restored.Restored {
			return false
		}
		if last, err = c.Status(t.Context()); err != nil || !o.back(t) {
			return false
		}
		compared = sandbox.Compare(o.Twilio, o.Org)
		return time.Since(evening) > lifeEnds && last.Counts.Waiting == 0 &&
			compared.Lost == len(o.people.unwantedNow()) && compared.Duplicated == 0 && compared.Stale == 0
	}, 2*time.Minute, 200*time.Millisecond, "%s: %v; %s", &compared, &compared.Examples, l.log)
	l.came = true
	l.stop()
	require.True(t, l.await(t))
	o.quiesce()
}

// back says whether all old ones are back; those that are, just as they were, are
// then taken out of the comparison.
func (o *oldOnes) back(t *testing.T) bool {
	t.Helper()
	for sid := range o.rows {
		if len(o.Org.ByKey(sandbox.MessageObject, sandbox.SIDField, sid)) != 1 {
			return false
		}
	}
	if len(o.rows) > 0 {
		require.Equal(t, (len(o.rows)+19)/20, o.Org.Count("TwilioSF_Media__c"))
	}
	for sid, row := range o.rows {
		got := o.Org.ByKey(sandbox.MessageObject, sandbox.SIDField, sid)[0]
		for name, want := range row {
			require.Equal(t, want, got[name], "%s of %s", name, sid)
		}
		require.NoError(t, o.Org.Delete(sandbox.MessageObject, fmt.Sprint(got["Id"])))
	}
	clear(o.rows)
	return true
}
