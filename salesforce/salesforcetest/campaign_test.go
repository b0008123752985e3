package salesforcetest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
)

func TestAMemberHasAStatusOfTheCampaign(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	campaign := u.create("Campaign", `{"Name":"Spring"}`)
	require.Equal(t, []string{"Sent", "Responded"}, u.found("SELECT Label FROM CampaignMemberStatus WHERE CampaignId = '"+campaign+"' ORDER BY SortOrder", "Label"))
	f := u.refusedWith("POST", data+"/sobjects/CampaignMemberStatus", `{"CampaignId":"`+campaign+`","Label":"Asked"}`)
	require.Equal(t, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f.ErrorCode)
	_, err := u.org.Insert("CampaignMemberStatus", map[string]any{"CampaignId": campaign, "Label": "Attended", "SortOrder": 3, "HasResponded": true})
	require.NoError(t, err)

	contact := u.create("Contact", `{"LastName":"Ada"}`)
	id := u.create("CampaignMember", `{"CampaignId":"`+campaign+`","ContactId":"`+contact+`","Status":"Unheard of"}`)
	for _, c := range []struct {
		write, want string
		responded   bool
	}{{"", "Sent", false}, {"attended", "Attended", true}, {"Nonsense", "Sent", false}, {"Responded", "Responded", true}} {
		if c.write != "" {
			status, answer := u.call("PATCH", data+"/sobjects/CampaignMember/"+id, `{"Status":"`+c.write+`"}`)
			require.Equal(t, 204, status, answer)
		}
		row, _ := u.org.Row("CampaignMember", id)
		require.Equal(t, c.want, row["Status"], c.write)
		require.Equal(t, c.responded, row["HasResponded"], c.write)
	}
}

func TestMembersAreReadThroughTheirRelationshipsPageByPage(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	campaign := u.create("Campaign", `{"Name":"Spring"}`)
	account := u.create("Account", `{"Name":"Acme"}`)
	var want []string
	for n := range 5 {
		contact := u.create("Contact", fmt.Sprintf(`{"LastName":"Ada %d","AccountId":%q}`, n, account))
		want = append(want, u.create("CampaignMember", `{"CampaignId":"`+campaign+`","ContactId":"`+contact+`"}`))
	}
	var got []string
	for after := ""; ; after = " AND Id > '" + got[len(got)-1] + "'" {
		page := u.found("SELECT Id, Contact.Account.Name, Lead.Name, Campaign.Name FROM CampaignMember WHERE (CampaignId = '"+campaign+"')"+after+" ORDER BY Id LIMIT 2", "Id")
		got = append(got, page...)
		if len(page) < 2 {
			break
		}
	}
	require.Equal(t, want, got)
	status, body := u.query("SELECT Contact.Account.Name, Lead.Name FROM CampaignMember WHERE Contact.Account.Name = 'Acme' LIMIT 1")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"Account":{"attributes"`)
	require.Contains(t, body, `"Lead":null`)
}

func TestWhatCountsHasNoOrderAndNoLimitOfItsOwn(t *testing.T) {
	u := people(t)
	for soql, refused := range map[string]bool{
		"SELECT COUNT() FROM Contact": false, "SELECT COUNT() FROM Contact LIMIT 2": false, "SELECT COUNT(Id) total FROM Contact": false,
		"SELECT COUNT() FROM Contact ORDER BY Name": true, "SELECT COUNT(Id) FROM Contact ORDER BY Name": true, "SELECT COUNT(Id) FROM Contact LIMIT 2": true,
		"SELECT Id FROM Contact LIMIT 0": false,
	} {
		status, body := u.query(soql)
		require.Equal(t, refused, status == 400, soql)
		if refused {
			require.Equal(t, "MALFORMED_QUERY", faults(t, body)[0].ErrorCode, soql)
		}
	}
	_, body := u.query("SELECT COUNT(Id) total FROM Contact")
	require.Contains(t, body, `"total":4`)
}

func TestAListViewTellsItsQuery(t *testing.T) {
	u := login(t, salesforcetest.Options{})
	const soql = "SELECT name, id FROM Contact WHERE Title = 'x' ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST"
	id, err := u.org.AddListView(salesforcetest.ListView{Object: "Contact", Name: "Some", Query: soql})
	require.NoError(t, err)
	mine, err := u.org.AddListView(salesforcetest.ListView{Object: "Lead", Name: "Mine", Query: "SELECT id FROM Lead USING SCOPE mine", Scope: "mine"})
	require.NoError(t, err)
	odd, err := u.org.AddListView(salesforcetest.ListView{Object: "User", Name: "Odd", NotInSOQL: true})
	require.NoError(t, err)

	require.Equal(t, []string{"Contact"}, u.found("SELECT SobjectType FROM ListView WHERE Id = '"+id[:15]+"'", "SobjectType"))
	views := func(object, id string) string { return data + "/sobjects/" + object + "/listviews/" + id + "/describe" }
	status, body := u.call("GET", views("Contact", id), "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"query":"SELECT name, id FROM Contact WHERE Title = 'x'`)
	require.Contains(t, body, `"scope":null`)
	_, body = u.call("GET", views("Lead", mine), "")
	require.Contains(t, body, `"scope":"mine"`)
	require.Equal(t, "INVALID_OPERATION", u.refusedWith("GET", views("User", odd), "").ErrorCode)
	for _, path := range []string{views("Lead", id), views("Contact", "00B000000000099"), views("Contact", "nonsense"), views("Nothing__c", id)} {
		require.Equal(t, "NOT_FOUND", u.refusedWith("GET", path, "").ErrorCode, path)
	}
	require.Equal(t, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", u.refusedWith("POST", data+"/sobjects/ListView", `{"DeveloperName":"X"}`).ErrorCode)
	require.NoError(t, u.org.Delete("ListView", id))
	require.Equal(t, "NOT_FOUND", u.refusedWith("GET", views("Contact", id), "").ErrorCode)
}
