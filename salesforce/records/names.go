package records

// NoField as a field's name says that it is not written.
const NoField = "-"

// Names are the API names of the message object and its fields. An empty one
// takes the name that deploy/salesforce ships. An optional field may be NoField.
type Names struct {
	Object string // TwilioSF_Message__c

	// Required: the org must have them, writable. SID must be an external id
	// and unique: it keeps one message one record.
	SID       string // Message_SID__c
	Body      string // Body__c
	From      string // From_Number__c
	To        string // To_Number__c
	Direction string // Direction__c
	Status    string // Status__c

	// SIDCopy, where it is named, is given the SID too and is required: others may have
	// made records with the SID in that field alone, and these are adopted (Held).
	SIDCopy string // NoField

	// Optional: written where the org has them.
	Theirs       string // Their_Number__c
	ErrorCode    string // Error_Code__c
	ErrorMessage string // Error_Message__c
	Created      string // Date_Created__c
	Sent         string // Date_Sent__c
	Updated      string // Date_Updated__c
	Service      string // Messaging_Service_Sid__c
	Segments     string // Num_Segments__c
	Media        string // Num_Media__c
	Price        string // Price__c
	PriceUnit    string // Price_Unit__c

	// Optional, and the users' own once the record is made.
	Unread  string // Unread__c
	Contact string // Contact__c
	Lead    string // Lead__c
	Account string // Account__c
	Case    string // Case__c
	Parent  string // Parent_Record_Id__c
	Bulk    string // Bulk_Message__c

	// Optional: what a draft may say beside the above. Without SendAt nothing can
	// be scheduled, without the others nothing of that kind can be sent.
	SendAt        string // Send_At__c
	MediaURL      string // Media_Url__c
	ContentSID    string // Content_Sid__c
	ContentValues string // Content_Variables__c

	// Optional: RequestKey is the key of records that never get a SID, and
	// RejectedSID shows under which SID Twilio lists a send that it refused.
	RequestKey  string // Request_Key__c
	RejectedSID string // Rejected_SID__c

	// Fold writes a status that the picklist lacks as the nearest one that it has,
	// though the org may take any.
	Fold bool
}

const standardObject = "TwilioSF_Message__c"

// withDefaults fills in the names that are empty.
func (n Names) withDefaults() Names {
	if n.Object == "" {
		n.Object = standardObject
	}
	eachName(&n, func(name *string, standard string, _ bool) {
		if *name == "" {
			*name = standard
		}
	})
	return n
}

// eachName visits the fields' names.
func eachName(n *Names, visit func(name *string, standard string, required bool)) {
	for _, c := range columns {
		visit(c.name(n), c.standard, c.required)
	}
	for _, m := range marks {
		visit(m.name(n), m.standard, false)
	}
	for _, w := range wishes {
		visit(w.name(n), w.standard, false)
	}
}

// Org gives the org's names: the message object's, and its fields' by the names that
// deploy/salesforce ships; NoField is one that is not used.
func (n Names) Org() (object string, fields map[string]string) {
	n, fields = n.withDefaults(), map[string]string{}
	eachName(&n, func(name *string, standard string, _ bool) { fields[standard] = *name })
	return n.Object, fields
}
