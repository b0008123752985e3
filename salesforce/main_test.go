package salesforce_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is a process that writes in bulk, and kills itself, when a
// variable says where its org is.
func TestMain(m *testing.M) {
	if url := os.Getenv(bulkOrg); url != "" {
		os.Exit(bulkChild(url))
	}
	goleak.VerifyTestMain(m)
}
