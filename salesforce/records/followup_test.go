package records_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

// changed is the shipped schema with its files changed.
func changed(t *testing.T, change ...func(string) string) fs.FS {
	t.Helper()
	all := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(metadata.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(metadata.FS, p)
		all[p] = &fstest.MapFile{Data: raw}
		return err
	}))
	for _, f := range all {
		for _, c := range change {
			f.Data = []byte(c(string(f.Data)))
		}
	}
	return all
}

// orgWithFollowUps is an emulated org with the shipped schema, and a client of it.
func orgWithFollowUps(t *testing.T, change ...func(string) string) (*salesforcetest.Server, *salesforce.Org) {
	t.Helper()
	server := salesforcetest.NewServer(salesforcetest.Options{Schema: changed(t, change...)})
	t.Cleanup(server.Close)
	org, err := salesforce.New(salesforce.Options{
		LoginURL: server.URL, HTTP: server.Client().Transport,
		Auth: salesforce.ClientCredentials{ClientID: salesforcetest.DefaultConsumerKey, ClientSecret: salesforcetest.DefaultConsumerSecret},
	})
	require.NoError(t, err)
	return server, org
}
