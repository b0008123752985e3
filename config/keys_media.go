package config

func mediaKeys() []key {
	return []key{
		{
			path: "media.store", kind: text, fallback: MediaLink, enum: []string{MediaLink, MediaFiles},
			doc: "link keeps a record that links to Twilio, for each medium. files saves each to Salesforce Files as well, up to 20 MB, which takes file storage and one API call.",
		},
	}
}
