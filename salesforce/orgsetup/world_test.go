package orgsetup_test

import (
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	message = "TwilioSF_Message__c"
	dir     = "force-app/main/default/objects/"
)

// setupOf is the setup of an emulated org.
func setupOf(t *testing.T, s *salesforcetest.Server, o orgsetup.Options) *orgsetup.Setup {
	t.Helper()
	org, err := salesforce.New(salesforce.Options{LoginURL: s.URL, HTTP: s.Client().Transport, Auth: salesforce.ClientCredentials{
		ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret,
	}})
	require.NoError(t, err)
	setup, err := orgsetup.New(org, o)
	require.NoError(t, err)
	return setup
}

// changed is our metadata with edits: a path below objects, then what replaces
// what. A replacement of a whole file by "" leaves it out.
func changed(t *testing.T, edits ...string) fstest.MapFS {
	t.Helper()
	tree := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(metadata.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(metadata.FS, path)
		tree[path] = &fstest.MapFile{Data: data}
		return err
	}))
	require.Zero(t, len(edits)%3)
	for ; len(edits) > 0; edits = edits[3:] {
		path := dir + edits[0]
		require.Contains(t, tree, path)
		if edits[1] == "" {
			delete(tree, path)
			continue
		}
		text := string(tree[path].Data)
		require.Contains(t, text, edits[1])
		tree[path] = &fstest.MapFile{Data: []byte(strings.Replace(text, edits[1], edits[2], 1))}
	}
	return tree
}

// field is the file of a message's field.
func field(name string) string { return message + "/fields/" + name + ".field-meta.xml" }

// watcher is somebody at a screen.
type watcher struct {
	mu     sync.Mutex
	said   []string
	asked  []string
	stages []string
	no     bool
}

func (w *watcher) order(o orgsetup.Order) orgsetup.Order {
	o.Screen = orgsetup.Screen{
		Say: func(line string) { w.mu.Lock(); defer w.mu.Unlock(); w.said = append(w.said, line) },
		Ask: func(q string) (bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.asked = append(w.asked, q)
			return !w.no, nil
		},
		Progress: func(stage string, d salesforce.Deployment) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.stages = append(w.stages, stage+" "+d.Status)
		},
	}
	return o
}

// names are the differences by name and kind.
func names(r *orgsetup.Report) map[string]orgsetup.Kind {
	all := map[string]orgsetup.Kind{}
	for i := range r.Differences {
		all[r.Differences[i].Name()] = r.Differences[i].Kind
	}
	return all
}

func diff(t *testing.T, s *orgsetup.Setup) *orgsetup.Report {
	t.Helper()
	r, err := s.Diff(t.Context())
	require.NoError(t, err)
	for _, d := range r.Differences {
		require.NotEmpty(t, d.Says, d.Name())
		require.NotEmpty(t, d.Remedy, d.Name())
		require.NotEmpty(t, d.Cure, d.Name())
	}
	return r
}
