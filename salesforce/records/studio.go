package records

import (
	"context"
	"time"

	"github.com/twiliosf/twiliosf/salesforce/soql"
	"github.com/twiliosf/twiliosf/sync/message"
)

const (
	studioRequest = "TwilioSF_Studio_Request__c"
	// studioError is how much of an explanation Error_Message__c holds.
	studioError = 255
)

// StudioPart is the part that reads requests for a Studio flow that have no
// execution yet. It is like DraftsPart.
func (s *Messages) StudioPart(take func(context.Context, []message.StudioRequest) error) Part {
	return Part{
		Name: "studio requests", Deleted: true, Changes: true,
		Query: func(time.Time) soql.Query {
			return soql.Query{
				Fields: []string{"IsDeleted", "Status__c", "Flow_SID__c", "To_Number__c", "From__c", "Parameters__c"}, From: studioRequest,
				Where: []string{soql.In("Status__c", asks), "Execution_SID__c = null"},
			}
		},
		Take: func(ctx context.Context, rows []map[string]any) error {
			if len(rows) == 0 {
				return nil
			}
			requests := make([]message.StudioRequest, len(rows))
			for i, row := range rows {
				modified, _ := timeOf(row, "SystemModstamp") // the poll has seen that it can be read
				requests[i] = message.StudioRequest{
					ID: textOf(row, "Id"), Modified: modified.UTC(), Ask: askOf(textOf(row, "Status__c")), Deleted: row["IsDeleted"] == true,
					Flow: textOf(row, "Flow_SID__c"), To: textOf(row, "To_Number__c"), From: textOf(row, "From__c"), Parameters: textOf(row, "Parameters__c"),
				}
			}
			return take(ctx, requests)
		},
	}
}

// WriteStudio writes what became of at most 200 different requests. It is like
// WriteBack.
func (s *Messages) WriteStudio(ctx context.Context, results []message.StudioResult) ([]error, error) {
	if err := fits(len(results)); err != nil || len(results) == 0 {
		return nil, err
	}
	rows := make([]row, len(results))
	for i, r := range results {
		record := appendField([]byte(`{"attributes":{"type":"`+studioRequest+`"}`), "id", r.ID)
		record = appendField(record, "Status__c", r.Status)
		if r.Execution != "" {
			record = appendField(record, "Execution_SID__c", r.Execution)
		}
		explanation, _ := Normalise(r.ErrorMessage)
		rows[i].record = append(appendField(record, "Error_Message__c", clipUTF16(explanation, studioError)), '}')
	}
	return s.updating(studioRequest, func(error) {}).all(ctx, rows)
}
