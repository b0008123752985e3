package records_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
	"github.com/twiliosf/twiliosf/salesforce"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

// fieldsOf are what a body names.
func fieldsOf(t *testing.T, body string) []campaign.Field {
	t.Helper()
	b, err := campaign.ParseBody(body)
	require.NoError(t, err)
	return b.Fields()
}

// crowd is an org with an audience of every kind.
type crowd struct {
	org                                    *salesforcetest.Server
	audiences                              *records.Audiences
	campaign, ada, bea, lead, account, old string
	members                                []string
}

func newCrowd(t *testing.T, o records.AudienceOptions, change ...func(*salesforcetest.Options)) *crowd {
	t.Helper()
	opts := salesforcetest.Options{Schema: metadata.FS}
	for _, c := range change {
		c(&opts)
	}
	s := salesforcetest.NewServer(opts)
	c := &crowd{org: s, audiences: records.NewAudiences(orgOf(t, s), o)}
	c.account = insert(t, s, "Account", map[string]any{"Name": "Acme", "NumberOfEmployees": 12})
	c.campaign = insert(t, s, "Campaign", map[string]any{"Name": "Spring", "Deliverability_Total__c": 7})
	c.ada = insert(t, s, "Contact", map[string]any{
		"FirstName": "Ada", "LastName": "Lovelace", "MobilePhone": "+14155550101", "Phone": "+14155550102", "HomePhone": "+14155550103",
		"AccountId": c.account, "Department": "Engines", "Last_Message_Status__c": "delivered", "DoNotCall": true,
	})
	c.bea = insert(t, s, "Contact", map[string]any{"LastName": "Beatrix", "Phone": "+14155550104", "Last_Message_Status__c": "blocked"})
	c.lead = insert(t, s, "Lead", map[string]any{"FirstName": "Lea", "LastName": "Doe", "Company": "Oak", "MobilePhone": "+14155550105"})
	c.old = insert(t, s, "Contact", map[string]any{"LastName": "Silent"})
	for _, who := range []map[string]any{{"ContactId": c.ada}, {"LeadId": c.lead}, {"ContactId": c.bea, "Status": "Responded"}, {"ContactId": c.old}} {
		who["CampaignId"] = c.campaign
		c.members = append(c.members, insert(t, s, "CampaignMember", who))
	}
	return c
}

// everybody reads an audience page by page, by a locator that each page has given.
func (c *crowd) everybody(t *testing.T, what campaign.Campaign, body string) (campaign.Audience, []campaign.Person) {
	t.Helper()
	a, err := c.audiences.Prepare(t.Context(), what, fieldsOf(t, body))
	require.NoError(t, err, "%s", fault.Hint(err))
	export, err := c.audiences.Begin(t.Context(), a)
	require.NoError(t, err)
	require.Equal(t, a.Large, export != "")
	var all []campaign.Person
	for locator := ""; ; {
		page, next, err := c.audiences.Page(t.Context(), a, export, locator)
		require.NoError(t, err)
		all = append(all, page...)
		if locator = next; locator == "" {
			break
		}
	}
	require.NoError(t, c.audiences.Finish(t.Context(), export))
	require.Zero(t, c.org.BulkQueries(), "an export is given up")
	return a, all
}

// mend is what the author of an audience or a body is told.
func (c *crowd) mend(t *testing.T, what campaign.Campaign, body string) string {
	t.Helper()
	_, err := c.audiences.Prepare(t.Context(), what, fieldsOf(t, body))
	require.Error(t, err)
	require.Equal(t, fault.Permanent, fault.ClassOf(err), "%v", err)
	require.NotEmpty(t, fault.Hint(err))
	return fault.Hint(err)
}

func contactLink(id string) message.Link { return message.Link{Object: "Contact", ID: id} }

func TestMembersOfACampaignAreReadWhoeverTheyAre(t *testing.T) {
	const body = "{!Contact.FirstName|you} {!contact.account.name} {!Lead.Company} {!CampaignMember.Status} {!Campaign.Name} {!Contact.Department} {!Contact.Account.NumberOfEmployees} {!Contact.DoNotCall} {!campaign.deliverability_total__c}"
	for name, threshold := range map[string]int{"by queries": 0, "by an export": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, records.AudienceOptions{BulkThreshold: threshold})
				a, all := c.everybody(t, campaign.Campaign{Members: c.campaign}, body)
				require.Equal(t, threshold == 1, a.Large)
				require.Equal(t, fieldsOf(t, body), a.Fields, "as the body spells them")
				require.Equal(t, []campaign.Person{
					{
						Link: contactLink(c.ada), Member: c.members[0], Phones: []string{"+14155550101", "+14155550102"}, Last: "delivered",
						Fields: []string{"Ada", "Acme", "", "Sent", "Spring", "Engines", "12", "true", "7"},
					},
					{
						Link: message.Link{Object: "Lead", ID: c.lead}, Member: c.members[1], Phones: []string{"+14155550105"},
						Fields: []string{"Lea", "", "Oak", "Sent", "Spring", "", "", "false", "7"},
					},
					{
						Link: contactLink(c.bea), Member: c.members[2], Phones: []string{"+14155550104"}, Last: "blocked",
						Fields: []string{"", "", "", "Responded", "Spring", "", "", "false", "7"},
					},
					{Link: contactLink(c.old), Member: c.members[3], Fields: []string{"", "", "", "Sent", "Spring", "", "", "false", "7"}},
				}, all)
			})
		})
	}
}

func TestAQuerysRecordsAreRead(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{})
	a, all := c.everybody(t, campaign.Campaign{Query: "select Name, Account.Name from contact where LastName in ('Lovelace','Beatrix') order by Name"}, "{!Contact.Account.Name|none}{!Contact.LastName}")
	require.Equal(t, []campaign.Person{
		{Link: contactLink(c.ada), Phones: []string{"+14155550101", "+14155550102"}, Last: "delivered", Fields: []string{"Acme", "Lovelace"}},
		{Link: contactLink(c.bea), Phones: []string{"+14155550104"}, Last: "blocked", Fields: []string{"", "Beatrix"}},
	}, all)
	require.Equal(t, "SELECT Id, MobilePhone, Phone, Last_Message_Status__c, Account.Name, LastName FROM contact where LastName in ('Lovelace','Beatrix')", a.SOQL,
		"what the author selects is of no use")

	_, all = c.everybody(t, campaign.Campaign{Query: "SELECT Id FROM CampaignMember WHERE CampaignId = '" + c.campaign + "' AND HasResponded = true"}, "{!Contact.LastName}")
	require.Len(t, all, 1)
	require.Equal(t, contactLink(c.bea), all[0].Link, "members of a Campaign, whatever names them")
	require.Equal(t, c.members[2], all[0].Member)

	_, nobody := c.everybody(t, campaign.Campaign{Query: "SELECT Id FROM Lead WHERE LastName = 'Nobody'"}, "Hi")
	require.Empty(t, nobody)
}

func TestWhoIsAmongTheFirstIsTheAuthorsOrder(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{BulkThreshold: 2})
	a, all := c.everybody(t, campaign.Campaign{Query: "SELECT Id FROM Contact ORDER BY LastName DESC LIMIT 2"}, "{!Contact.LastName}")
	require.Len(t, all, 2)
	require.Equal(t, []string{"Silent"}, all[0].Fields)
	require.Equal(t, []string{"Lovelace"}, all[1].Fields)
	require.False(t, a.Large, "there are more, but they are not asked for")
}

func TestAListViewsRecordsAreRead(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{})
	view, err := c.org.AddListView(salesforcetest.ListView{
		Object: "Contact", Name: "Engines", Scope: "everything",
		Query: "SELECT name, toLabel(title), phone, id, createddate FROM Contact WHERE Department = 'Engines' ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST",
	})
	require.NoError(t, err)
	for _, id := range []string{view, view[:15], " " + view + "\n"} {
		_, all := c.everybody(t, campaign.Campaign{ListView: id}, "{!Contact.FirstName}")
		require.Len(t, all, 1)
		require.Equal(t, contactLink(c.ada), all[0].Link)
	}
	mine, err := c.org.AddListView(salesforcetest.ListView{Object: "Contact", Name: "Mine", Scope: "mine", Query: "SELECT id FROM Contact USING SCOPE mine"})
	require.NoError(t, err)
	require.Contains(t, c.mend(t, campaign.Campaign{ListView: mine}, ""), "scope mine")
	odd, err := c.org.AddListView(salesforcetest.ListView{Object: "User", Name: "Odd", NotInSOQL: true})
	require.NoError(t, err)
	require.Contains(t, c.mend(t, campaign.Campaign{ListView: odd}, ""), "cannot express")
	require.NoError(t, c.org.Delete("ListView", view))
	require.Contains(t, c.mend(t, campaign.Campaign{ListView: view}, ""), "The list view does not exist")
	require.Contains(t, c.mend(t, campaign.Campaign{ListView: "Engines"}, ""), "begins with 00B")
	require.Contains(t, c.mend(t, campaign.Campaign{ListView: "00B' OR Id != '"}, ""), "begins with 00B")
}

func TestWhatAnAudienceLacksIsToldItsAuthor(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{})
	const secret = "Geheim"
	for _, one := range []struct {
		what       campaign.Campaign
		body, want string
	}{
		{campaign.Campaign{}, "", "one audience"},
		{campaign.Campaign{Members: c.campaign, Query: "SELECT Id FROM Lead"}, "", "one audience"},
		{campaign.Campaign{Query: "SELECT Id FROM Lead; DELETE"}, "", "The Audience Query cannot be used: character 20: a query is one statement"},
		{campaign.Campaign{Query: "SELECT Id FROM Leed"}, "", "There is no object Leed"},
		{campaign.Campaign{Query: "SELECT Id FROM Task WHERE Subject = '" + secret + "'"}, "", "Task has no phone field"},
		{campaign.Campaign{Query: "SELECT Frist__c FROM Lead"}, "", "(INVALID_FIELD): No such column 'Frist__c' on entity 'Lead'"},
		{campaign.Campaign{Query: "SELECT Id FROM Lead WHERE City__c = '" + secret + "'"}, "", "No such column 'City__c' on entity 'Lead'"},
		{campaign.Campaign{Query: "SELECT Id FROM Lead WHERE City = " + secret}, "", "Salesforce refuses the query of the audience (INVALID_FIELD): value of filter criterion for field 'City'"},
		{campaign.Campaign{Query: "SELECT Id FROM Lead WHERE City LIKE = '" + secret + "'"}, "", "(MALFORMED_QUERY): "},
		{campaign.Campaign{Query: "SELECT Id FROM Lead"}, "Hi {!Contact.FirstName}", "{!Contact.FirstName}, but this audience is of Lead: write {!Lead.FirstName}"},
		{campaign.Campaign{Query: "SELECT Id FROM Lead"}, "Hi {!Lead.Fristname}", "Lead has no Fristname, or the integration user may not see it. The nearest that there is: FirstName."},
		{campaign.Campaign{Query: "SELECT Id FROM Contact"}, "{!Contact.Acount.Name}", "Contact has no Acount, or the integration user may not see it. The nearest that there is: Account."},
		{campaign.Campaign{Query: "SELECT Id FROM Contact"}, "{!Contact.Account.Namee}", "Account has no Namee, or the integration user may not see it. The nearest that there is: Name."},
		{campaign.Campaign{Query: "SELECT Id FROM Contact"}, "{!Contact.Zzzzzzzz__c}", "Contact has no Zzzzzzzz__c, or the integration user may not see it."},
		{campaign.Campaign{Members: c.campaign}, "{!Contact.Company}", "Contact has no Company"},
		{campaign.Campaign{Members: c.campaign}, "{!Lead.Department}", "Lead has no Department"},
		{campaign.Campaign{Members: c.campaign}, "{!Case.Subject}", "members of a Campaign have fields of Contact, Lead, CampaignMember and Campaign only"},
		{campaign.Campaign{Members: c.campaign}, "{!Campaign.Nam}", "Campaign has no Nam"},
	} {
		told := c.mend(t, one.what, one.body)
		require.Contains(t, told, one.want)
		require.NotContains(t, told, secret)
		require.NotContains(t, told, "ERROR at Row")
	}
	require.NoError(t, c.org.HideField("Lead", "FirstName", true))
	require.Contains(t, (&crowd{org: c.org, audiences: records.NewAudiences(orgOf(t, c.org), records.AudienceOptions{})}).mend(t, campaign.Campaign{Query: "SELECT Id FROM Lead"}, "{!Lead.FirstName}"), "may not see it")
}

func TestOnlyPhonesToTextAreTried(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{Objects: []records.PhoneObject{{Object: "Contact", Fields: []string{"HomePhone", "Nothing__c"}}, {Object: "Lead"}}})
	_, all := c.everybody(t, campaign.Campaign{Members: c.campaign}, "")
	require.Equal(t, []string{"+14155550103"}, all[0].Phones, "the operator's choice")
	require.Equal(t, []string{"+14155550105"}, all[1].Phones)
	insert(t, c.org, "User", map[string]any{"Username": "u@example.com", "LastName": "U", "Alias": "u", "Email": "u@example.com", "Phone": "+14155550106", "MobilePhone": "+14155550107"})
	_, all = c.everybody(t, campaign.Campaign{Query: "SELECT Id FROM User WHERE LastName = 'U'"}, "{!User.Name}")
	require.Equal(t, []string{"+14155550107", "+14155550106"}, all[0].Phones, "mobiles first")
	_, all = c.everybody(t, campaign.Campaign{Query: "SELECT Id FROM Account"}, "{!Account.NumberOfEmployees}")
	require.Equal(t, []string{"12"}, all[0].Fields)
}

func TestAPersonAccountIsReadByItsOwnMobile(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{}, func(o *salesforcetest.Options) { o.PersonAccounts = true })
	id := insert(t, c.org, "Account", map[string]any{"LastName": "King", "FirstName": "Ada", "PersonMobilePhone": "+14155550108", "Phone": "+14155550109"})
	_, all := c.everybody(t, campaign.Campaign{Query: "SELECT Id FROM Account WHERE IsPersonAccount = true"}, "{!Account.FirstName}")
	require.Equal(t, []campaign.Person{{Link: message.Link{Object: "Account", ID: id}, Phones: []string{"+14155550108", "+14155550109"}, Fields: []string{"Ada"}}}, all)
}

func TestAnOrgThatHidesItsMembersIsAnOperatorsMatter(t *testing.T) {
	for _, object := range []string{"CampaignMember", "Lead"} {
		c := newCrowd(t, records.AudienceOptions{})
		require.NoError(t, c.org.Restrict(object, salesforcetest.Deny{Read: true}))
		_, err := c.audiences.Prepare(t.Context(), campaign.Campaign{Members: c.campaign}, nil)
		require.Equal(t, fault.Auth, fault.ClassOf(err))
		require.Contains(t, fault.Hint(err), "read access to Campaigns, Contacts and Leads")
	}
}

func TestPagesGoOnWhateverIsWrittenBetweenThem(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{BulkThreshold: 10_000})
	var rows []map[string]any
	for n := range 4_500 {
		rows = append(rows, map[string]any{"LastName": fmt.Sprintf("Crowd %d", n), "MobilePhone": fmt.Sprintf("+1415556%04d", n)})
	}
	ids, err := c.org.Load("Contact", rows)
	require.NoError(t, err)
	a, err := c.audiences.Prepare(t.Context(), campaign.Campaign{Query: "SELECT Id FROM Contact WHERE LastName LIKE 'Crowd%' OR LastName = 'x'"}, nil)
	require.NoError(t, err)
	require.False(t, a.Large)
	c.org.ResetCalls()
	met := map[string]int{}
	for locator, n := "", 0; ; n++ {
		page, next, err := records.NewAudiences(orgOf(t, c.org), records.AudienceOptions{}).Page(t.Context(), a, "", locator)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), campaign.PageSize)
		for _, p := range page {
			met[p.Link.ID]++
		}
		require.NoError(t, c.org.Delete("Contact", ids[n])) // before the place: what is read stays read
		if locator = next; locator == "" {
			break
		}
	}
	require.Len(t, met, 4_500)
	for _, times := range met {
		require.Equal(t, 1, times)
	}
	require.Equal(t, 3, c.org.Calls().Total)
}

func TestMoreThanAHundredThousandMembersComeByAnExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 120_000
		c := newCrowd(t, records.AudienceOptions{}, func(o *salesforcetest.Options) { o.BulkDelay, o.StorageMB = time.Minute, 1<<20 })
		rows := make([]map[string]any, many)
		for n := range rows {
			rows[n] = map[string]any{"LastName": fmt.Sprint("M", n), "MobilePhone": fmt.Sprintf("+1415%07d", n)}
		}
		ids, err := c.org.Load("Contact", rows)
		require.NoError(t, err)
		for n, id := range ids {
			rows[n] = map[string]any{"CampaignId": c.campaign, "ContactId": id}
		}
		_, err = c.org.Load("CampaignMember", rows)
		require.NoError(t, err)
		c.org.ResetCalls()
		a, err := c.audiences.Prepare(t.Context(), campaign.Campaign{Members: c.campaign}, fieldsOf(t, "{!Contact.LastName}"))
		require.NoError(t, err)
		require.True(t, a.Large)
		export, err := c.audiences.Begin(t.Context(), a)
		require.NoError(t, err)
		seen, pages, largest := map[string]bool{}, 0, 0
		for locator := ""; ; pages++ {
			// Another process goes on where this one was.
			page, next, err := records.NewAudiences(orgOf(t, c.org), records.AudienceOptions{}).Page(t.Context(), a, export, locator)
			require.NoError(t, err)
			largest = max(largest, len(page))
			for _, p := range page {
				seen[p.Member] = true
			}
			if locator = next; locator == "" {
				break
			}
		}
		require.Len(t, seen, many+4)
		require.LessOrEqual(t, largest, campaign.PageSize)
		t.Log("members:", len(seen), "calls:", c.org.Calls().ByOperation)
		require.Equal(t, 61, c.org.Calls().ByOperation[salesforcetest.OpBulkResults])
		require.Less(t, c.org.Calls().ByOperation[salesforcetest.OpBulkState], 25)
	})
}

func TestAnExportThatIsGoneIsToldFromOneThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, records.AudienceOptions{BulkThreshold: 1}, func(o *salesforcetest.Options) { o.BulkDelay = time.Minute })
		begin := func() (campaign.Audience, string) {
			a, err := c.audiences.Prepare(t.Context(), campaign.Campaign{Members: c.campaign}, nil)
			require.NoError(t, err)
			export, err := c.audiences.Begin(t.Context(), a)
			require.NoError(t, err)
			return a, export
		}
		page := func(a campaign.Audience, export, locator string) error {
			_, _, err := c.audiences.Page(t.Context(), a, export, locator)
			return err
		}
		a, export := begin()
		require.NoError(t, page(a, export, ""), "it waits for the job")
		require.ErrorIs(t, page(a, export, "nonsense"), campaign.ErrGone)
		time.Sleep(8 * 24 * time.Hour)
		require.ErrorIs(t, page(a, export, ""), campaign.ErrGone)

		c.org.FailBulkQueries("InternalServerError : retried 15 times", "MALFORMED_QUERY: something is wrong")
		a, export = begin()
		require.ErrorIs(t, page(a, export, ""), campaign.ErrGone, "it is begun anew")
		a, export = begin()
		err := page(a, export, "")
		require.NotErrorIs(t, err, campaign.ErrGone)
		require.Equal(t, fault.Permanent, fault.ClassOf(err))
		require.Contains(t, fault.Hint(err), "Salesforce refuses the query")

		c.org.Script(salesforcetest.ServerUnavailable().Times(50))
		a = campaign.Audience{Object: "Contact", SOQL: "SELECT Id FROM Contact"}
		err = page(a, export, "x")
		require.NotErrorIs(t, err, campaign.ErrGone, "an org that does not answer")
		c.org.ClearFaults()
		require.NoError(t, c.audiences.Finish(t.Context(), ""))
		require.NoError(t, c.audiences.Finish(t.Context(), export))
		require.NoError(t, c.audiences.Finish(t.Context(), export))
	})
}

func TestAnAudienceCostsFewCalls(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{})
	prepare := func() int {
		c.org.ResetCalls()
		_, err := c.audiences.Prepare(t.Context(), campaign.Campaign{Members: c.campaign}, fieldsOf(t, "{!Contact.Account.Name}"))
		require.NoError(t, err)
		require.Equal(t, 1, c.org.Calls().ByOperation[salesforcetest.OpComposite])
		return c.org.Calls().Total
	}
	require.Equal(t, 5, prepare(), "four objects, and one call to try the query and to count")
	require.Equal(t, 1, prepare(), "what objects are like is known for a while")
}

// bent is an org with one more object, and with answers of its own.
type bent struct {
	records.AudienceOrg
	object salesforce.Object
	rows   []map[string]any
}

func (b *bent) Describe(ctx context.Context, name string) (salesforce.Object, error) {
	if name == b.object.Name {
		return b.object, nil
	}
	return b.AudienceOrg.Describe(ctx, name)
}

func (b *bent) Query(_ context.Context, _ string, row func(map[string]any) error) error {
	for _, r := range b.rows {
		if err := row(r); err != nil {
			return err
		}
	}
	return nil
}

func (b *bent) Queries(context.Context, []salesforce.CompositeQuery, func(int, map[string]any) error) ([]error, error) {
	return []error{nil, nil}, nil
}

func TestAFaxIsNoPhoneToText(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{})
	org := &bent{AudienceOrg: orgOf(t, c.org), object: salesforce.Object{Name: "House__c", Queryable: true, Fields: []salesforce.Field{
		{Name: "Fax__c", Type: "phone"}, {Name: "Door__c", Type: "phone"}, {Name: "Owners_Mobile__c", Type: "phone"}, {Name: "Name", Type: "string"},
		{Name: "Place__c", Type: "location"}, {Name: "OwnerId", Type: "reference", RelationshipName: "Owner", ReferenceTo: []string{"Group", "User"}},
	}}}
	a := records.NewAudiences(org, records.AudienceOptions{})
	got, err := a.Prepare(t.Context(), campaign.Campaign{Query: "SELECT Id FROM House__c"}, fieldsOf(t, "{!House__c.Owner.name}"))
	require.NoError(t, err)
	require.Equal(t, []string{"Owners_Mobile__c", "Door__c"}, got.Phones)
	require.Equal(t, "SELECT Id, Owners_Mobile__c, Door__c, Owner.Name FROM House__c", got.SOQL)
	for body, want := range map[string]string{
		"{!House__c.Place__c}": "no text", "{!House__c.Owner.ManagerId}": "no ManagerId", "{!House__c.Owner.Manager.Name}": "House__c has no Name",
	} {
		_, err := a.Prepare(t.Context(), campaign.Campaign{Query: "SELECT Id FROM House__c"}, fieldsOf(t, body))
		require.Contains(t, fault.Hint(err), want)
	}
}

// A Lead that was converted is a member still, and a Contact beside it.
func TestAConvertedMemberIsTheContact(t *testing.T) {
	c := newCrowd(t, records.AudienceOptions{})
	row := map[string]any{
		"Id": "00v1", "ContactId": "0031", "LeadId": "00Q1", "Contact": map[string]any{"MobilePhone": "+14155550111", "FirstName": "Ada"},
		"Lead": map[string]any{"MobilePhone": "+14155550112", "FirstName": "Lea", "Company": "Oak"},
	}
	unseen := map[string]any{"Id": "00v2", "ContactId": nil, "LeadId": nil, "Contact": nil, "Lead": nil}
	a := records.NewAudiences(&bent{AudienceOrg: orgOf(t, c.org), rows: []map[string]any{row, unseen}}, records.AudienceOptions{})
	from, err := a.Prepare(t.Context(), campaign.Campaign{Members: c.campaign}, fieldsOf(t, "{!Lead.FirstName}{!Lead.Company}"))
	require.NoError(t, err)
	people, _, err := a.Page(t.Context(), from, "", "")
	require.NoError(t, err)
	require.Equal(t, []campaign.Person{
		{Link: contactLink("0031"), Member: "00v1", Phones: []string{"+14155550111"}, Fields: []string{"Ada", ""}},
		{Link: message.Link{Object: "CampaignMember", ID: "00v2"}, Member: "00v2", Fields: []string{"", ""}},
	}, people)
}
