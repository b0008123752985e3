package twilio

import "github.com/twiliosf/twiliosf/sync/fault"

// rule is what is known of one of Twilio's error codes.
type rule struct {
	class   fault.Class // for answers in the 400s; other statuses decide themselves
	meaning string      // our words: Twilio's may repeat a number or a body
	hint    string
}

// Hints that several codes share.
const (
	hintSender  = "Check the sender and the numbers of the account or Messaging Service: this sender cannot be used here."
	hintGeo     = "Allow the destination under Messaging, Geo Permissions, in the Twilio Console."
	hintTrial   = "The account is on trial: verify the number, or upgrade the account."
	hintContent = "Send it as an approved content template."
	hintA2P     = "Register the sender (A2P 10DLC campaign, toll-free verification) in the Twilio Console."
	hintNumber  = "Check the number: + and the country code first, and one that can receive texts."
	hintOptOut  = "Nothing more may be sent to this number until its owner has written START."
	hintLong    = "Shorten the text to 1,600 characters."
	hintMedia   = "Give the address of a picture or file that everybody can fetch: http or https, at most ten, 5 MB together."
	hintValues  = "Write the template's variables as a JSON object: {\"1\":\"Anna\"}."
	hintEmpty   = "Fill in a text, a media address or a content template."
	hintQueue   = "The sender has ten hours of messages before it: send slower, or add senders to a Messaging Service."
	hintLater   = "Give a time between five minutes and 35 days ahead."
	hintCarrier = "Ask Twilio's support why, with the message's SID."
	hintWebhook = "Look at the webhook that the Twilio Console's error log names: it failed or answered something Twilio cannot read."
)

// codes are the codes that matter to messages. Throttled and Transient ones may
// be sent again unchanged, later; Permanent ones may not; Auth ones wait for
// the operator. Codes that only a message's error_code shows are here too,
// because Twilio answers some of them directly to some accounts.
// https://www.twilio.com/docs/api/errors
var codes = map[int]rule{
	20001: {fault.Permanent, "a parameter or a date is not valid", ""},
	20003: {fault.Auth, "the credentials are not accepted", ""},
	20005: {fault.Auth, "the account is not active", hintAccount},
	20008: {fault.Auth, "test credentials cannot be used for this", hintTest},
	20009: {fault.Transient, "delivery is not completed yet", ""},
	20403: {fault.Auth, "the account or this credential may not do this", hintAccount},
	20404: {fault.Permanent, "there is no such resource", ""},
	20409: {fault.Permanent, "it conflicts with the resource's present state", ""},
	20422: {fault.Permanent, "a parameter is not valid", ""},
	20429: {fault.Throttled, "too many requests at a time", ""},
	20500: {fault.Transient, "an internal error of Twilio's", ""},
	20503: {fault.Transient, "Twilio is not available", ""},

	21211:         {fault.Permanent, "the recipient is no valid number", hintNumber},
	21212:         {fault.Permanent, "the sender is not valid", hintSender},
	21408:         {fault.Permanent, "the recipient's region is not enabled", hintGeo},
	codePageToken: {fault.Permanent, "the list's page token is not valid any more", ""},
	21602:         {fault.Permanent, "the body is missing", hintEmpty},
	21603:         {fault.Permanent, "the sender is missing", hintSender},
	21604:         {fault.Permanent, "the recipient is missing", hintNumber},
	21606:         {fault.Permanent, "the sender cannot send this message", hintSender},
	21608:         {fault.Permanent, "the recipient is not verified", hintTrial},
	21609:         {fault.Permanent, "the status callback's URL is not valid", "Check twilio.webhook.public_url."},
	21610:         {fault.Permanent, "the recipient has opted out", hintOptOut},
	21611:         {fault.Throttled, "the sender's queue is full", hintQueue},
	21612:         {fault.Permanent, "the recipient cannot be reached from this sender", hintSender},
	21614:         {fault.Permanent, "the recipient is no mobile number", hintNumber},
	21617:         {fault.Permanent, "the body is longer than 1,600 characters", hintLong},
	21619:         {fault.Permanent, "the body or the media is missing", hintEmpty},
	21620:         {fault.Permanent, "the media's URL is not valid", hintMedia},
	21621:         {fault.Permanent, "the sender cannot send media", hintSender},
	21623:         {fault.Permanent, "there are too many media", hintMedia},
	21624:         {fault.Permanent, "the validity period is not valid", ""},
	21635:         {fault.Permanent, "the recipient is a landline", hintNumber},
	21654:         {fault.Permanent, "the content SID is missing", hintContent},
	21655:         {fault.Permanent, "the content SID is not valid", hintContent},
	21656:         {fault.Permanent, "the content variables are not valid", hintValues},
	21703:         {fault.Permanent, "the Messaging Service has no suitable sender", hintSender},
	21704:         {fault.Permanent, "the Messaging Service has no senders", hintSender},
	21705:         {fault.Permanent, "the Messaging Service's SID is not valid", hintSender},

	21910: {fault.Permanent, "sender and recipient are not of the same channel", "Give both with whatsapp: in front, or neither."},

	30001: {fault.Throttled, "the sender's queue has overflowed", hintQueue},
	30002: {fault.Auth, "the account was suspended", hintAccount},
	30003: {fault.Transient, "the handset cannot be reached", ""},
	30004: {fault.Permanent, "the message is blocked", hintCarrier},
	30005: {fault.Permanent, "the handset is unknown", hintNumber},
	30006: {fault.Permanent, "a landline or a carrier that cannot be reached", hintNumber},
	30007: {fault.Permanent, "the message was filtered", "Review the text: Twilio or the carrier took it for unwanted."},
	30008: {fault.Transient, "an unknown error of the carrier's", ""},
	30017: {fault.Throttled, "the carrier is congested", ""},
	30022: {fault.Throttled, "the sender's rate at the carrier is exceeded", ""},
	30023: {fault.Throttled, "the brand's daily limit at the carrier is reached", ""},
	30027: {fault.Throttled, "the campaign's daily limit at the carrier is reached", ""},
	30032: {fault.Permanent, "the toll-free sender is not verified", hintA2P},
	30034: {fault.Permanent, "the sender is in no approved A2P 10DLC campaign", hintA2P},
	30035: {fault.Transient, "the sender is still being configured", ""},
	30036: {fault.Permanent, "the validity period has elapsed", ""},
	30409: {fault.Permanent, "the message cannot be canceled any more", ""},
	30410: {fault.Transient, "the provider did not answer in time", ""},
	30450: {fault.Permanent, "blocked as SMS pumping", hintCarrier},
	30610: {fault.Transient, "held back by the recipient's quiet hours", ""},
	30640: {fault.Permanent, "blocked by the compliance toolkit", hintCarrier},

	35111: {fault.Permanent, "the time to send at is missing", hintLater},
	35114: {fault.Permanent, "the time to send at is not within Twilio's window", hintLater},
	35115: {fault.Permanent, "the time to send at is not within Twilio's window", hintLater},
	35117: {fault.Permanent, "the time to send at is not within Twilio's window", hintLater},
	35118: {fault.Permanent, "scheduling needs a Messaging Service", hintSender},
	35125: {fault.Permanent, "too many messages are scheduled", "Wait until some of them have been sent, or cancel some."},

	63003: {fault.Permanent, "the channel cannot find the recipient", hintNumber},
	63007: {fault.Permanent, "there is no such sender on the channel", hintSender},
	63016: {fault.Permanent, "outside the 24-hour window the channel takes templates only", hintContent},
	63018: {fault.Throttled, "the channel's rate limit is exceeded", ""},
	63024: {fault.Permanent, "the recipient is not valid on the channel", hintNumber},
	63032: {fault.Permanent, "the channel limits messages to this recipient", hintCarrier},
	63033: {fault.Permanent, "the recipient has blocked the sender", hintOptOut},
	63049: {fault.Permanent, "the channel chose not to deliver the message", hintCarrier},
	63051: {fault.Permanent, "the channel has locked the account", hintCarrier},

	81023: {fault.Permanent, "recipient and sender are longer than 300 bytes together", hintNumber},

	11200: {fault.Permanent, "a webhook could not be fetched", hintWebhook},
	11205: {fault.Permanent, "a webhook could not be connected to", hintWebhook},
	11210: {fault.Permanent, "a webhook's host name is not valid", hintWebhook},
	11215: {fault.Permanent, "a webhook redirected too often", hintWebhook},
	12100: {fault.Permanent, "a webhook's answer could not be parsed", hintWebhook},
	12200: {fault.Permanent, "a webhook's answer is not valid TwiML", hintWebhook},
	12300: {fault.Permanent, "a webhook's answer has a wrong content type", hintWebhook},
	82002: {fault.Permanent, "a Twilio Function failed", hintWebhook},
}

// codePageToken is "Invalid PageToken": the walk begins again.
// https://www.twilio.com/docs/api/errors/21481
const codePageToken = 21481
