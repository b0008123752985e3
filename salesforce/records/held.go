package records

import (
	"context"
	"strings"

	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// Held implements mirror.Sink with one query.
func (s *Messages) Held(ctx context.Context, sids []message.SID) (map[message.SID]bool, error) {
	there := make(map[message.SID]bool, len(sids))
	folded := make(map[string]message.SID, len(sids)) // Salesforce compares without case
	for _, sid := range sids {
		folded[strings.ToLower(string(sid))] = sid
	}
	err := s.sids(ctx, soql.Query{Where: []string{soql.In(s.names.SID, sids)}}, func(sid string) { there[folded[strings.ToLower(sid)]] = true })
	if err == nil {
		err = s.adopt(ctx, sids, there)
	}
	return there, err
}

// Empty implements mirror.Sink.
func (s *Messages) Empty(ctx context.Context) (bool, error) {
	empty := true
	err := s.sids(ctx, soql.Query{Where: []string{s.names.SID + " != null"}, Limit: 1}, func(string) { empty = false })
	return empty, err
}

// sids calls found for the SIDs of the records that q selects.
func (s *Messages) sids(ctx context.Context, q soql.Query, found func(string)) error {
	if _, err := s.planner.current(ctx); err != nil {
		return err // the org lacks the object, or what it needs
	}
	q.Fields, q.From = []string{s.names.SID}, s.names.Object
	text, err := q.Build()
	if err != nil {
		return fault.New(fault.Permanent, "salesforce query", err)
	}
	return s.org.Query(ctx, text, func(record map[string]any) error {
		for field, value := range record {
			if sid, ok := value.(string); ok && strings.EqualFold(field, s.names.SID) {
				found(sid)
			}
		}
		return nil
	})
}
