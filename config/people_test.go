package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

func TestPeopleAreConfiguredByNameOrWhole(t *testing.T) {
	t.Parallel()
	usual := []config.PhoneObject{
		{Object: "Contact"}, {Object: "Lead"},
		{Object: "Account"}, {Object: "Case"},
	}
	for text, want := range map[string]config.People{
		"": {Country: "US", RefreshEvery: 5 * time.Minute, Objects: usual, Link: config.LinkUnique, Owner: config.OwnerRecord},
		"people:\n  country: DE\n  refresh_every: 1h\n  objects: []\n  link: off\n  owner: integration_user\n": {
			Country: "DE", RefreshEvery: time.Hour, Objects: []config.PhoneObject{}, Link: config.LinkOff, Owner: config.OwnerIntegration,
		},
		"people:\n  objects: [lead, {object: contact, fields: [MobilePhone]}, {object: Patient__c, fields: [A__c, B__c], lookup: Who__c}]\n": {
			Country: "US", RefreshEvery: 5 * time.Minute, Link: config.LinkUnique, Owner: config.OwnerRecord, Objects: []config.PhoneObject{
				{Object: "Lead"},
				{Object: "Contact", Fields: []string{"MobilePhone"}},
				{Object: "Patient__c", Fields: []string{"A__c", "B__c"}, Lookup: "Who__c"},
			},
		},
	} {
		cfg, err := config.Parse("t.yaml", []byte(minimal+text), nil)
		require.NoError(t, err, text)
		require.Equal(t, want, cfg.People, text)
		again, err := config.Parse("t.yaml", []byte(cfg.Redacted()), nil)
		if err == nil { // with its secrets cut out it is refused, if it holds any
			require.Equal(t, want, again.People)
		}
	}
}

func TestPeoplesObjectsComeByTheEnvironmentToo(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"Lead, Contact", "[Lead, Contact]", "[Lead, {object: Contact}]"} {
		cfg, err := config.Parse("t.yaml", []byte(minimal), []string{"TWILIOSF_PEOPLE_OBJECTS=" + value})
		require.NoError(t, err, value)
		require.Equal(t, []config.PhoneObject{{Object: "Lead"}, {Object: "Contact"}}, cfg.People.Objects)
	}
}
