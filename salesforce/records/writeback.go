package records

import (
	"context"
	"fmt"

	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// WriteBack writes what became of at most 200 different drafts on their records,
// and answers one outcome each: nil, or a fault. A Permanent one of the code
// ENTITY_IS_DELETED says that the record is gone, any other Permanent one that it
// refuses to show the result. err is for all of them. It may be repeated whatever
// came of it before.
//
// What a result does not say stays as it is on the record; but the error always
// is the result's, so that a retry that went well leaves none.
func (s *Messages) WriteBack(ctx context.Context, results []message.Result) ([]error, error) {
	if err := fits(len(results)); err != nil || len(results) == 0 {
		return nil, err
	}
	p, err := s.planner.current(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(results))
	for i := range results {
		rows[i] = p.result(&results[i])
	}
	return s.byID(ctx, p, rows)
}

func fits(n int) error {
	if n > salesforce.MaxCollection {
		return fault.New(fault.Permanent, "salesforce update", fmt.Errorf("%d results at once, %d are allowed", n, salesforce.MaxCollection))
	}
	return nil
}

func (p *plan) result(r *message.Result) row {
	m := &message.Message{
		SID: r.SID, Status: message.Status(r.Status), Direction: message.OutboundAPI, From: r.From, To: r.To, ServiceSID: r.Service,
		Segments: r.Segments, ErrorCode: r.ErrorCode, ErrorMessage: r.ErrorMessage,
	}
	record := p.begin(r.ID, m, func(standard string) bool {
		switch standard {
		case "Message_SID__c":
			return r.SID != ""
		case "To_Number__c", "Their_Number__c":
			return r.To != ""
		case "From_Number__c":
			return r.From != ""
		case "Messaging_Service_Sid__c":
			return r.Service != ""
		case "Num_Segments__c":
			return r.Segments != 0
		default:
			return standard == "Status__c" || standard == "Direction__c" || standard == "Error_Code__c" || standard == "Error_Message__c"
		}
	})
	return row{record: append(p.rejected(record, r.RejectedSID), '}'), id: r.ID, sid: r.SID}
}
