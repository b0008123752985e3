package salesforce_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/store"
)

// What a child is told: where its org is, in which directory its store and its
// diary are, at which moment it kills itself, and how many records it writes.
const (
	bulkOrg  = "TWILIOSF_TEST_BULK_ORG"
	bulkDir  = "TWILIOSF_TEST_BULK_DIR"
	bulkEnd  = "TWILIOSF_TEST_BULK_END"
	bulkRows = "TWILIOSF_BULK_ROWS"
)

// fewBulkRows is how many records are written in a run of all tests;
// TWILIOSF_BULK_ROWS asks for more.
const fewBulkRows = 6000

const bulkBody = "a text, \"quoted\"\r\nof lines"

// bulkMoments are when the children kill themselves, one after another.
var bulkMoments = []string{
	"made",      // the job is there, and it is not kept yet
	"uploading", // half of the data has left
	"uploaded",  // all of it has, and nobody knows
	"closing",   // that it has is kept, and the job does not run yet
	"closed",    // it runs, and nobody knows
	"running",   // it has been asked how far it is, and records are being written
	"reading",   // a part of the outcomes has come
	"dropping",  // all of them have been settled
}

// bulkChild writes records until it kills itself or is done.
func bulkChild(url string) int {
	ctx := context.Background()
	if err := bulkLife(ctx, url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func bulkLife(ctx context.Context, url string) error {
	dir := os.Getenv(bulkDir)
	rows, err := strconv.Atoi(os.Getenv(bulkRows))
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{URL: "sqlite://" + filepath.Join(dir, "twiliosf.db"), Version: "test"})
	if err != nil {
		return err
	}
	org, err := salesforce.New(salesforce.Options{
		LoginURL: url, HTTP: &deadly{next: http.DefaultTransport, at: os.Getenv(bulkEnd)},
		Auth: salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret},
	})
	if err != nil {
		return err
	}
	diary, err := os.OpenFile(filepath.Join(dir, "outcomes"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = org.RunIngest(ctx, st.BulkJobs(), noteIngest(rows, bulkBody), func(batch []salesforce.BulkOutcome) error {
		var b strings.Builder
		for _, o := range batch {
			if o.Err != nil {
				return o.Err
			}
			fmt.Fprintln(&b, o.Key, o.ID)
		}
		_, err := diary.WriteString(b.String())
		return errors.Join(err, diary.Sync())
	})
	return errors.Join(err, diary.Close(), st.Close())
}

// deadly kills its process at a moment of a job's life.
type deadly struct {
	next http.RoundTripper
	at   string
	put  bool // the data has left
}

func (d *deadly) RoundTrip(req *http.Request) (*http.Response, error) {
	const jobs = "/jobs/ingest"
	method, path := req.Method, req.URL.Path
	last := path[strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1:]
	if !strings.Contains(path, jobs) {
		return d.next.RoundTrip(req)
	}
	switch {
	case d.at == "uploading" && method == http.MethodPut:
		req = req.Clone(req.Context())
		req.GetBody = nil
		req.Body = &fuse{from: req.Body, left: req.ContentLength / 2}
	case d.at == "closing" && method == http.MethodPatch && d.put, d.at == "dropping" && method == http.MethodDelete:
		kill()
	}
	resp, err := d.next.RoundTrip(req)
	d.put = d.put || method == http.MethodPut
	switch {
	case err != nil:
	case d.at == "made" && method == http.MethodPost, d.at == "uploaded" && method == http.MethodPut, d.at == "closed" && method == http.MethodPatch:
		kill()
	case d.at == "running" && method == http.MethodGet:
		kill()
	case d.at == "reading" && last == "successfulResults/":
		resp.Body = &fuse{from: resp.Body, left: 100_000}
	}
	return resp, err
}

// fuse ends the process once so many bytes have gone through.
type fuse struct {
	from io.ReadCloser
	left int64
}

func (f *fuse) Read(p []byte) (int, error) {
	if f.left <= 0 {
		kill()
	}
	n, err := f.from.Read(p[:min(int64(len(p)), max(f.left, 1))])
	f.left -= int64(n)
	return n, err
}

func (f *fuse) Close() error { return f.from.Close() }

func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way
}

// A job whose process is killed at each of its states goes on in the next process:
// no record is uploaded to a second job that runs, and each outcome is told.
func TestABulkJobOutlivesAKillAtEachOfItsStates(t *testing.T) {
	rows := fewBulkRows
	if text := os.Getenv(bulkRows); text != "" {
		var err error
		rows, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	s := newEmulator(func(o *salesforcetest.Options) { o.BulkDelay, o.BulkBatchRows = 3*time.Second, max(rows/12, 1) })
	require.NoError(t, s.Listen("127.0.0.1:0"))
	t.Cleanup(s.Close)
	dir := t.TempDir()
	for _, moment := range append(bulkMoments, "") {
		if moment == "running" {
			require.Eventually(t, func() bool { return s.Ingests()["InProgress"] == 1 }, time.Minute, 10*time.Millisecond)
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), bulkOrg+"="+s.URL, bulkDir+"="+dir, bulkEnd+"="+moment, bulkRows+"="+strconv.Itoa(rows))
		out, err := cmd.CombinedOutput()
		cancel()
		t.Logf("%5.1fs %-9s jobs %v", time.Since(began).Seconds(), moment, s.Ingests())
		if moment == "" {
			require.NoError(t, err, "%s", out)
			continue
		}
		exit, isExit := errors.AsType[*exec.ExitError](err)
		require.True(t, isExit, "%s: it was not killed: %s", moment, out)
		status, isWait := exit.Sys().(syscall.WaitStatus)
		require.True(t, isWait && status.Signal() == syscall.SIGKILL, "%s: %s", moment, out)
	}
	requireWrittenOnce(t, s, rows, bulkBody)
	told, err := os.ReadFile(filepath.Join(dir, "outcomes"))
	require.NoError(t, err)
	seen := map[string]bool{}
	for line := range strings.Lines(string(told)) {
		seen[line] = true
	}
	require.Len(t, seen, rows)
	require.Equal(t, map[string]int{"Open": 1, "JobComplete": 1}, s.Ingests(),
		"one was made by a process that died before it could keep it, and is empty; one was not dropped")
}
