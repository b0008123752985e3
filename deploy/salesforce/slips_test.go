package metadata_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	metadata "github.com/twiliosf/twiliosf/deploy/salesforce"
)

// slip is a mistake in one file: text that stands for another, no file at all, or a
// file too many.
type slip struct{ file, is, becomes, says string }

const (
	messageDir  = "objects/TwilioSF_Message__c/"
	keywordDir  = "objects/TwilioSF_Opt_In_Keyword__c/"
	inbox       = messageDir + "listViews/My_Inbox.listView-meta.xml"
	failedView  = messageDir + "listViews/Failed.listView-meta.xml"
	compact     = messageDir + "compactLayouts/Message_Compact.compactLayout-meta.xml"
	bodyField   = messageDir + "fields/Body__c.field-meta.xml"
	ahead       = messageDir + "validationRules/Send_At_Lies_Ahead.validationRule-meta.xml"
	oneWord     = keywordDir + "validationRules/One_Word.validationRule-meta.xml"
	layout      = "layouts/TwilioSF_Message__c-Twilio Message Layout.layout-meta.xml"
	mediaLayout = "layouts/TwilioSF_Media__c-Twilio Media Layout.layout-meta.xml"
	app         = "applications/TwilioSF.app-meta.xml"
	tab         = "tabs/TwilioSF_Watch__c.tab-meta.xml"
	adminSet    = "permissionsets/TwilioSF_Administrator.permissionset-meta.xml"
	userSet     = "permissionsets/TwilioSF_User.permissionset-meta.xml"
	daemonSet   = "permissionsets/TwilioSF_Integration.permissionset-meta.xml"
	joinedType  = "reportTypes/TwilioSF_Bulk_Messages_with_Messages.reportType-meta.xml"
	byStatus    = "reports/TwilioSF/Messages_by_Status.report-meta.xml"
	undelivered = "reports/TwilioSF/Undelivered_Messages.report-meta.xml"
	cost        = "reports/TwilioSF/Messages_and_Cost_by_Month.report-meta.xml"
	sendFlow    = "flows/TwilioSF_Send_a_Text.flow-meta.xml"
	studioFlow  = "flows/TwilioSF_Start_a_Studio_Flow.flow-meta.xml"
	notifyFlow  = "flows/TwilioSF_Notify_the_Owner.flow-meta.xml"
)

const head = `<?xml version="1.0" encoding="UTF-8"?>`

var slips = map[string]slip{
	"broken XML":             {inbox, "</label>", "</lable>", "element <label> closed by </lable>"},
	"two elements":           {inbox, "</ListView>", "</ListView><ListView/>", "more or less than one"},
	"stray text":             {inbox, "<filters>", "x<filters>", `text "x" between elements`},
	"no declaration":         {inbox, `<?xml version="1.0" encoding="UTF-8"?>`, "", "declaration is missing"},
	"other namespace":        {inbox, "2006/04/metadata", "2006/04/partner", "is in the namespace"},
	"an attribute":           {inbox, "<filters>", `<filters id="1">`, "has the attribute id"},
	"another type":           {inbox, "ListView", "Layout", "holds a Layout, not a ListView"},
	"another name":           {inbox, ">My_Inbox<", ">Inbox<", "holds Inbox"},
	"unknown element":        {inbox, "<label>My Inbox</label>", "<label>My Inbox</label><title>x</title>", "a ListView has no title"},
	"an element twice":       {inbox, "<filterScope>", "<filterScope>Mine</filterScope><filterScope>", "has one filterScope only"},
	"an element missing":     {inbox, "<filterScope>Mine</filterScope>", "", "needs a filterScope"},
	"an unknown value":       {inbox, ">Mine<", ">Ours<", `filterScope is "Ours", no FilterScope`},
	"neither true nor false": {bodyField, "<trackTrending>false", "<trackTrending>no", "neither true nor false"},
	"no number":              {bodyField, "<length>32768", "<length>all", "no number"},
	"elements in text":       {bodyField, "<label>Body", "<label><b>Body</b>", "has elements in it"},
	"a tab gone":             {tab, "", "", "has no tab"},

	"a column that is gone":       {inbox, "Their_Number__c", "Her_Number__c", "no column Her_Number__c"},
	"a column twice":              {inbox, "<columns>NAME</columns>", "<columns>NAME</columns><columns>NAME</columns>", "NAME is there twice"},
	"a filter on a long text":     {inbox, "<field>Direction__c", "<field>Body__c", "too long to filter"},
	"a filter on nothing":         {inbox, "<field>Direction__c", "<field>Way__c", "no Way__c to filter by"},
	"a value that never is":       {failedView, "failed,undelivered", "failed,lost", `Status__c is never "lost"`},
	"two views of one name":       {failedView, "<label>Failed", "<label>Unread", "or there twice"},
	"no view of all":              {messageDir + "listViews/All.listView-meta.xml", "", "", "no list view of all"},
	"a long text in a compact":    {compact, "Status__c", "Body__c", "too long for a compact layout"},
	"a compact layout gone":       {compact, "", "", "no compact layout Message_Compact"},
	"a search of nothing":         {messageDir + "TwilioSF_Message__c.object-meta.xml", "<searchResultsAdditionalFields>Status__c", "<searchResultsAdditionalFields>State__c", "no State__c to show"},
	"a field missing on layout":   {layout, "<field>Body__c", "<field>Name", "Body__c is not shown"},
	"a field twice on a layout":   {layout, "<field>Body__c", "<field>Name", "Name is there twice"},
	"a field that is not there":   {layout, "<field>Body__c", "<field>Text__c", "has no Text__c"},
	"a master that may be empty":  {mediaLayout, "<behavior>Required", "<behavior>Edit", "Message__c is required"},
	"an owner of a detail":        {mediaLayout, "<field>File_Id__c", "<field>OwnerId", "has no OwnerId"},
	"a list of no children":       {layout, "TwilioSF_Media__c.Message__c", "TwilioSF_Opt_In__c.Keyword__c", "no list of records that refer to"},
	"a list without its column":   {layout, "<fields>Url__c", "<fields>Body__c", "no column Body__c"},
	"a layout gone":               {layout, "", "", "is missing"},
	"a tab that is not there":     {app, "TwilioSF_Watch__c", "TwilioSF_Clock__c", "no tab TwilioSF_Clock__c"},
	"a tab of a page":             {tab, "<customObject>true", "<customObject>false", "no object of ours"},
	"a rule that holds us up":     {ahead, "NOT($Permission.TwilioSF_Integration)", "NOT($Permission.Other)", "hold the integration user up"},
	"a rule on a field gone":      {ahead, "Send_At__c &lt;", "Sent_At__c &lt;", "has no Sent_At__c"},
	"a rule on a value gone":      {ahead, "&quot;Send&quot;", "&quot;Sent&quot;", `never "Sent"`},
	"a rule left open":            {ahead, "NOW()", "NOW(", "not in pairs"},
	"an error shown nowhere":      {oneWord, "<errorDisplayField>Name", "<errorDisplayField>Word__c", "no Word__c to show"},
	"a message that is too long":  {oneWord, "<errorMessage>", "<errorMessage>" + strings.Repeat("x", 250), "longer than 255"},
	"a hidden field":              {adminSet, "TwilioSF_Message__c.Body__c", "TwilioSF_Message__c.Text__c", "TwilioSF_Message__c.Body__c is hidden"},
	"a field hidden from us":      {daemonSet, "TwilioSF_Message__c.Send_At__c", "TwilioSF_Message__c.Body__c", "TwilioSF_Message__c.Send_At__c is hidden"},
	"a field that is listed":      {adminSet, "TwilioSF_Media__c.Url__c", "TwilioSF_Media__c.Message__c", "Message__c is not there, or cannot be listed"},
	"a standard field":            {daemonSet, "Case.SuppliedPhone", "Case.ContactPhone", "Case.ContactPhone is not there, or cannot be listed"},
	"a field listed twice":        {adminSet, "TwilioSF_Message__c.Body__c", "TwilioSF_Message__c.To_Number__c", "is there twice"},
	"a key that users write":      {userSet, "<editable>false</editable>\n        <field>TwilioSF_Message__c.Message_SID__c", "<editable>true</editable>\n        <field>TwilioSF_Message__c.Message_SID__c", "Message_SID__c is ours"},
	"their phones written":        {daemonSet, "<editable>false</editable>\n        <field>Contact.Phone", "<editable>true</editable>\n        <field>Contact.Phone", "not ours to write"},
	"an object hidden":            {userSet, "<object>TwilioSF_Watch__c", "<object>Contact", "TwilioSF_Watch__c is hidden"},
	"rights without others":       {userSet, "<allowDelete>false", "<allowDelete>true", "allowDelete needs allowEdit"},
	"a detail without its master": {daemonSet, "<object>TwilioSF_Message__c", "<object>Account", "needs that of its master"},
	"people who pass the rules":   {daemonSet, "<name>TwilioSF_Integration", "<name>TwilioSF_Other", "not there, or not for people"},
	"a set's tab":                 {userSet, "<tab>TwilioSF_Watch__c", "<tab>TwilioSF_Media__c", "no tab TwilioSF_Media__c"},
	"a set's app":                 {userSet, "<application>TwilioSF", "<application>Twilio", "no app Twilio"},

	"too many columns":            {inbox, "<columns>NAME</columns>", strings.Repeat("<columns>NAME</columns>", 16), "more than 15 columns"},
	"a view of nothing":           {inbox, "columns>", "sharedTo>", "shows nothing"},
	"a filter that asks nothing":  {failedView, "<operation>equals</operation>\n        <value>failed,undelivered</value>", "<operation>contains</operation>", "contains nothing"},
	"a compact layout of nothing": {compact, "<fields>Name</fields>", "", "the name first"},
	"a compact layout's field":    {compact, "Status__c", "State__c", "has no State__c"},
	"a compact layout's label":    {compact, "<label>", "<label>The one and only ever used ", "longer than 40"},
	"the org's own layout":        {"layouts/Contact-Contact Layout.layout-meta.xml", "", head + `<Layout xmlns="` + namespace + `"/>`, "take the place of the org's own"},
	"an app's label":              {app, "<label>", "<label>" + strings.Repeat("x", 40), "longer than 40"},
	"a field that is not read":    {userSet, "<readable>true", "<readable>false", "cannot be read"},
	"an object twice":             {userSet, "<object>TwilioSF_Watch__c", "<object>TwilioSF_Media__c", "there twice, or no object"},
	"Cases without Contacts":      {daemonSet, "<object>Contact<", "<object>Campaign<", "must read what they belong to"},
	"a set gone":                  {userSet, "", "", "there are [TwilioSF_Administrator TwilioSF_Integration]"},
	"a daemon held up":            {daemonSet, "customPermissions>", "customSettingAccesses>", "does not pass validation rules"},
	"a set's description":         {userSet, "<description>", "<description>" + strings.Repeat("x", 250), "too long"},

	"a report type's object":    {joinedType, "<baseObject>TwilioSF_Bulk_Message__c", "<baseObject>TwilioSF_Bulk__c", "there is no object TwilioSF_Bulk__c"},
	"a report's column twice":   {joinedType, "<field>Total__c", "<field>Delivered__c", "Delivered__c is there twice"},
	"a report type's label":     {joinedType, "<label>", "<label>" + strings.Repeat("x", 50), "too long"},
	"a report's name":           {byStatus, "<name>", "<name>" + strings.Repeat("x", 40), "too long"},
	"a report type's column":    {joinedType, "<field>Error_Code__c", "<field>Code__c", "there is no TwilioSF_Bulk_Message__c.Messages__r$Code__c"},
	"a relation that is gone":   {joinedType, "<relationship>Messages__r", "<relationship>Texts__r", "has no Texts__r"},
	"a report's column":         {byStatus, "$Contact__c", "$Person__c", "its report type has no TwilioSF_Message__c$Person__c"},
	"a report's type":           {byStatus, "TwilioSF_Messages__c", "TwilioSF_Texts__c", "no report type TwilioSF_Texts__c"},
	"a group that is a column":  {byStatus, "<field>TwilioSF_Message__c$Name", "<field>TwilioSF_Message__c$Status__c", "cannot be a column"},
	"a sum of words":            {cost, "$Price__c", "$Body__c", "cannot be summed up"},
	"a report's filter":         {undelivered, "failed,undelivered", "failed,lost", `never "lost"`},
	"a report's time":           {byStatus, "<dateColumn>TwilioSF_Message__c$Date_Created__c", "<dateColumn>TwilioSF_Message__c$Status__c", "is no time"},
	"a table with groups":       {byStatus, "Summary", "Tabular", "a table has none"},
	"a report without a folder": {"reports/TwilioSF.reportFolder-meta.xml", "", "", "folder is not described"},

	"a flow that runs at once":    {sendFlow, "<status>Draft", "<status>Active", "a template is a draft"},
	"a way to nowhere":            {sendFlow, "<targetReference>Write_the_Text", "<targetReference>Read_the_Text", "Read_the_Text, which is not there"},
	"an element out of the way":   {sendFlow, "<targetReference>Show_the_Fault", "<targetReference>Ask_for_It", "Show_the_Fault is never reached"},
	"a flow's field":              {sendFlow, "<field>Body__c", "<field>Text__c", "has no Text__c"},
	"a flow that sends nothing":   {sendFlow, "<stringValue>Send<", "<stringValue>Draft<", "nobody sends"},
	"a flow's value":              {sendFlow, "<stringValue>Send<", "<stringValue>send<", `Status__c is never "send"`},
	"a variable gone":             {sendFlow, "<elementReference>ContactId", "<elementReference>PersonId", "refers to PersonId"},
	"a record's field gone":       {sendFlow, "Get_Lead.MobilePhone", "Get_Lead.Mobile", "refers to Get_Lead.Mobile"},
	"a formula's field gone":      {notifyFlow, "LEFT({!$Record.Body__c}", "LEFT({!$Record.Text__c}", "refers to $Record.Text__c"},
	"a name twice":                {sendFlow, "<name>LeadId", "<name>ContactId", `"ContactId" is there twice`},
	"a flow that holds us up":     {notifyFlow, "<pathType>AsyncAfterCommit</pathType>", "", "hold the record up"},
	"a start on a value gone":     {notifyFlow, "<stringValue>inbound", "<stringValue>incoming", `Direction__c is never "incoming"`},
	"a way to a field gone":       {notifyFlow, "<field>Direction__c", "<field>Way__c", "has no Way__c"},
	"a flow's element of no name": {sendFlow, "<name>Get_Lead", "<name>Get Lead", `"Get Lead" is there twice, or is none`},
	"a Studio flow of no account": {studioFlow, "<field>Flow_SID__c", "<field>Flow__c", "has no Flow__c"},
}

// TestEachSlipIsSeen spoils the source in one place after the other: a check that
// sees nothing there would see nothing in earnest.
func TestEachSlipIsSeen(t *testing.T) {
	whole := copyOf(t)
	types, read := metaTypes(t), map[string]*node{}
	for name, s := range slips {
		t.Run(name, func(t *testing.T) {
			tree, file := spoilt(t, whole, s)
			found := check(t, tree, types, read)
			require.Contains(t, strings.Join(found, "\n"), s.says, file)
		})
	}
}

func spoilt(t *testing.T, whole fstest.MapFS, s slip) (tree fstest.MapFS, file string) {
	t.Helper()
	tree, file = fstest.MapFS{}, root+"/"+s.file
	for name, f := range whole {
		tree[name] = f
	}
	if s.is == "" && s.becomes != "" {
		require.NotContains(t, tree, file)
		tree[file] = &fstest.MapFile{Data: []byte(s.becomes)}
		return tree, file
	}
	require.Contains(t, tree, file)
	if s.is == "" {
		delete(tree, file)
		return tree, file
	}
	text := string(tree[file].Data)
	require.Contains(t, text, s.is)
	tree[file] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, s.is, s.becomes))}
	return tree, file
}

// TestTheBundleRefusesWhatItDoesNotKnow: a file that is left out in silence is a
// field that is missing in the org.
func TestTheBundleRefusesWhatItDoesNotKnow(t *testing.T) {
	for file, says := range map[string]string{
		"classes/Send.cls-meta.xml":                     "no kind of metadata that is known here",
		"tabs/Send.page-meta.xml":                       "does not show in its name",
		"reports/Send.xml":                              "does not show in its name",
		"reports/TwilioSF/Send.xml":                     "does not show in its name",
		messageDir + "Send.xml":                         "does not show in its name",
		messageDir + "fields/Send.xml":                  "does not show in its name",
		messageDir + "webLinks/Send.webLink-meta.xml":   "no part of an object that is known here",
		"objects/Send__c/fields/Name__c.field-meta.xml": "Send__c.object-meta.xml",
		messageDir + "fields/Send__c.field-meta.xml":    "not a CustomField",
	} {
		tree := copyOf(t)
		tree[root+"/"+file] = &fstest.MapFile{Data: []byte(`<Page/>`)}
		_, err := metadata.BundleOf(tree)
		require.ErrorContains(t, err, says, file)
	}
}
