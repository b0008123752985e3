package campaigntest_test

import (
	"testing"

	"github.com/twiliosf/twiliosf/sync/campaign/campaigntest"
)

func TestTheLedgerInMemoryIsAMemory(t *testing.T) {
	campaigntest.Ledger(t, func(*testing.T) campaigntest.Memory { return campaigntest.NewFake().Memory() })
}
