package config

// peopleKeys say whose number a number is.
func peopleKeys() []key {
	return []key{
		{
			path: "people.country", kind: text, fallback: "US", check: checkCountry,
			doc: "The country, as its two letters in ISO 3166, by which a phone number in the org is read that has no country code.",
		},
		{
			path: "people.refresh_every", kind: duration, fallback: "5m", low: "1m", high: "24h",
			doc: "How often the org is asked which phone numbers have changed: one call for every five objects.",
		},
		{
			path: "people.objects", kind: phoneObjects, fallback: "[Contact, Lead, Account, Case]",
			doc:     "The objects whose records have phone numbers. The four have their usual fields; of any other, name the fields, and the message object's lookup to it. [] looks for nobody.",
			example: "[Contact, Lead, {object: Patient__c, fields: [Mobile__c], lookup: Patient__c}]",
		},
		{
			path: "people.link", kind: text, fallback: LinkUnique, enum: []string{LinkUnique, LinkOff},
			doc: "unique fills a message's lookup when exactly one record of the object has the number; off fills none.",
		},
		{
			path: "people.owner", kind: text, fallback: OwnerRecord, enum: []string{OwnerRecord, OwnerIntegration},
			doc: "Who owns a message's record. record: the owner of the one Contact, Lead, Account or Case that has the number, else the user whose personal number it is, else the integration user; integration_user: always that one.",
		},
	}
}

// The values of people.link and people.owner.
const (
	LinkUnique       = "unique"
	LinkOff          = "off"
	OwnerRecord      = "record"
	OwnerIntegration = "integration_user"
)
