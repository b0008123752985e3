package campaign_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

func TestAnAudienceIsCountedAndReadByPages(t *testing.T) {
	for _, c := range []struct{ text, count, page, first string }{
		{
			"SELECT Id FROM Contact", "SELECT COUNT(Id) total FROM Contact",
			"SELECT Id, Phone FROM Contact WHERE Id > 'x' ORDER BY Id LIMIT 7", "SELECT Id, Phone FROM Contact ORDER BY Id LIMIT 7",
		},
		{
			"SELECT Name FROM Contact WHERE A__c=1 OR B__c = 'ORDER BY' ORDER BY Name", "SELECT COUNT(Id) total FROM Contact WHERE A__c=1 OR B__c = 'ORDER BY'",
			"SELECT Id, Name, Phone FROM Contact WHERE (A__c=1 OR B__c = 'ORDER BY') AND Id > 'x' ORDER BY Id LIMIT 7",
			"SELECT Id, Name, Phone FROM Contact WHERE A__c=1 OR B__c = 'ORDER BY' ORDER BY Id LIMIT 7",
		},
		{
			"SELECT c.Name FROM Contact AS c USING SCOPE everything WHERE(c.A__c=1)WITH SECURITY_ENFORCED ORDER BY c.Name LIMIT 5",
			"SELECT COUNT(Id) total FROM Contact AS c USING SCOPE everything WHERE (c.A__c=1) WITH SECURITY_ENFORCED",
			"SELECT Id, Name, Phone FROM Contact AS c USING SCOPE everything WHERE ((c.A__c=1)) AND Id > 'x' WITH SECURITY_ENFORCED ORDER BY Id LIMIT 7",
			"SELECT Id, Name, Phone FROM Contact AS c USING SCOPE everything WHERE (c.A__c=1) WITH SECURITY_ENFORCED ORDER BY Id LIMIT 7",
		},
	} {
		q, err := campaign.ParseQuery(c.text)
		require.NoError(t, err)
		require.Equal(t, c.count, q.Counting())
		require.Equal(t, c.page, q.Page("Id > 'x'", 7, "Phone"))
		require.Equal(t, c.first, q.Page("", 7, "Phone"))
	}
}

func TestTheAuthorsLimitIsKnown(t *testing.T) {
	for text, want := range map[string]int{"SELECT Id FROM Lead LIMIT 25": 25, "SELECT Id FROM Lead LIMIT 0": 0, "SELECT Id FROM Lead WHERE A__c = 5": -1} {
		q, err := campaign.ParseQuery(text)
		require.NoError(t, err)
		n, ok := q.Most()
		if !ok {
			n = -1
		}
		require.Equal(t, want, n, text)
	}
}
