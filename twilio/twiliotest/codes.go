package twiliotest

import "fmt"

// codeTexts are the usual texts of the error codes the account gives, after
// https://www.twilio.com/docs/api/errors.
var codeTexts = map[int]string{
	20001: "Invalid parameter",
	20003: "Authenticate",
	20004: "Method not allowed",
	20005: "Account not active",
	20409: "Conflict",
	20009: "Unable to update record: delivery has not been completed.",
	20429: "Too Many Requests",
	20500: "An internal server error has occurred",
	20503: "Service unavailable",
	21211: "Invalid 'To' Phone Number",
	21212: "Invalid 'From' Number",
	21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
	21481: "Invalid PageToken",
	21602: "Message body is required.",
	21603: "A 'From' phone number is required.",
	21604: "A 'To' phone number is required.",
	21606: "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination/account",
	21608: "The number is unverified. Trial accounts cannot send messages to unverified numbers",
	21609: "The StatusCallback URL is not a valid URL.",
	21610: "Attempt to send to unsubscribed recipient",
	21611: "This 'From' number has exceeded the maximum number of queued messages",
	21612: "Message cannot be sent with the current combination of 'To' and/or 'From' parameters",
	21614: "'To' number is not a valid mobile number",
	21617: "The concatenated message body exceeds the 1600 character limit",
	21620: "Invalid media URL(s)",
	21621: "The 'From' number has not been enabled for picture messaging",
	21623: "Number of media files exceeds allowed limit",
	21624: "The ValidityPeriod is not valid",
	21635: "The 'To' number is a landline",
	21654: "ContentSid Required",
	21655: "The ContentSid is Invalid",
	21656: "The ContentVariables Parameter is invalid",
	21703: "The Messaging Service does not have a suitable sender for this message",
	21704: "The Messaging Service contains no phone numbers",
	21705: "The Messaging Service Sid is invalid",
	21910: "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel",
	30001: "Queue overflow",
	30002: "Account suspended",
	30003: "Unreachable destination handset",
	30004: "Message blocked",
	30005: "Unknown destination handset",
	30006: "Landline or unreachable carrier",
	30007: "Message filtered",
	30008: "Unknown error",
	30034: "Message from an Unregistered Number",
	30036: "Validity Period Expired",
	30409: "This message cannot be canceled",
	35111: "The SendAt parameter is required to schedule a message",
	35114: "Scheduling does not support this timestamp",
	35118: "MessagingServiceSid is required to schedule a message",
	81023: "The combined length of To and From is too long",
	63003: "Channel could not find To address",
	63007: "Twilio could not find a Channel with the specified From address",
	63016: "Failed to send freeform message because you are outside the allowed window",
}

func codeText(code int) string {
	if text, ok := codeTexts[code]; ok {
		return text
	}
	return fmt.Sprintf("Error %d", code)
}
