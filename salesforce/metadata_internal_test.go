package salesforce

import (
	"testing"
)

func FuzzADeploymentsStateIsReadOrRefused(f *testing.F) {
	f.Add([]byte(`{"deployResult":{"status":"InProgress","done":"false","numberComponentsTotal":"12"}}`))
	f.Add([]byte(`{"deployResult":{"status":"Failed","details":{"componentFailures":[{"problem":"x","lineNumber":1.5}]}}}`))
	f.Add([]byte(`{"deployResult":{"status":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, ok := readDeployment(data)
		if ok == (d.Status == "") {
			t.Errorf("a deployment without a status: %q", data)
		}
		if d.Succeeded && !d.Done {
			t.Errorf("succeeded and yet not done: %q", data)
		}
	})
}
