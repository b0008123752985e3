package salesforcetest

import (
	"net/http"
	"time"
)

// Operation names one kind of request, for faults, latency and counting.
type Operation string

// The operations of the org. Reads by external id count as OpRowGet, deletes as
// OpRowDelete.
const (
	OpToken             Operation = "token"
	OpSOAP              Operation = "soap"
	OpIntrospect        Operation = "introspect"
	OpRevoke            Operation = "revoke"
	OpIdentity          Operation = "identity"
	OpVersions          Operation = "versions"
	OpResources         Operation = "resources"
	OpLimits            Operation = "limits"
	OpRecordCount       Operation = "recordCount"
	OpGlobalDescribe    Operation = "globalDescribe"
	OpDescribe          Operation = "describe"
	OpObjectInfo        Operation = "objectInfo"
	OpListView          Operation = "listView"
	OpUpdated           Operation = "updated"
	OpDeleted           Operation = "deleted"
	OpRowGet            Operation = "row.get"
	OpRowCreate         Operation = "row.create"
	OpRowUpdate         Operation = "row.update"
	OpRowUpsert         Operation = "row.upsert"
	OpRowDelete         Operation = "row.delete"
	OpQuery             Operation = "query"
	OpQueryAll          Operation = "queryAll"
	OpQueryMore         Operation = "queryMore"
	OpComposite         Operation = "composite"
	OpBatch             Operation = "composite.batch"
	OpCollectionsCreate Operation = "collections.create"
	OpCollectionsUpdate Operation = "collections.update"
	OpCollectionsUpsert Operation = "collections.upsert"
	OpCollectionsDelete Operation = "collections.delete"
	OpCollectionsRead   Operation = "collections.read"
	OpBulkCreate        Operation = "bulk.create"
	OpBulkList          Operation = "bulk.list"
	OpBulkState         Operation = "bulk.state"
	OpBulkResults       Operation = "bulk.results"
	OpBulkAbort         Operation = "bulk.abort"
	OpBulkDelete        Operation = "bulk.delete"
	OpIngestCreate      Operation = "ingest.create"
	OpIngestList        Operation = "ingest.list"
	OpIngestUpload      Operation = "ingest.upload"
	OpIngestState       Operation = "ingest.state"
	OpIngestChange      Operation = "ingest.change" // closed or aborted
	OpIngestSuccesses   Operation = "ingest.successes"
	OpIngestFailures    Operation = "ingest.failures"
	OpIngestUnprocessed Operation = "ingest.unprocessed"
	OpIngestDelete      Operation = "ingest.delete"
	// OpIngestRun is no request: the org writes at most 200 records of a job. Only
	// faults of rows meet it.
	OpIngestRun Operation = "ingest.run"
	opUnknown   Operation = "unknown"
)

// results tells requests whose answer is a file.
func (o Operation) results() bool {
	switch o {
	case OpBulkResults, OpIngestSuccesses, OpIngestFailures, OpIngestUnprocessed:
		return true
	default:
		return false
	}
}

// login tells requests that authenticate from those that work.
func (o Operation) login() bool {
	switch o {
	case OpToken, OpSOAP, OpIntrospect, OpRevoke:
		return true
	default:
		return false
	}
}

// writes tells operations whose rows faults such as LockRows can refuse.
func (o Operation) writes() bool {
	switch o {
	case OpRowCreate, OpRowUpdate, OpRowUpsert, OpRowDelete, OpComposite, OpBatch,
		OpCollectionsCreate, OpCollectionsUpdate, OpCollectionsUpsert, OpCollectionsDelete, OpIngestRun:
		return true
	default:
		return false
	}
}

// Request is what a hook or a fault's filter learns of a request.
type Request struct {
	Operation Operation
	Method    string
	Path      string // without the query, as sent
	Query     string // raw
	Object    string // API name in the path, "" when the path names none
	Body      []byte // decompressed; nil before it was read. Not to be changed
	Header    http.Header
	At        time.Time
}

// Calls counts requests as the org's API limit does: a composite call is one, a
// batch as many as it holds, logins and the list of versions none.
type Calls struct {
	Total       int               // against the daily limit
	Logins      int               // sessions that were opened
	ByOperation map[Operation]int // every request, also those that failed
}

// stats are the counters behind Calls.
type stats struct {
	total, logins int
	byOp          map[Operation]int
}

func newStats() stats { return stats{byOp: map[Operation]int{}} }

// usage counts API calls of the rolling 24 hours, by minute.
type usage struct {
	minutes []minuteUse
	total   int
	answers int // for LimitJitter
}

type minuteUse struct {
	minute int64
	n      int
}

// used drops what is older than 24 hours and returns the calls that count.
func (u *usage) used(now time.Time) int {
	oldest := now.Unix()/60 - 24*60
	for len(u.minutes) > 0 && u.minutes[0].minute <= oldest {
		u.total -= u.minutes[0].n
		u.minutes = u.minutes[1:]
	}
	return u.total
}

// add counts n calls now.
func (u *usage) add(now time.Time, n int) {
	minute := now.Unix() / 60
	if last := len(u.minutes) - 1; last >= 0 && u.minutes[last].minute >= minute {
		u.minutes[last].n += n
	} else {
		u.minutes = append(u.minutes, minuteUse{minute, n})
	}
	u.total += n
}
