package config

import "regexp"

// vendorKeys are the two accounts. SIDs: https://www.twilio.com/docs/glossary/what-is-a-sid.
// API keys: https://www.twilio.com/docs/iam/api-keys.
func vendorKeys() []key {
	return append(twilioKeys(), salesforceKeys()...)
}

func twilioKeys() []key {
	return []key{
		{
			path: "twilio.account_sid", kind: text, needed: "always", shown: true,
			doc:     "The Account SID, from the first page of the Twilio console.",
			example: "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			pattern: regexp.MustCompile(`^AC[0-9a-f]{32}$`), shape: "AC and 32 lower-case hexadecimal digits",
		},
		{
			path: "twilio.api_key_sid", kind: text, shown: true,
			doc:     "The SID of a standard API key. Goes with api_key_secret. Without an API key, auth_token is used for every call.",
			example: "SKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			pattern: regexp.MustCompile(`^SK[0-9a-f]{32}$`), shape: "SK and 32 lower-case hexadecimal digits",
		},
		{
			path: "twilio.api_key_secret", kind: secret, shown: true, example: "twilio-api-key-secret",
			doc: "The API key's secret, which Twilio showed once.",
		},
		{
			path: "twilio.auth_token", kind: secret, example: "twilio-auth-token",
			doc: "The account's primary Auth Token. Needed where no API key is given, and for webhooks, which Twilio signs with it.",
		},
		{
			path: "twilio.base_url", kind: text, check: checkBaseURL, example: "http://127.0.0.1:8401",
			doc: "One URL that answers in place of every Twilio host: the sandbox or a proxy. Empty means Twilio itself. http only to this machine.",
		},
		senderKey(),
		{
			path: "twilio.concurrency", kind: whole, fallback: "8", low: "1", high: "100", unit: "requests",
			doc: "How many requests to Twilio are under way at once, at most. It falls by itself when Twilio answers 429.",
		},
		{
			path: "twilio.webhook.public_url", kind: text, check: checkPublicURL, example: "https://sms.example.com/twilio",
			doc: "The URL that Twilio calls, for messages that come in and for statuses. Twilio signs it, so write it here just as it is written there.",
		},
		{
			path: "twilio.webhook.listen", kind: text, fallback: "127.0.0.1:8081", check: checkListen,
			doc: "Host and port to listen on for these calls, behind the proxy that answers at public_url.",
		},
		{
			path: "twilio.webhook.tls_cert_file", kind: text, check: checkFile, example: "/etc/twiliosf/tls.crt",
			doc: "The certificate, with its chain, as PEM, when no proxy stands in front. Goes with tls_key_file.",
		},
		{
			path: "twilio.webhook.tls_key_file", kind: text, check: checkFile, example: "/etc/twiliosf/tls.key",
			doc: "The certificate's private key, as PEM.",
		},
	}
}

func salesforceKeys() []key {
	return append(loginKeys(), orgKeys()...)
}

func loginKeys() []key {
	return []key{
		{
			path: "salesforce.login_url", kind: text, fallback: "https://login.salesforce.com", check: checkLoginURL,
			doc: "Where to log in: https://login.salesforce.com, https://test.salesforce.com for a sandbox, or the org's My Domain URL, which client_credentials requires. http only to this machine.",
		},
		{
			path: "salesforce.audience", kind: text, check: checkAudience, example: "https://login.salesforce.com",
			doc: "The audience (aud) of the JWT. Empty means login_url.",
		},
		{
			path: "salesforce.auth", kind: text, fallback: "jwt", enum: []string{string(AuthJWT), string(AuthClientCredentials), string(AuthPassword)},
			doc: "How to log in. jwt needs client_id, username and private_key; client_credentials needs client_id, client_secret and a My Domain login_url; password (SOAP login, up to API version 64.0) needs username, password and usually security_token.",
		},
		{
			path: "salesforce.client_id", kind: text, needed: "salesforce.auth=jwt|client_credentials", shown: true,
			doc:     "The consumer key of the connected app or external client app.",
			example: "replace-with-the-consumer-key",
			pattern: regexp.MustCompile(`^\S+$`), shape: "one word without blanks",
		},
		{
			path: "salesforce.client_secret", kind: secret, needed: "salesforce.auth=client_credentials", example: "salesforce-client-secret",
			doc: "The app's consumer secret.",
		},
		{
			path: "salesforce.username", kind: text, needed: "salesforce.auth=jwt|password", shown: true,
			doc:     "The integration user's username (not the e-mail address, though it looks like one).",
			example: "replace-with-the-username@example.com",
			pattern: regexp.MustCompile(`^[^\s@]+@[^\s@]+$`), shape: "a username in the form of an e-mail address",
		},
		{
			path: "salesforce.private_key", kind: secret, needed: "salesforce.auth=jwt", shown: true, example: "salesforce-private-key", check: checkPrivateKey,
			doc: "The RSA private key, as PEM (PKCS#1 or PKCS#8, not encrypted), whose certificate the app holds.",
		},
		{
			path: "salesforce.password", kind: secret, needed: "salesforce.auth=password", example: "salesforce-password",
			doc: "The integration user's password.",
		},
		{
			path: "salesforce.security_token", kind: secret, example: "salesforce-security-token",
			doc: "The security token that Salesforce mailed to the integration user, for auth password from an address that the org does not trust.",
		},
	}
}

func orgKeys() []key {
	return []key{
		{
			path: "salesforce.api_version", kind: text, fallback: "64.0", example: "64.0",
			pattern: regexp.MustCompile(`^[1-9][0-9]{1,2}\.0$`), shape: `a version such as "64.0", in quotes`, check: checkAPIVersion,
			doc: "The REST API version. password needs 64.0 or lower.",
		},
		{
			path: "salesforce.daily_api_share", kind: share, fallback: "0.5", low: "0", above: true, high: "1",
			doc: "The share of the org's daily API calls that may be used. Once it is, every call to Salesforce waits, whatever it is for.",
		},
		{
			// The most long-running requests that a production org bears at once.
			// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
			path: "salesforce.concurrency", kind: whole, fallback: "8", low: "1", high: "25", unit: "requests",
			// A message waits for its turn half of what a call takes, divided by this.
			doc: "How many requests to Salesforce are under way at once, at most. The more, the sooner a message's turn comes.",
		},
		{
			// Salesforce advises Bulk API from 2,000 records on.
			// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/asynch_api_intro.htm
			path: "salesforce.bulk_threshold", kind: whole, fallback: "2000", low: "200", high: "20000", unit: "records",
			doc: "How many records must wait for Bulk API 2.0 to be used, which takes fewer API calls and more time than batches of 200.",
		},
		{
			path: "salesforce.objects", kind: objects, fallback: "default",
			doc:     "What the org calls our objects and fields. default means the names that come with twiliosf, managed those of the package Twilio for Salesforce (TwilioSF__Message__c), to which messages are mirrored and nothing else is done; a mapping names what differs, from managed if it says preset: managed.",
			example: "{message: {object: X__c, body: My_Body__c}}",
		},
	}
}

// messageKey is one name under salesforce.objects.message.
type messageKey struct{ name, doc string }

// objectKey names the object itself.
const objectKey = "object"

var messageKeys = []messageKey{
	{objectKey, "the object's API name"},
	{"sid", "the Message SID: text of 34 characters, external id, unique"},
	{"body", "the text of the message"},
	{"from", "the sender's number"},
	{"to", "the receiver's number"},
	{"their_number", "the other party's number, whoever wrote"},
	{"direction", "inbound, outbound-api, outbound-reply or outbound-call"},
	{"status", "the delivery status"},
	{"error_code", "Twilio's error code"},
	{"error_message", "Twilio's error text"},
	{"created", "when Twilio made the message"},
	{"sent", "when Twilio sent it"},
	{"updated", "when Twilio last changed it"},
	{"service_sid", "the Messaging Service's SID"},
	{"segments", "the number of segments"},
	{"media", "the number of media"},
	{"price", "the price"},
	{"price_unit", "the price's currency"},
	{"unread", "set on what comes in; users clear it"},
	{"contact", "the lookup to the Contact"},
	{"lead", "the lookup to the Lead"},
	{"account", "the lookup to the Account"},
	{"case", "the lookup to the Case"},
	{"parent", "the id of a record that has no lookup of its own"},
	{"bulk_message", "the lookup to the bulk message that it is one of"},
	{"send_at", "when a record with Status Send is to be sent; without it nothing can be scheduled"},
	{"media_url", "addresses of media to send, one a line"},
	{"content_sid", "the Content template to send"},
	{"content_variables", "the template's variables, as JSON"},
	{"request_key", "our key of a record that never gets a Message SID"},
	{"rejected_sid", "the SID under which Twilio lists a send that it refused"},
}

// MessageKeys are the names that a mapping under salesforce.objects.message may
// hold beside "object".
func MessageKeys() []string {
	out := make([]string, 0, len(messageKeys)-1)
	for _, k := range messageKeys[1:] {
		out = append(out, k.name)
	}
	return out
}
