package salesforce_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/fault"
)

func slowBulk(o *salesforcetest.Options) { o.BulkDelay, o.BulkBatchRows = 10*time.Minute, 100 }

// noK17 is a validation rule.
func noK17() salesforcetest.Fault {
	return salesforcetest.Refuse(func(r map[string]any) *salesforcetest.Refusal {
		if r["Key__c"] != "k17" {
			return nil
		}
		return &salesforcetest.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "never a k17"}
	}).Forever()
}

func TestRecordsAreWrittenInPartsAndEachOutcomeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(slowBulk)
		org, book, h := orgAt(t, s), newBook(), &heard{}
		s.Script(noK17())
		in := noteIngest(1000, "one")
		in.MostRows = 300
		require.NoError(t, org.RunIngest(t.Context(), book, in, h.told))
		require.Equal(t, map[string]int{"": 999, "FIELD_CUSTOM_VALIDATION_EXCEPTION": 1}, h.codes())
		require.True(t, h.of("k999").Created)
		require.Contains(t, h.of("k17").Err.Error(), "never a")
		requireWrittenOnce(t, s, 999, "one")
		require.Equal(t, 4, s.Calls().ByOperation[salesforcetest.OpIngestUpload])
		require.Zero(t, book.len())
		require.Empty(t, s.Ingests(), "no bodies are left lying about")

		in = noteIngest(1000, "two")
		in.MostBytes = 5000
		require.NoError(t, org.RunIngest(t.Context(), book, in, h.told))
		require.False(t, h.of("k999").Created)
		require.NotEmpty(t, h.of("k999").ID)
		require.Greater(t, s.Calls().ByOperation[salesforcetest.OpIngestUpload], 6)
	})
}

// bodies that CSV is known to lose, or to take for something else.
var bodies = []string{
	"", "plain", "\"", "\"\"", "\"quoted\"", "a \"quoted\" word", ",", "a,b", ";", "\t", "a\nb", "a\rb", "a\r\nb", "a\r\r\n\n\rb", "a\r\n\r\nb",
	"x\"\r\n\"y", "\",\"\n\",\"", " leading", "trailing ", "\r\nbetween\r\n", "#N/A", " #N/A ", "#N/A and more", "null", "NULL", "=1+1", "'", "\\", "\\n", "\\\"",
	"a\x00b", "a\xffb", "é", "日本語", "😀👩‍👩‍👧", "\u2028line", "\u202eright", "\ufeffbom", "\u00a0", strings.Repeat("32k\r\n\"", 5461), strings.Repeat("😀", 16384),
}

// stored is a text as an org holds it.
func stored(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	return strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
}

func TestWhateverABodyHoldsIsEqualOnBothSides(t *testing.T) {
	s := newEmulator()
	org, book, h := orgAt(t, s), newBook(), &heard{}
	in := &salesforce.Ingest{
		Key: "torture", Columns: []string{"Long__c", "Key__c", "Text__c"},
		Job: salesforce.BulkJob{Object: "Note__c", Operation: salesforce.BulkUpsert, KeyField: "Key__c"},
		Rows: func(yield func([]salesforce.BulkValue, error) bool) {
			for i, body := range bodies {
				if !yield([]salesforce.BulkValue{salesforce.BulkText(body), salesforce.BulkText(fmt.Sprintf("k%d", i)), {}}, nil) {
					return
				}
			}
		},
	}
	for i := range bodies { // each holds something before
		_, err := s.Insert("Note__c", map[string]any{"Key__c": fmt.Sprintf("k%d", i), "Long__c": "before", "Text__c": "kept"})
		require.NoError(t, err)
	}
	require.NoError(t, org.RunIngest(t.Context(), book, in, h.told))
	id, err := org.StartBulkQuery(t.Context(), "SELECT Key__c, Long__c, Text__c FROM Note__c", false)
	require.NoError(t, err)
	read := map[string]string{}
	_, err = org.BulkQueryRows(t.Context(), id, "", 0, func(r map[string]string) error {
		read[r["Key__c"]] = r["Long__c"]
		require.Equal(t, "kept", r["Text__c"], "an empty value leaves a field as it is")
		return nil
	})
	require.NoError(t, err)
	for i, body := range bodies {
		key := fmt.Sprintf("k%d", i)
		held := s.ByKey("Note__c", "Key__c", key)[0]["Long__c"]
		if strings.TrimSpace(body) == "#N/A" {
			require.Equal(t, salesforce.CodeNotBulk, h.of(key).Err.Code)
			require.Equal(t, "before", held)
			continue
		}
		require.Nil(t, h.of(key).Err, "%.40q", body)
		require.Equal(t, stored(body), read[key], "%.40q", body)
		if held == nil {
			held = ""
		}
		require.Equal(t, held, read[key], "%.40q", body)
	}
	require.Equal(t, map[string]int{"": len(bodies) - 2, salesforce.CodeNotBulk: 2}, h.codes())
}

// A process that dies at any request, before the org saw it or before its answer
// came, is followed by one that goes on.
func TestWhateverRequestAProcessDiesAtNoRecordIsWrittenTwice(t *testing.T) {
	const rows = 30
	died := map[string]bool{}
	for _, answer := range []bool{false, true} {
		for n := 1; ; n++ {
			over := false
			synctest.Test(t, func(t *testing.T) {
				s := newEmulator(slowBulk)
				book, h := newBook(), &heard{}
				s.Script(salesforcetest.LockRows(func(r map[string]any) bool { return r["Key__c"] == "k3" || r["Key__c"] == "k4" }))
				in := noteIngest(rows, "one")
				in.MostRows = 20
				ctx, die := context.WithCancelCause(t.Context())
				m := &mortal{next: s.Client().Transport, die: die, answer: answer, left: n}
				first := orgAt(t, s, func(o *salesforce.Options) { o.HTTP = m })
				err := first.RunIngest(ctx, book, in, h.told)
				if over = err == nil; !over {
					died[m.diedAt()] = true
					require.ErrorIs(t, context.Cause(ctx), errDead, "%v", err)
					second := orgAt(t, s)
					require.NoError(t, second.RunIngest(t.Context(), book, in, h.told), "request %d, answered %t", n, answer)
				}
				require.Equal(t, map[string]int{"": rows}, h.codes(), "request %d, answered %t", n, answer)
				requireWrittenOnce(t, s, rows, "one")
				require.Zero(t, book.len())
			})
			if over {
				require.Greater(t, n, 20)
				break
			}
		}
	}
	require.GreaterOrEqual(t, len(died), 8, "%v", died)
}

// dying is a book of a process that dies at its nth entry, before it is durable or
// behind it.
type dying struct {
	*memoryBook
	left  int
	after bool
}

func (d *dying) Keep(ctx context.Context, key, id, stage string) error {
	d.left--
	if d.left > 0 {
		return d.memoryBook.Keep(ctx, key, id, stage)
	}
	if d.left == 0 && d.after {
		_ = d.memoryBook.Keep(ctx, key, id, stage)
	}
	return errDead
}

func TestWhateverEntryAProcessDiesAtNoRecordIsWrittenTwice(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			over := false
			synctest.Test(t, func(t *testing.T) {
				s := newEmulator(slowBulk)
				book, h := newBook(), &heard{}
				in := noteIngest(30, "one")
				in.MostRows = 20
				err := orgAt(t, s).RunIngest(t.Context(), &dying{book, n, after}, in, h.told)
				if over = err == nil; !over {
					require.ErrorIs(t, err, errDead)
					require.NoError(t, orgAt(t, s).RunIngest(t.Context(), book, in, h.told))
				}
				require.Equal(t, map[string]int{"": 30}, h.codes())
				requireWrittenOnce(t, s, 30, "one")
			})
			if over {
				require.Equal(t, 7, n, "three entries a job")
				break
			}
		}
	}
}

func TestTroubleOnTheWayIsLivedThrough(t *testing.T) {
	create, upload, state, change := salesforcetest.OpIngestCreate, salesforcetest.OpIngestUpload, salesforcetest.OpIngestState, salesforcetest.OpIngestChange
	good, bad := salesforcetest.OpIngestSuccesses, salesforcetest.OpIngestFailures
	for name, trouble := range map[string][]salesforcetest.Fault{
		"the connection": {
			salesforcetest.ResetAfter().On(create), salesforcetest.ResetAfter().On(change), salesforcetest.ResetBefore().On(change),
			salesforcetest.TruncatedJSON().On(state), salesforcetest.TruncatedJSON().On(good).Times(2), salesforcetest.ResetBefore().On(bad),
			salesforcetest.ResetAfter().On(salesforcetest.OpIngestDelete),
		},
		"the server": {
			salesforcetest.ServerUnavailable().On(create), salesforcetest.MaintenancePage().On(state), salesforcetest.Garbage().On(good),
			salesforcetest.UnknownException().On(change), salesforcetest.ConcurrentLimit().On(bad),
		},
		"the session": {
			salesforcetest.RevokedSessions().On(upload), salesforcetest.RevokedSessions().On(change),
			salesforcetest.RevokedSessions().On(state), salesforcetest.RevokedSessions().On(good),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newEmulator(slowBulk)
				h := &heard{}
				s.Script(trouble...)
				s.Script(noK17())
				require.NoError(t, orgAt(t, s).RunIngest(t.Context(), newBook(), noteIngest(300, "one"), h.told))
				require.Equal(t, map[string]int{"": 299, "FIELD_CUSTOM_VALIDATION_EXCEPTION": 1}, h.codes())
				require.Equal(t, 300, h.n, "once, although files broke off")
				requireWrittenOnce(t, s, 299, "one")
				require.Zero(t, s.Pending(), "every trouble came")
			})
		})
	}
}

func TestAnUploadWhoseAnswerIsLostIsMadeInAnotherJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(slowBulk)
		org, book, h := orgAt(t, s), newBook(), &heard{}
		s.Script(salesforcetest.ResetAfter().On(salesforcetest.OpIngestUpload))
		in := noteIngest(10, "one")
		require.Equal(t, fault.Uncertain, fault.ClassOf(org.RunIngest(t.Context(), book, in, h.told)))
		require.Equal(t, map[string]int{"Open": 1}, s.Ingests(), "it has its data, and does not run")
		require.NoError(t, org.RunIngest(t.Context(), book, in, h.told))
		requireWrittenOnce(t, s, 10, "one")
		require.Empty(t, s.Ingests())
	})
}

func TestRecordsThatMeetLocksAreWrittenAgainInSmallerJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(slowBulk)
		org, book, h := orgAt(t, s), newBook(), &heard{}
		// The first job meets locks everywhere, the smaller ones on one record only.
		s.Script(salesforcetest.LockRows(nil).Times(1),
			salesforcetest.LockRows(func(r map[string]any) bool { return r["Key__c"] == "k7" }).Forever())
		require.NoError(t, org.RunIngest(t.Context(), book, noteIngest(100, "one"), h.told))
		require.Equal(t, map[string]int{"": 99, salesforce.CodeLockedRow: 1}, h.codes())
		require.Equal(t, fault.Transient, class(h.of("k7")))
		requireWrittenOnce(t, s, 99, "one")
		require.Equal(t, 1+4+1, s.Calls().ByOperation[salesforcetest.OpIngestCreate], "one, four quarters, and the last by itself")
		require.Zero(t, book.len())
	})
}

func TestAJobThatFailsOfLocksIsWrittenAgainInSmallerOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(slowBulk)
		h := &heard{}
		s.FailIngests(20, "TooManyLockFailure : Too many lock failure 10 Trying again later.")
		require.NoError(t, orgAt(t, s).RunIngest(t.Context(), newBook(), noteIngest(100, "one"), h.told))
		require.Equal(t, map[string]int{"": 100}, h.codes())
		requireWrittenOnce(t, s, 100, "one")
		require.Equal(t, 1+4, s.Calls().ByOperation[salesforcetest.OpIngestCreate])
	})
}

func TestAJobThatIsAbortedIsToldWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(slowBulk, func(o *salesforcetest.Options) { o.BulkBatchRows, o.BulkAbortLate = 400, true })
		h := &heard{}
		// One batch has been written, and one is being written for a minute and a half more.
		time.AfterFunc(6*time.Minute+50*time.Second, s.AbortIngests)
		require.NoError(t, orgAt(t, s).RunIngest(t.Context(), newBook(), noteIngest(1000, "one"), h.told))
		require.Equal(t, map[string]int{"": 800, salesforce.CodeJobAborted: 200}, h.codes())
		time.Sleep(time.Hour)
		require.Equal(t, 800, s.Count("Note__c"), "what was told as not written is not written later")
		last := h.of("k999")
		require.Equal(t, fault.Transient, class(last))
		require.Contains(t, last.Err.Hint, "Setup")
	})
}

func TestWhatAJobHasNotComeToMayBeWrittenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for reason, want := range map[string]fault.Class{
			"InternalServerError : retried 20 times": fault.Transient, "ExceededQuota : ApiBatchItems Limit exceeded.": fault.Throttled,
		} {
			s := newEmulator()
			h := &heard{}
			s.FailIngests(3, reason)
			require.NoError(t, orgAt(t, s).RunIngest(t.Context(), newBook(), noteIngest(10, "one"), h.told))
			require.Equal(t, 3, h.codes()[""])
			require.Equal(t, want, class(h.of("k9")), reason)
			require.NotEmpty(t, h.of("k9").Err.Hint)
		}
	})
}

func TestAFieldThatTheOrgLacksIsTheRunsFaultAndNoRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(slowBulk)
		org, book, h := orgAt(t, s), newBook(), &heard{}
		require.NoError(t, s.HideField("Note__c", "Text__c", true))
		err := org.RunIngest(t.Context(), book, noteIngest(10, "one"), h.told)
		require.Equal(t, fault.Auth, fault.ClassOf(err))
		require.ErrorContains(t, err, "Text__c")
		require.Empty(t, h.codes())
		require.NoError(t, s.HideField("Note__c", "Text__c", false))
		require.NoError(t, org.RunIngest(t.Context(), book, noteIngest(10, "one"), h.told))
		requireWrittenOnce(t, s, 10, "one")
	})
}

func TestAJobThatIsGoneIsBegunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(slowBulk)
		book, h := newBook(), &heard{}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		require.Error(t, orgAt(t, s).RunIngest(ctx, book, noteIngest(10, "one"), h.told))
		time.Sleep(8 * 24 * time.Hour)
		org := orgAt(t, s)
		err := org.RunIngest(t.Context(), book, noteIngest(10, "one"), h.told)
		require.Equal(t, fault.Transient, fault.ClassOf(err))
		require.NoError(t, org.RunIngest(t.Context(), book, noteIngest(10, "one"), h.told))
		require.Equal(t, map[string]int{"": 10}, h.codes(), "an upsert of the same is harmless")
	})
}

func TestAJobOfTwoUploadsIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newEmulator(slowBulk)
		org, book, h := orgAt(t, s), newBook(), &heard{}
		in := noteIngest(10, "one")
		s.Script(salesforcetest.Answer(400, "application/json", `[{"errorCode":"INVALIDJOB","message":"Found multiple contents for job"}]`).On(salesforcetest.OpIngestChange))
		require.Equal(t, fault.Transient, fault.ClassOf(org.RunIngest(t.Context(), book, in, h.told)))
		require.NoError(t, org.RunIngest(t.Context(), book, in, h.told))
		requireWrittenOnce(t, s, 10, "one")
	})
}

func TestRecordsAreDeletedInBulk(t *testing.T) {
	s := newEmulator(func(o *salesforcetest.Options) { o.BulkHardDelete = true })
	org, h := orgAt(t, s), &heard{}
	require.NoError(t, org.RunIngest(t.Context(), newBook(), noteIngest(30, "one"), h.told))
	var ids []string
	for row := range s.Rows("Note__c") {
		ids = append(ids, row["Id"].(string))
	}
	for i, operation := range []salesforce.BulkOperation{salesforce.BulkDelete, salesforce.BulkHardDelete} {
		some := ids[i*15 : i*15+15]
		in := &salesforce.Ingest{
			Key: "delete", Columns: []string{"Id"}, Job: salesforce.BulkJob{Object: "Note__c", Operation: operation},
			Rows: func(yield func([]salesforce.BulkValue, error) bool) {
				for _, id := range append(slices.Clone(some), "a00Hn0000999999") {
					if !yield([]salesforce.BulkValue{salesforce.BulkText(id)}, nil) {
						return
					}
				}
			},
		}
		h = &heard{}
		require.NoError(t, org.RunIngest(t.Context(), newBook(), in, h.told))
		require.Equal(t, map[string]int{"": 15, "INVALID_CROSS_REFERENCE_KEY": 1}, h.codes())
	}
	require.Zero(t, s.Count("Note__c"))
}

func TestAnIngestThatCannotBeRightIsRefusedAtOnce(t *testing.T) {
	s := newEmulator()
	org, h := orgAt(t, s), &heard{}
	row := func(key, text string) []salesforce.BulkValue {
		return []salesforce.BulkValue{salesforce.BulkText(key), salesforce.BulkText(text)}
	}
	broken := errors.New("the disk is gone")
	for what, change := range map[string]func(*salesforce.Ingest){
		"no key column":  func(in *salesforce.Ingest) { in.Columns = []string{"Text__c", "Long__c"} },
		"no key":         func(in *salesforce.Ingest) { in.Key = "" },
		"a column twice": func(in *salesforce.Ingest) { in.Columns = []string{"Key__c", "key__c"} },
		"a row too short": func(in *salesforce.Ingest) {
			in.Rows = func(yield func([]salesforce.BulkValue, error) bool) { yield(row("a", "b")[:1], nil) }
		},
		"a row without key": func(in *salesforce.Ingest) {
			in.Rows = func(yield func([]salesforce.BulkValue, error) bool) { yield(row("", "b"), nil) }
		},
		"a key twice": func(in *salesforce.Ingest) {
			in.Rows = func(yield func([]salesforce.BulkValue, error) bool) {
				_ = yield(row("a", "b"), nil) && yield(row("a", "c"), nil)
			}
		},
		"rows that cannot be read": func(in *salesforce.Ingest) {
			in.Rows = func(yield func([]salesforce.BulkValue, error) bool) {
				_ = yield(row("a", "b"), nil) && yield(nil, broken)
			}
		},
	} {
		in := noteIngest(3, "one")
		change(in)
		err := org.RunIngest(t.Context(), newBook(), in, h.told)
		require.Error(t, err, what)
		if !errors.Is(err, broken) {
			require.Equal(t, fault.Permanent, fault.ClassOf(err), what)
		}
	}
	require.Zero(t, s.Calls().ByOperation[salesforcetest.OpIngestCreate])
	require.NoError(t, org.RunIngest(t.Context(), newBook(), noteIngest(0, ""), h.told), "nothing to do costs nothing")
	require.Zero(t, s.Calls().Total)
	deaf := errors.New("nobody listens")
	require.ErrorIs(t, org.RunIngest(t.Context(), newBook(), noteIngest(3, "x"), func([]salesforce.BulkOutcome) error { return deaf }), deaf)
}
