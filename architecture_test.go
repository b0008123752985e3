// Package twiliosf_test holds what must be true of the repository as a whole:
// who may import whom, how large a file may be, and that the documents and the
// unit files say what the code does.
package twiliosf_test

import (
	"bufio"
	"cmp"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/twiliosf/twiliosf"

// kind is what a package is in the house. Arrows go down only, from a larger
// kind to a smaller one, or inside the words and the commands as height says.
type kind int

const (
	word     kind = iota // vocabulary: pure, or close to it
	emulator             // a vendor, imitated
	engine               // one job of the daemon, behind ports of its own
	adapter              // a vendor, a database, a file, HTTP
	suite                // a port's contract as tests
	daemon               // where everything meets
	command              // flags, signals, screens
)

// house is every package with Go files, but for those with tests only.
var house = map[string]kind{
	"sync/alarm":    word,
	"sync/message":  word,
	"sync/phone":    word,
	"sync/fault":    word,
	"sync/grace":    word,
	"sync/health":   word,
	"sync/schedule": word,

	"deploy/salesforce": word, // the metadata bundle, embedded

	"twilio/twiliotest":             emulator,
	"twilio/twiliotest/openapitest": emulator,
	"salesforce/salesforcetest":     emulator,

	"sync/archive":  engine,
	"sync/campaign": engine,
	"sync/consent":  engine,
	"sync/followup": engine,
	"sync/mirror":   engine,
	"sync/outbox":   engine,
	"sync/people":   engine,

	"sync/archive/archivefile": adapter,
	"sync/archive/blobs":       adapter,

	"config":              adapter,
	"salesforce":          adapter,
	"salesforce/soql":     adapter,
	"salesforce/orgsetup": adapter,
	"salesforce/records":  adapter,
	"sync/console":        adapter,
	"sync/jobs":           adapter,
	"sync/store":          adapter,
	"twilio":              adapter,
	"twilio/webhook":      adapter,

	"sync/campaign/campaigntest": suite,
	"sync/jobs/jobstest":         suite,
	"sync/mirror/mirrortest":     suite,
	"sync/followup/followuptest": suite,

	"cmd/internal/checkup": daemon,
	"cmd/internal/daemon":  daemon,

	"cmd/internal/bench":   command,
	"cmd/internal/demo":    command,
	"cmd/internal/e2e":     command, // tests only
	"cmd/internal/sandbox": command,
	"cmd/twiliosf":         command,
}

// arrow lets one package import another. Test files are not held to arrows.
type arrow struct{ from, to, why string }

var arrows = []arrow{
	{"sync/phone", "sync/message", "a parsed number is the vocabulary's Number"},
	{"sync/health", "sync/fault", "a condition is made from a classed fault"},

	{"sync/campaign", "sync/message", "the engine makes drafts"},
	{"sync/campaign", "sync/alarm", "the engine waits to be woken"},
	{"sync/campaign", "sync/fault", "the engine decides by class"},
	{"sync/campaign", "sync/grace", "what is under way may end"},
	{"sync/campaign", "sync/health", "the engine says what is wrong"},
	{"sync/campaign", "sync/phone", "numbers are read, have time zones, and are masked when shown"},
	{"sync/archive", "sync/message", "the engine keeps messages"},
	{"sync/archive", "sync/fault", "the engine decides by class"},
	{"sync/archive", "sync/health", "the engine says what is wrong"},
	{"sync/archive/archivefile", "sync/archive", "archivefile implements the archive's Format"},
	{"sync/archive/blobs", "sync/archive", "blobs implements the archive's Target"},
	{"sync/archive/blobs", "sync/fault", "a target's answers are classed where they are read"},
	{"sync/consent", "sync/message", "the engine reads messages"},
	{"sync/consent", "sync/fault", "the engine waits as long as a fault says"},
	{"sync/consent", "sync/health", "the engine says which keywords do nothing"},
	{"sync/followup", "sync/message", "the engine does follow-ups"},
	{"sync/followup", "sync/fault", "the engine decides by class"},
	{"sync/followup", "sync/grace", "what is under way may end"},
	{"sync/followup", "sync/health", "the engine says what is wrong"},
	{"sync/mirror", "sync/message", "the engine speaks of messages"},
	{"sync/mirror", "sync/fault", "the engine decides by class"},
	{"sync/mirror", "sync/grace", "what is under way may end"},
	{"sync/mirror", "sync/health", "the engine says what is wrong"},
	{"sync/outbox", "sync/message", "the engine sends messages"},
	{"sync/outbox", "sync/alarm", "the engine waits to be woken"},
	{"sync/outbox", "sync/fault", "the engine decides by class"},
	{"sync/outbox", "sync/grace", "what is under way may end"},
	{"sync/outbox", "sync/health", "the engine says what is wrong"},
	{"sync/outbox", "sync/phone", "numbers are read before Twilio is asked, and masked when shown"},

	{"sync/people", "sync/message", "the engine says whose messages they are"},
	{"sync/people", "sync/phone", "people are known by their numbers"},
	{"sync/people", "sync/fault", "the engine decides by class"},
	{"sync/people", "sync/health", "the engine says what is wrong"},

	{"config", "sync/message", "directions are those that messages have"},
	{"config", "sync/phone", "a country is one that numbers can be read by"},
	{"sync/store", "sync/message", "rows hold messages"},
	{"sync/store", "sync/archive", "the store implements the archive's memory, for what is archived the mirror leaves alone"},
	{"sync/store", "sync/consent", "the store keeps consent in the transaction that keeps its message"},
	{"sync/store", "sync/people", "the store implements the people's Index and Directory"},
	{"sync/store", "sync/phone", "numbers are indexed by their key"},
	{"sync/store", "sync/followup", "the store implements the Queue of follow-ups"},
	{"sync/store", "sync/outbox", "the store implements the outbox's Ledger, Intents and Claims"},
	{"sync/store", "sync/campaign", "the store implements the campaigns' Runs, Recipients, Handing and Results"},
	{"sync/store", "sync/mirror", "the store implements the mirror's Ledger, Changes, Cursors and Backlog"},
	{"sync/jobs", "sync/store", "the store owns the database and its transactions, jobs owns River"},
	{"sync/console", "sync/health", "readiness follows the conditions"},

	{"twilio", "sync/message", "rows of Twilio's list become messages"},
	{"twilio", "sync/fault", "Twilio's answers are classed where they are read"},
	{"twilio", "sync/mirror", "the account implements the mirror's Source"},

	{"twilio/webhook", "sync/message", "a verified call becomes an Event"},
	{"twilio/webhook", "sync/fault", "what the inbox refused is logged by class, not by text"},

	{"salesforce", "sync/fault", "Salesforce's answers are classed where they are read"},
	{"salesforce/records", "salesforce", "records are written through the org"},
	{"salesforce/records", "salesforce/soql", "what the org holds is asked for in SOQL"},
	{"salesforce/records", "sync/message", "messages become records"},
	{"salesforce/records", "sync/fault", "refusals are put in our words"},
	{"salesforce/records", "sync/archive", "records implements the archive's Source, Leaver and Returner"},
	{"salesforce/records", "sync/consent", "records reads the org's keywords and opt-ins"},
	{"salesforce/records", "sync/mirror", "records implements the mirror's Sink and Watches"},
	{"salesforce/records", "sync/followup", "records implements Doers: media, the last status, opt-ins, members"},
	{"salesforce/records", "sync/people", "records implements the people's Source and Export"},
	{"salesforce/records", "sync/campaign", "records implements the campaigns' Audiences, Org, Forecasts and Maker"},

	{"sync/campaign/campaigntest", "sync/campaign", "the suite is that port's contract"},
	{"sync/campaign/campaigntest", "sync/message", "the suite makes recipients"},
	{"sync/campaign/campaigntest", "sync/phone", "one number may be written in several ways"},
	{"salesforce/orgsetup", "salesforce", "metadata is deployed through the org"},
	{"salesforce/orgsetup", "deploy/salesforce", "the org is compared with what we ship"},
	{"salesforce/orgsetup", "sync/fault", "a deployment goes on while the connection is cut"},

	{"sync/jobs/jobstest", "sync/jobs", "the suite is that port's contract"},
	{"sync/jobs/jobstest", "sync/store", "jobs commit together with rows"},
	{"sync/followup/followuptest", "sync/followup", "the suite is that port's contract"},
	{"sync/followup/followuptest", "sync/message", "the suite makes follow-ups"},
	{"sync/mirror/mirrortest", "sync/mirror", "the suite is that port's contract"},
	{"sync/mirror/mirrortest", "sync/message", "the suite makes messages"},
	{"sync/mirror/mirrortest", "sync/fault", "the suite makes vendors fail"},

	{"config", "sync/schedule", "a slip in a cron expression is found where it is written"},
	{"sync/jobs", "sync/schedule", "a schedule's expression is read"},
	{"cmd/internal/daemon", "sync/schedule", "the daemon's schedules are fixed distances"},
	{"config", "sync/campaign", "a slip in a campaign is found where it is written"},
	{"config", "sync/consent", "a word that says two things is found where it is written"},

	{"cmd/internal/daemon", "sync/alarm", "the daemon sleeps until it is stopped"},
	{"cmd/internal/daemon", "sync/archive", "the daemon runs the archive"},
	{"cmd/internal/daemon", "sync/archive/archivefile", "the daemon plugs the Format in"},
	{"cmd/internal/daemon", "sync/archive/blobs", "the daemon plugs the Target in"},
	{"cmd/internal/daemon", "config", "only the daemon reads the configuration"},
	{"cmd/internal/daemon", "salesforce", "the daemon plugs the org in"},
	{"cmd/internal/daemon", "salesforce/orgsetup", "the configured org is set up by a command"},
	{"cmd/internal/daemon", "salesforce/records", "the daemon plugs the Sink in"},
	{"cmd/internal/daemon", "sync/campaign", "the daemon plugs the org, the store and the outbox into campaigns"},
	{"cmd/internal/daemon", "sync/consent", "the daemon plugs consent into the store, the poll and the webhook"},
	{"cmd/internal/daemon", "sync/console", "the daemon serves its health"},
	{"cmd/internal/daemon", "sync/fault", "the daemon tells faults from stopping"},
	{"cmd/internal/daemon", "sync/followup", "the daemon runs the follow-ups"},
	{"cmd/internal/daemon", "sync/health", "the daemon owns the conditions"},
	{"cmd/internal/daemon", "sync/jobs", "the daemon owns the schedules"},
	{"cmd/internal/daemon", "sync/message", "the control API names messages by SID"},
	{"cmd/internal/daemon", "sync/outbox", "the daemon plugs Twilio, the org and the store into the outbox"},
	{"cmd/internal/daemon", "sync/mirror", "the daemon runs the mirror"},
	{"cmd/internal/daemon", "sync/people", "the daemon runs the people's index"},
	{"cmd/internal/daemon", "sync/phone", "numbers are masked on the screen too"},
	{"cmd/internal/daemon", "sync/store", "the daemon opens the store"},
	{"cmd/internal/daemon", "twilio", "the daemon plugs the Source in"},
	{"cmd/internal/daemon", "twilio/webhook", "the daemon plugs the Inbox in"},

	{"cmd/internal/sandbox", "twilio/twiliotest", "the sandbox is both emulators"},
	{"cmd/internal/sandbox", "salesforce/salesforcetest", "the sandbox is both emulators"},
	{"cmd/internal/sandbox", "deploy/salesforce", "the emulated org has the objects we ship"},
	{"cmd/internal/demo", "cmd/internal/sandbox", "the demo drives the sandbox"},
	{"cmd/internal/demo", "twilio/twiliotest", "the demo makes people write"},
	{"cmd/internal/demo", "salesforce/salesforcetest", "the demo counts records and calls"},
	{"cmd/internal/demo", "sync/message", "the demo shows messages"},
	{"cmd/internal/demo", "sync/phone", "the demo masks the numbers it shows"},
	{"cmd/internal/bench", "cmd/internal/daemon", "the bench measures the daemon, in a process of its own"},
	{"cmd/internal/bench", "cmd/internal/sandbox", "the bench fills and compares the sandbox"},
	{"cmd/internal/bench", "twilio/twiliotest", "the bench makes a history"},
	{"cmd/internal/bench", "salesforce/salesforcetest", "the bench sets the org's latency"},
	{"cmd/internal/bench", "sync/archive", "the bench asks for messages back"},
	{"cmd/internal/bench", "config", "the bench's daemon reads its configuration"},

	{"cmd/internal/checkup", "cmd/internal/daemon", "a check opens both vendors as the daemon does"},
	{"cmd/internal/checkup", "config", "a check looks at what is configured"},
	{"cmd/internal/checkup", "salesforce", "a check asks the org"},
	{"cmd/internal/checkup", "salesforce/orgsetup", "a check shows how the org differs"},
	{"cmd/internal/checkup", "sync/fault", "what a vendor refuses is said with what to do about it"},
	{"cmd/internal/checkup", "sync/message", "a check looks for the sender among the account's"},
	{"cmd/internal/checkup", "sync/phone", "numbers are masked in a check too"},
	{"cmd/internal/checkup", "sync/store", "a check looks at the store without opening it"},
	{"cmd/internal/checkup", "twilio", "a check asks the account"},

	{"cmd/twiliosf", "sync/archive", "twiliosf archive says what is wanted and shows what was found"},
	{"cmd/twiliosf", "cmd/internal/checkup", "twiliosf check"},
	{"cmd/twiliosf", "cmd/internal/daemon", "commands run the daemon or ask it"},
	{"cmd/twiliosf", "cmd/internal/demo", "twiliosf demo"},
	{"cmd/twiliosf", "cmd/internal/sandbox", "twiliosf sandbox"},
	{"cmd/twiliosf", "config", "twiliosf config, and where the control socket is"},
	{"cmd/twiliosf", "salesforce", "twiliosf org shows how far a deployment is"},
	{"cmd/twiliosf", "salesforce/orgsetup", "twiliosf org shows how an org differs"},
	{"cmd/twiliosf", "sync/fault", "what to do about a refusal is said beside it"},
	{"cmd/twiliosf", "sync/message", "twiliosf quarantine takes SIDs"},
	{"cmd/twiliosf", "sync/campaign", "twiliosf campaign shows campaigns and tells them what to do"},
	{"cmd/twiliosf", "sync/outbox", "twiliosf outbox shows sends by their state"},
	{"cmd/twiliosf", "sync/mirror", "twiliosf backfill shows how far it has come"},
	{"cmd/twiliosf", "sync/store", "an exit code says that another process holds the store"},
}

// owners are the libraries that stand for something we keep behind one wall: a
// vendor, a database, a framework. Nobody else imports them.
var owners = map[string]struct {
	by  []string
	why string
}{
	"github.com/twilio/twilio-go":         {[]string{"twilio"}, "engines see messages, not Twilio's models"},
	"github.com/simpleforce/simpleforce":  {[]string{"salesforce"}, "it is safe only over our transport"},
	"github.com/spf13/viper":              {[]string{"config"}, "one place knows where a value comes from"},
	"github.com/riverqueue/river":         {[]string{"sync/jobs"}, "the job engine is behind a port"},
	"github.com/robfig/cron":              {[]string{"sync/schedule"}, "schedules are parsed in one place"},
	"modernc.org/sqlite":                  {[]string{"sync/store"}, "the driver belongs to the store"},
	"github.com/pressly/goose":            {[]string{"sync/store"}, "the schema belongs to the store"},
	"database/sql":                        {[]string{"sync/store", "sync/jobs", "sync/jobs/jobstest", "cmd/internal/daemon"}, "a transaction is handed from the store to jobs, by the daemon and nobody else"},
	"github.com/nyaruka/phonenumbers":     {[]string{"sync/phone"}, "numbers are read in one place"},
	"github.com/coreos/go-systemd":        {[]string{"cmd/internal/daemon", "cmd/twiliosf"}, "an engine does not know who manages the process"},
	"github.com/spf13/cobra":              {[]string{"cmd/twiliosf"}, "flags end at the command"},
	"github.com/vbauerster/mpb":           {[]string{"cmd/twiliosf"}, "screens belong to commands"},
	"github.com/getkin/kin-openapi":       {[]string{"twilio/twiliotest/openapitest"}, "for tests; it has no place in the binary"},
	"github.com/stretchr/testify":         {[]string{"sync/campaign/campaigntest", "sync/followup/followuptest", "sync/jobs/jobstest", "sync/mirror/mirrortest"}, "for tests; it has no place in the binary"},
	"testing":                             {[]string{"sync/campaign/campaigntest", "sync/followup/followuptest", "sync/jobs/jobstest", "sync/mirror/mirrortest"}, "it registers flags and has no place in the binary"},
	"github.com/golang-jwt/jwt":           {[]string{"salesforce"}, "the emulator checks tokens with code of its own, or a fault in the library would hide"},
	"github.com/parquet-go/parquet-go":    {[]string{"sync/archive/archivefile"}, "the format of files is behind a port"},
	"gocloud.dev":                         {[]string{"sync/archive/blobs"}, "where files go is behind a port"},
	"github.com/prometheus/client_golang": {[]string{"salesforce", "sync/archive", "sync/campaign", "sync/console", "sync/followup", "sync/health", "sync/jobs", "sync/mirror", "sync/outbox", "sync/people", "twilio", "twilio/webhook", "cmd/internal/daemon"}, "words and emulators measure nothing"},
}

// badNames say nothing about what is inside, or hide the standard library.
var badNames = []string{"sync", "util", "utils", "common", "helper", "helpers", "misc", "shared", "types"}

// goPackage is what a folder holds.
type goPackage struct {
	name    string
	imports map[string]string // of files that are not tests: import path to file
}

// packages reads every Go file but tests.
func packages(t *testing.T) map[string]*goPackage {
	t.Helper()
	found := map[string]*goPackage{}
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		dir := path.Dir(file)
		if found[dir] == nil {
			found[dir] = &goPackage{name: f.Name.Name, imports: map[string]string{}}
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			found[dir].imports[imported] = file
		}
	}
	require.NotEmpty(t, found)
	return found
}

// goFiles lists the Go files of this module, with slashes, from its root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if filepath.Ext(p) == ".go" {
			files = append(files, filepath.ToSlash(p))
		}
		return nil
	})
	require.NoError(t, err)
	return files
}

func TestEveryPackageHasItsPlaceInTheHouse(t *testing.T) {
	found := packages(t)
	picture := read(t, "docs/architecture.md")
	for dir := range found {
		if !strings.Contains(picture, dir) {
			t.Errorf("docs/architecture.md does not name %s", dir)
		}
		if _, known := house[dir]; !known {
			t.Errorf("%s is new: give it a kind in house, arrows, and a line in docs/architecture.md", dir)
		}
	}
	for dir := range house {
		if found[dir] == nil {
			t.Errorf("the table names %s, which is not there", dir)
		}
	}
}

func TestPackagesSayWhatTheyHold(t *testing.T) {
	for dir, p := range packages(t) {
		require.NotContains(t, badNames, p.name, dir)
		require.NotContains(t, badNames, path.Base(dir), dir)
		require.NotEqual(t, "sync", dir, "sync holds folders only, so that no package is ever called sync")
	}
}

func TestPackagesImportOnlyWhatTheirArrowsAllow(t *testing.T) {
	allowed := map[[2]string]bool{}
	for _, a := range arrows {
		allowed[[2]string{a.from, a.to}] = true
	}
	used := map[[2]string]bool{}
	for dir, p := range packages(t) {
		for imported, file := range p.imports {
			to, ours := strings.CutPrefix(imported, module+"/")
			used[[2]string{dir, to}] = ours
			if ours && !allowed[[2]string{dir, to}] {
				t.Errorf("%s: %s imports %s, and no arrow allows it", file, dir, to)
			}
		}
	}
	for _, a := range arrows {
		if !used[[2]string{a.from, a.to}] {
			t.Errorf("nothing uses the arrow from %s to %s: take it out", a.from, a.to)
		}
	}
}

// The table itself obeys the rules, so that an arrow cannot be added in passing.
func TestArrowsGoDownOnly(t *testing.T) {
	edges := map[string][]string{}
	for _, a := range arrows {
		name := a.from + " -> " + a.to
		from, to := house[a.from], house[a.to]
		require.Contains(t, house, a.from, name)
		require.Contains(t, house, a.to, name)
		require.NotEmpty(t, a.why, name)
		require.GreaterOrEqual(t, from, to, "%s goes up", name)
		require.False(t, from == engine && to != word, "%s: an engine knows words only, neither another engine nor an adapter", name)
		require.NotEqual(t, emulator, from, "%s: an emulator imports nothing of ours, not even the client it imitates", name)
		require.False(t, to == emulator && from != command, "%s: an emulator is for tests and for commands", name)
		require.NotEqual(t, suite, to, "%s: a suite is for tests", name)
		require.False(t, a.to == "config" && from != daemon && a.from != "cmd/twiliosf" && a.from != "cmd/internal/bench", "%s: only the daemon and its commands know the configuration", name)
		require.False(t, vendor(a.from) != "" && vendor(a.to) != "" && vendor(a.from) != vendor(a.to), "%s: the vendors meet in the daemon and nowhere else", name)
		edges[a.from] = append(edges[a.from], a.to)
	}
	for from := range edges {
		require.NotContains(t, reach(edges, from), from, "%s imports itself in a circle", from)
	}
}

// vendor is the side on which a package stands, "" for neither.
func vendor(dir string) string {
	if side, _, _ := strings.Cut(dir, "/"); side == "twilio" || side == "salesforce" {
		return side
	}
	return ""
}

// reach is everything that can be reached from a package, itself only by a circle.
func reach(edges map[string][]string, from string) []string {
	seen := map[string]bool{}
	var walk func(string)
	walk = func(at string) {
		for _, to := range edges[at] {
			if !seen[to] {
				seen[to] = true
				walk(to)
			}
		}
	}
	walk(from)
	return slices.Sorted(maps.Keys(seen))
}

func TestVendorsAndDriversStayBehindTheirWalls(t *testing.T) {
	found := packages(t)
	for dir, p := range found {
		for imported, file := range p.imports {
			for library, owner := range owners {
				if partOf(imported, library) && !slices.Contains(owner.by, dir) {
					t.Errorf("%s imports %s, which only %s may: %s", file, imported, strings.Join(owner.by, ", "), owner.why)
				}
			}
		}
	}
	for library, owner := range owners {
		for _, dir := range owner.by {
			if p := found[dir]; p == nil || !p.uses(library) {
				t.Errorf("%s does not use %s: take it out of its owners", dir, library)
			}
		}
	}
}

// uses says whether a package imports a library or a part of it.
func (p *goPackage) uses(library string) bool {
	for imported := range p.imports {
		if partOf(imported, library) {
			return true
		}
	}
	return false
}

// partOf says whether an import path is a library's or lies below it.
func partOf(imported, library string) bool {
	return imported == library || strings.HasPrefix(imported, library+"/")
}

const (
	maxLines     = 300
	maxTestLines = 800
)

// larger are the files that may be longer than the rest, and why.
var larger = map[string]struct {
	lines int
	why   string
}{}

func TestFilesStaySmallEnoughToBeRead(t *testing.T) {
	for _, file := range goFiles(t) {
		limit := maxLines
		if strings.HasSuffix(file, "_test.go") {
			limit = maxTestLines
		}
		limit = cmp.Or(larger[file].lines, limit)
		if n := lines(t, file); n > limit {
			t.Errorf("%s has %d lines; %d are allowed: split it by concern", file, n, limit)
		}
	}
	for file, l := range larger {
		require.FileExists(t, file, "larger names a file that is not there")
		require.NotEmpty(t, l.why, file)
	}
}

func lines(t *testing.T, file string) int {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // it was only read
	n := 0
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		n++
	}
	require.NoError(t, s.Err())
	return n
}
