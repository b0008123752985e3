package salesforce_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func TestAListViewIsReadAsSOQL(t *testing.T) {
	s := newEmulator()
	org := orgAt(t, s)
	const soql = "SELECT name, id FROM Lead WHERE City = 'x' ORDER BY Name ASC NULLS FIRST"
	id, err := s.AddListView(salesforcetest.ListView{Object: "Lead", Name: "Some", Query: soql, Scope: "everything"})
	require.NoError(t, err)
	v, err := org.ListView(t.Context(), "Lead", id)
	require.NoError(t, err)
	require.Equal(t, salesforce.ListView{Object: "Lead", Query: soql, Scope: "everything"}, v)
	empty, err := s.AddListView(salesforcetest.ListView{Object: "Lead", Name: "Empty"})
	require.NoError(t, err)
	_, err = org.ListView(t.Context(), "Lead", empty)
	require.Equal(t, salesforce.CodeUnreadable, fault.CodeOf(err))
	_, err = org.ListView(t.Context(), "Lead", "00B000000000099AAA")
	require.Equal(t, salesforce.CodeNotFound, fault.CodeOf(err))
	s.ResetCalls()
	_, err = org.ListView(t.Context(), "Lead/../Contact", id)
	require.Equal(t, fault.Permanent, fault.ClassOf(err))
	require.Zero(t, s.Calls().Total)
}
