package archive

import "github.com/twiliosf/twiliosf/sync/message"

// SchemaVersion is the version of Columns, which manifests name. A column is added
// at the end of its table and never changes its type.
const SchemaVersion = 1

// Table is a kind of rows; files of each lie in a folder of its name.
type Table string

// The tables.
const (
	Messages Table = "messages"
	Media    Table = "media"
)

// Type is what a column holds, and what a Record has for it.
type Type uint8

// The types. A value that is not there is nil.
const (
	Text    Type = iota // string
	Instant             // time.Time, UTC, whole milliseconds
	Day                 // time.Time, midnight UTC
	Number              // float64
	Whole               // int64
	Flag                // bool
	JSON                // string: an object
)

// Column is a column of a table. Its name is the API name that
// deploy/salesforce ships, whatever the org calls the field.
type Column struct {
	Name string
	Type Type
}

// Names of columns that the archive itself reads.
const (
	ColID       = "Id"
	ColOwner    = "OwnerId"
	ColMade     = "CreatedDate"
	ColModified = "SystemModstamp"
	ColSID      = "Message_SID__c"
	ColCreated  = "Date_Created__c"
	ColStatus   = "Status__c"
	ColFrom     = "From_Number__c"
	ColTo       = "To_Number__c"
	ColTheirs   = "Their_Number__c"
	ColAfter    = "Archive_After__c"
	ColArchived = "Archived__c"
	ColMessage  = "Message__c" // of media: the record id of the message
	ColMedium   = "Media_SID__c"
	// ColExtra holds the org's own fields by their API names.
	ColExtra = "extra"
)

var columns = map[Table][]Column{
	Messages: {
		{ColID, Text}, {ColOwner, Text}, {ColMade, Instant}, {ColModified, Instant},
		{ColSID, Text}, {"Body__c", Text}, {ColFrom, Text}, {ColTo, Text}, {ColTheirs, Text},
		{"Direction__c", Text}, {ColStatus, Text}, {"Error_Code__c", Text}, {"Error_Message__c", Text},
		{ColCreated, Instant}, {"Date_Sent__c", Instant}, {"Date_Updated__c", Instant},
		{"Messaging_Service_Sid__c", Text}, {"Num_Segments__c", Whole}, {"Num_Media__c", Whole},
		{"Price__c", Number}, {"Price_Unit__c", Text}, {"Media_Url__c", Text},
		{"Content_Sid__c", Text}, {"Content_Variables__c", Text}, {"Send_At__c", Instant},
		{"Request_Key__c", Text}, {"Rejected_SID__c", Text}, {"Unread__c", Flag}, {ColArchived, Flag}, {ColAfter, Day},
		{"Contact__c", Text}, {"Lead__c", Text}, {"Account__c", Text}, {"Case__c", Text},
		{"Parent_Record_Id__c", Text}, {"Bulk_Message__c", Text}, {ColExtra, JSON},
	},
	Media: {
		{ColID, Text}, {ColMade, Instant}, {ColModified, Instant}, {ColMessage, Text}, {ColSID, Text},
		{ColMedium, Text}, {"Content_Type__c", Text}, {"Url__c", Text}, {"File_Id__c", Text}, {ColExtra, JSON},
	},
}

// Columns are a table's, in their order. The slice is not to be changed.
func Columns(t Table) []Column { return columns[t] }

// places are the columns' places by their names.
var places = func() map[Table]map[string]int {
	all := map[Table]map[string]int{}
	for t, cs := range columns {
		all[t] = map[string]int{}
		for i, c := range cs {
			all[t][c.Name] = i
		}
	}
	return all
}()

// text is a value that is text, "" if it is not there.
func (r *Record) text(name string) string {
	s, _ := r.Get(name).(string) //nolint:errcheck // nil is none
	return s
}

// SID is the message's; of a medium, its message's.
func (r *Record) SID() message.SID { return message.SID(r.text(ColSID)) }
