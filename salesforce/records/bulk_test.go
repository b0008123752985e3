package records_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
	"github.com/twiliosf/twiliosf/sync/store"
)

func bookOf(t *testing.T) store.BulkJobs {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "b.db"), Version: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s.BulkJobs()
}

// inBulk is the other way of the same writer.
func inBulk(t *testing.T, s *salesforcetest.Server, w *records.Messages) *records.Bulk {
	t.Helper()
	return w.Bulk(orgOf(t, s), bookOf(t))
}

// told is a row without what the org itself adds.
func told(row map[string]any) map[string]any {
	row = maps.Clone(row)
	for _, name := range []string{"Id", "Name", "CreatedDate", "LastModifiedDate", "SystemModstamp"} {
		delete(row, name)
	}
	return row
}

func TestAJobWritesWhatACallWrites(t *testing.T) {
	byCall, calls := emulated(t)
	byJob, jobs := emulated(t)
	random := rand.New(rand.NewPCG(3, 4))
	bodies := []string{"", " ", "\n both ends \t", "nul\x00\x00", "broken\xff\xc3", "line\u2028break", "\"quotes\"\r\n, 'and' \\", strings.Repeat("😀", 800), "a\r\nb\rc\nd", "null", "=1"}
	batch := numbered(180)
	for i := range batch {
		raw := make([]byte, random.IntN(60))
		for j := range raw {
			raw[j] = byte(random.Uint32())
		}
		batch[i].Body = string(raw)
		if i < len(bodies) {
			batch[i].Body = bodies[i]
		}
		if i%3 == 0 {
			sid := batch[i].SID
			batch[i] = whole()
			batch[i].SID = sid
		}
	}
	bulk := inBulk(t, byJob, jobs)
	for range 2 { // the second one clears what the first one has written
		outcomes, err := calls.Upsert(t.Context(), plain(batch))
		requireAll(t, outcomes, err)
		outcomes, err = bulk.UpsertMany(t.Context(), plain(batch))
		requireAll(t, outcomes, err)
		for i := range batch {
			require.Equal(t, told(stored(t, byCall, batch[i].SID)), told(stored(t, byJob, batch[i].SID)), i)
			batch[i] = message.Message{SID: batch[i].SID, Direction: batch[i].Direction, Status: batch[i].Status}
		}
	}
	require.Zero(t, byJob.Calls().ByOperation[salesforcetest.OpCollectionsUpsert])
	require.Empty(t, byJob.Ingests())
}

func TestAJobGivesANewRecordWhatUsersOwnAndLeavesThatOfOthers(t *testing.T) {
	s, w := emulated(t)
	contact, another := insert(t, s, "Contact", map[string]any{"LastName": "Ada"}), insert(t, s, "Contact", map[string]any{"LastName": "Bob"})
	owner := insert(t, s, "User", map[string]any{"Username": "o@example.com", "LastName": "O", "Email": "o@example.com", "Alias": "o"})
	batch := numbered(2)
	batch[0].Direction, batch[1].Direction = message.Inbound, message.Inbound
	insert(t, s, object, map[string]any{"Message_SID__c": string(batch[1].SID), "Contact__c": another, "Unread__c": false})
	all := plain(batch)
	all[0].Links = &message.Links{People: []message.Link{{Object: "Contact", ID: contact}, {Object: "House__c", ID: contact}}, Owner: owner}
	outcomes, err := inBulk(t, s, w).UpsertMany(t.Context(), all)
	requireAll(t, outcomes, err)
	made, held := stored(t, s, batch[0].SID), stored(t, s, batch[1].SID)
	for name, want := range map[string]any{"Contact__c": contact, "Unread__c": true, "OwnerId": owner, "Parent_Record_Id__c": contact} {
		require.Equal(t, want, made[name], name)
	}
	require.Equal(t, another, held["Contact__c"])
	require.Equal(t, false, held["Unread__c"])
	require.Equal(t, batch[1].Body, held["Body__c"])
}

func TestWhatAJobCannotDoIsLeftToCalls(t *testing.T) {
	s, w := emulated(t)
	batch := numbered(6)
	batch[1].Body = " #N/A"
	all := plain(batch)
	all[2].ID = insert(t, s, object, map[string]any{"Status__c": "Send"})
	all[3].ID, all[3].Rejected = all[2].ID, true
	all[4].Links = &message.Links{Owner: "005000000000009AAA"}
	s.Script(salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["Body__c"] != "hello 5" {
			return nil
		}
		return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no hello 5"}
	}).Forever())
	outcomes, err := inBulk(t, s, w).UpsertMany(t.Context(), all)
	require.NoError(t, err)
	require.NoError(t, outcomes[0])
	for i := 1; i < 6; i++ {
		require.Error(t, outcomes[i], i)
	}
	require.Equal(t, "FIELD_CUSTOM_VALIDATION_EXCEPTION", fault.CodeOf(outcomes[5]))
	require.Equal(t, 2, s.Count(object), "the draft is as it was")
	outcomes, err = inBulk(t, s, w).UpsertMany(t.Context(), all[2:4])
	require.NoError(t, err)
	require.Len(t, outcomes, 2)
	require.Equal(t, 1, s.Calls().ByOperation[salesforcetest.OpIngestCreate], "nothing to do makes no job")
}

func TestAFieldThatTheOrgHidesEndsTheJobAndTheObjectIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := emulated(t)
		bulk := inBulk(t, s, w)
		outcomes, err := bulk.UpsertMany(t.Context(), plain(numbered(3)))
		requireAll(t, outcomes, err)
		require.NoError(t, s.HideField(object, "Price__c", true))
		_, err = bulk.UpsertMany(t.Context(), plain(numbered(3)))
		require.Equal(t, fault.Auth, fault.ClassOf(err))
		require.ErrorContains(t, err, "Price__c")
		time.Sleep(11 * time.Minute)
		outcomes, err = bulk.UpsertMany(t.Context(), plain(numbered(3)))
		requireAll(t, outcomes, err)
		require.Equal(t, []string{"Price__c"}, w.Missing())
		require.NoError(t, s.HideField(object, "Price__c", false))
	})
}

// P4: whatever a former process has left, after Settle it writes no more.
func TestAfterSettleNothingOfAFormerProcessIsWritten(t *testing.T) {
	for cutAt := range 14 {
		synctest.Test(t, func(t *testing.T) {
			s, w := emulated(t, func(o *salesforcetest.Options) { o.BulkDelay, o.BulkBatchRows, o.BulkAbortLate = time.Minute, 40, true })
			org, book := orgOf(t, s), bookOf(t)
			ctx, stop := context.WithCancel(t.Context())
			var n atomic.Int32
			s.OnRequest(func(r salesforcetest.Request) {
				if strings.HasPrefix(string(r.Operation), "ingest.") {
					if n.Add(1) == int32(cutAt)+1 {
						stop()
					}
				}
			})
			old := numbered(mirror.BatchSize)
			_, err := w.Bulk(org, book).UpsertMany(ctx, plain(old))
			require.Equal(t, ctx.Err() != nil, err != nil)
			s.OnRequest(nil)
			began := time.Now()
			require.NoError(t, w.Bulk(orgOf(t, s), book).Settle(t.Context()))
			require.Less(t, time.Since(began), 2*time.Minute)
			if cutAt > 0 { // that one was made, but not kept: it is empty
				require.Empty(t, s.Ingests(), "cut at %d", cutAt)
			}
			for i := range old {
				old[i].Body = "newer"
			}
			outcomes, err := w.Upsert(t.Context(), plain(old))
			requireAll(t, outcomes, err)
			time.Sleep(30 * time.Minute)
			for row := range s.Rows(object) {
				require.Equal(t, "newer", row["Body__c"], fmt.Sprint("cut at ", cutAt))
			}
			keys, err := book.Under(t.Context(), "mirror")
			require.NoError(t, err)
			require.Empty(t, keys)
		})
	}
}
