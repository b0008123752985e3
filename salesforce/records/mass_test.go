package records_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// inJobs lets the office write many records by jobs.
func (f *office) inJobs(from int) {
	f.t.Helper()
	f.campaigns = records.NewCampaigns(f.org, newMessages(f.t, f.org), records.CampaignOptions{Mass: records.NewBulkMass(f.org, bookOf(f.t)), MassFrom: from})
}

// leftOut are people who are left out of a campaign, each linked to themselves.
func (f *office) leftOut(n int) []campaign.Unsent {
	f.t.Helper()
	spring := insert(f.t, f.s, bulk, map[string]any{"Status__c": "Sending"})
	rows := make([]map[string]any, n)
	for i := range rows {
		rows[i] = map[string]any{"LastName": fmt.Sprint("Ada ", i)}
	}
	ids, err := f.s.Load("Contact", rows)
	require.NoError(f.t, err)
	all := make([]campaign.Unsent, n)
	for i := range all {
		all[i] = unsent(i, func(u *campaign.Unsent) { u.Campaign, u.Person = spring, contactLink(ids[i]) })
		switch i % 4 {
		case 1:
			all[i].To, all[i].ErrorCode = "", 21211
		case 2:
			all[i].Body = "two\r\nlines, \"quoted\"\t"
		case 3:
			all[i].Service, all[i].Person = "MG1", message.Link{Object: "User", ID: "005000000000001AAA"}
		}
	}
	return all
}

func TestTheRecordsOfFiveThousandLeftOutTakeAHandfulOfCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, byCalls := newOffice(t), newOffice(t)
		f.inJobs(2000)
		all, same := f.leftOut(5000), byCalls.leftOut(5000)
		f.s.ResetCalls()
		byCalls.s.ResetCalls()
		require.Equal(t, make([]error, len(all)), f.record(all...))
		calls := f.s.Calls()
		require.Zero(t, calls.ByOperation[salesforcetest.OpCollectionsUpsert])
		require.LessOrEqual(t, calls.Total, 12)
		require.Equal(t, make([]error, len(same)), byCalls.record(same...))
		require.GreaterOrEqual(t, byCalls.s.Calls().Total, 25)
		require.Empty(t, f.s.Ingests(), "no job is left behind")
		t.Logf("%d calls by a job, %d by collections", calls.Total, byCalls.s.Calls().Total)
		for i := range all {
			job, call := told(f.keyed(all[i].Key)), told(byCalls.keyed(same[i].Key))
			for _, row := range []map[string]any{job, call} {
				maps.DeleteFunc(row, func(name string, _ any) bool { return strings.HasSuffix(name, "Date") })
			}
			require.Equal(t, call, job, i)
		}
	})
}

func TestWhatAJobRefusesIsWrittenByCallsWhichSayWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOffice(t)
		f.inJobs(100)
		all := f.leftOut(120)
		require.NoError(t, f.s.Delete("Contact", all[4].Person.ID))
		all[6].Body = " #N/A" // no job can carry that
		f.s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
			if r["Body__c"] == "Hi 8" {
				return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Not Hi 8"}
			}
			return nil
		}).Forever())
		outcomes := f.record(all...)
		for i, err := range outcomes {
			if i == 8 {
				require.Equal(t, fault.Permanent, fault.ClassOf(err))
				require.NotEmpty(t, fault.Hint(err))
				require.NotContains(t, err.Error(), "Hi 8")
				continue
			}
			require.NoError(t, err, i)
		}
		require.Equal(t, 119, f.s.Count(object))
		require.Nil(t, f.keyed(all[4].Key)["Contact__c"])
		require.Equal(t, "#N/A", strings.TrimSpace(fmt.Sprint(f.keyed(all[6].Key)["Body__c"])))
	})
}

func TestAnOrgWithoutJobsTakesTheRecordsInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOffice(t)
		f.inJobs(100)
		all := f.leftOut(300)
		f.s.Script(salesforcetest.Answer(403, "application/json", `[{"errorCode":"API_DISABLED_FOR_ORG","message":"Bulk API is off."}]`).On(salesforcetest.OpIngestCreate).Forever())
		require.Equal(t, make([]error, len(all)), f.record(all...))
		require.Equal(t, 300, f.s.Count(object))
	})
}

// A job of a process that died is ended before the same is written again, and two
// campaigns wait for each other.
func TestAJobThatWasLeftBehindWritesNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOffice(t)
		f.inJobs(100)
		all := f.leftOut(300)
		ctx, cancel := context.WithCancel(t.Context())
		var once bool
		f.s.OnRequest(func(r salesforcetest.Request) {
			if r.Operation == salesforcetest.OpIngestUpload && !once {
				once = true
				cancel()
			}
		})
		_, err := f.campaigns.Record(ctx, all[:150])
		require.Error(t, err)
		f.s.OnRequest(nil)
		done := make(chan error, 2)
		for _, some := range [][]campaign.Unsent{all[:150], all[150:]} {
			go func() {
				outcomes, err := f.campaigns.Record(t.Context(), some)
				for _, o := range outcomes {
					if err == nil {
						err = o
					}
				}
				done <- err
			}()
		}
		require.NoError(t, <-done)
		require.NoError(t, <-done)
		time.Sleep(time.Hour)
		require.Equal(t, 300, f.s.Count(object))
		require.Empty(t, f.s.Ingests(), "no job is left behind")
	})
}
