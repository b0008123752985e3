package orgsetup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/orgsetup"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

const set = metadata.IntegrationSet

func TestAnOrgThatHasEverythingLacksThePermissionSetAtMost(t *testing.T) {
	r := diff(t, setupOf(t, salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS}), orgsetup.Options{}))
	require.Equal(t, map[string]orgsetup.Kind{set: orgsetup.Missing}, names(r))
	objects, err := metadata.Objects()
	require.NoError(t, err)
	require.Len(t, objects, r.Objects)
	require.Greater(t, r.Fields, 90)
	require.Equal(t, salesforcetest.DefaultUsername, r.Username)
}

func TestAnEmptyOrgLacksEachObjectOnceAndEachFieldOfStandardObjects(t *testing.T) {
	r := diff(t, setupOf(t, salesforcetest.NewServer(salesforcetest.Options{}), orgsetup.Options{}))
	all := names(r)
	require.Equal(t, orgsetup.Missing, all[message])
	require.Equal(t, orgsetup.Missing, all["Contact.Last_Message_Status__c"])
	require.NotContains(t, all, message+".Body__c")
	for _, d := range r.Differences {
		require.Equal(t, orgsetup.ByDeploy, d.Cure, d.Name())
	}
}

func TestEachWayToDifferIsNamedWithWhoPutsItRight(t *testing.T) {
	body, sid, status := field("Body__c"), field("Message_SID__c"), field("Status__c")
	price := field("Price__c")
	for name, c := range map[string]struct {
		edits []string
		after func(*testing.T, *salesforcetest.Server)
		field string
		kind  orgsetup.Kind
		cure  orgsetup.Cure
		says  string
	}{
		"a field is missing": {edits: []string{body, "", ""}, field: "Body__c", kind: orgsetup.Missing, cure: orgsetup.ByDeploy, says: "is missing"},
		"a field is hidden": {
			after: func(t *testing.T, s *salesforcetest.Server) {
				require.NoError(t, s.HideField(message, "Body__c", true))
			},
			field: "Body__c", kind: orgsetup.Hidden, cure: orgsetup.ByAssign, says: "is hidden",
		},
		"a field is read-only": {
			after: func(t *testing.T, s *salesforcetest.Server) {
				require.NoError(t, s.ReadOnlyField(message, "Body__c", true))
			},
			field: "Body__c", kind: orgsetup.ReadOnly, cure: orgsetup.ByAssign, says: "is read-only",
		},
		"records may not be created": {
			after: func(t *testing.T, s *salesforcetest.Server) {
				require.NoError(t, s.Restrict(message, salesforcetest.Deny{Create: true}))
			},
			kind: orgsetup.ReadOnly, cure: orgsetup.ByAssign, says: "may not be created",
		},
		"an object is hidden": {
			after: func(t *testing.T, s *salesforcetest.Server) {
				require.NoError(t, s.Restrict(message, salesforcetest.Deny{Read: true}))
			},
			kind: orgsetup.Hidden, cure: orgsetup.ByAssign, says: "is hidden",
		},
		"a text is too short": {
			edits: []string{body, "<length>32768</length>", "<length>1000</length>"},
			field: "Body__c", kind: orgsetup.TooShort, cure: orgsetup.ByDeploy, says: "is 1000 characters long, 32768 are needed",
		},
		"a number has too few digits": {
			edits: []string{price, "<precision>18</precision>", "<precision>9</precision>", price, "<scale>6</scale>", "<scale>4</scale>"},
			field: "Price__c", kind: orgsetup.TooShort, cure: orgsetup.ByDeploy, says: "has 5.4 digits, 12.6 are needed",
		},
		"a number has more digits before the point and too few after it": {
			edits: []string{price, "<scale>6</scale>", "<scale>2</scale>"},
			field: "Price__c", kind: orgsetup.TooShort, cure: orgsetup.ByHand, says: "has 16.2 digits",
		},
		"the key is not unique": {
			edits: []string{sid, "<unique>true</unique>", "<unique>false</unique>"},
			field: "Message_SID__c", kind: orgsetup.NoKey, cure: orgsetup.ByDeploy, says: "is not unique",
		},
		"the key is no key at all": {
			edits: []string{sid, "<unique>true</unique>", "<unique>false</unique>", sid, "<externalId>true</externalId>", "<externalId>false</externalId>"},
			field: "Message_SID__c", kind: orgsetup.NoKey, cure: orgsetup.ByDeploy, says: "is not an external id and not unique",
		},
		"the key is not unique, and somebody has made it longer": {
			edits: []string{sid, "<unique>true</unique>", "<unique>false</unique>", sid, "<length>34</length>", "<length>99</length>"},
			field: "Message_SID__c", kind: orgsetup.NoKey, cure: orgsetup.ByHand, says: "is not unique",
		},
		"values are missing": {
			edits: []string{status, "<fullName>Draft</fullName>", "<fullName>Entwurf</fullName>", status, "<fullName>Entwurf</fullName>", "<fullName>Send</fullName>", status, "<fullName>Send</fullName>", "<fullName>sent</fullName>"},
			field: "Status__c", kind: orgsetup.LacksValues, cure: orgsetup.ByDeploy, says: "lacks the values Draft",
		},
		"values are missing, and others are somebody's own": {
			edits: []string{status, "<fullName>Draft</fullName>", "<fullName>Entwurf</fullName>"},
			field: "Status__c", kind: orgsetup.LacksValues, cure: orgsetup.ByHand, says: "lacks the values Draft",
		},
		"a type is another": {
			edits: []string{body, "<type>LongTextArea</type>", "<type>Checkbox</type>"},
			field: "Body__c", kind: orgsetup.WrongType, cure: orgsetup.ByHand, says: "has the type boolean, which should be textarea",
		},
		"a lookup refers elsewhere": {
			edits: []string{field("Contact__c"), "<referenceTo>Contact<", "<referenceTo>Lead<", field("Contact__c"), "Twilio_Messages<", "Twilio_Other<"},
			field: "Contact__c", kind: orgsetup.WrongType, cure: orgsetup.ByHand, says: "refers to Lead, which should be Contact",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := salesforcetest.NewServer(salesforcetest.Options{Schema: changed(t, c.edits...)})
			if c.after != nil {
				c.after(t, s)
			}
			var found []orgsetup.Difference
			for _, d := range diff(t, setupOf(t, s, orgsetup.Options{})).Differences {
				if d.Object != set {
					found = append(found, d)
				}
			}
			require.Len(t, found, 1)
			require.Equal(t, message, found[0].Object)
			require.Equal(t, c.field, found[0].Field)
			require.Equal(t, c.kind, found[0].Kind)
			require.Equal(t, c.cure, found[0].Cure)
			require.Contains(t, found[0].Says, c.says)
		})
	}
}

func TestWhatSomebodyHasMadeLargerIsNoDifference(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: changed(t,
		field("Message_SID__c"), "<length>34</length>", "<length>200</length>",
		field("Status__c"), "<value>", "<value><fullName>On hold</fullName><default>false</default><label>On hold</label></value><value>")})
	require.Equal(t, map[string]orgsetup.Kind{set: orgsetup.Missing}, names(diff(t, setupOf(t, s, orgsetup.Options{}))))
}

func TestWhoMayNotViewSetupIsToldMissingOrHidden(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS, NoViewSetup: true})
	require.NoError(t, s.HideField(message, "Body__c", true))
	require.NoError(t, s.Restrict("TwilioSF_Watch__c", salesforcetest.Deny{Read: true}))
	all := names(diff(t, setupOf(t, s, orgsetup.Options{})))
	require.Equal(t, orgsetup.MissingHidden, all[message+".Body__c"])
	require.Equal(t, orgsetup.MissingHidden, all["TwilioSF_Watch__c"])
}

func TestAnOrgWithoutCampaignsIsToldSo(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: metadata.FS})
	require.NoError(t, s.Restrict("Campaign", salesforcetest.Deny{Read: true}))
	r := diff(t, setupOf(t, s, orgsetup.Options{}))
	require.Equal(t, orgsetup.Hidden, names(r)["Campaign"])
}

// An org whose messages have other names.
func TestMappedNamesAreComparedAndEverythingIsPutRightByHand(t *testing.T) {
	s := salesforcetest.NewServer(salesforcetest.Options{Schema: changed(t)})
	fields := map[string]string{"Body__c": "Error_Message__c", "Message_SID__c": "Message_SID__c", "Price__c": "-", "Status__c": "Nowhere__c", "From_Number__c": "Price__c"}
	setup := setupOf(t, s, orgsetup.Options{Message: message, Fields: fields})
	require.True(t, setup.Mapped())
	r := diff(t, setup)
	all := names(r)
	require.Equal(t, map[string]orgsetup.Kind{
		message + ".Error_Message__c": orgsetup.TooShort, message + ".Nowhere__c": orgsetup.Missing, message + ".Price__c": orgsetup.WrongType,
	}, all, "a text may be any text, if it is long enough")
	for _, d := range r.Differences {
		require.Equal(t, orgsetup.ByHand, d.Cure)
		require.Contains(t, d.Remedy, "salesforce.objects")
	}
	_, err := setup.Deploy(t.Context(), orgsetup.Order{})
	require.ErrorIs(t, err, orgsetup.ErrMapped)
	require.Zero(t, s.Deployments())
}
