package campaign

// Code is Twilio's for the same, 0 for none.
// https://www.twilio.com/docs/api/errors
func (r Reason) Code() int {
	switch r {
	case NoNumber, BadNumber:
		return 21211
	case OptedOut, Blocked:
		return 21610
	case NoText:
		return 21602
	default:
		return 0
	}
}

// Words are what the record of somebody says who is left out.
func (r Reason) Words() string {
	switch r {
	case NoNumber:
		return "Not sent: the person has no phone number."
	case BadNumber:
		return "Not sent: the phone number is none that can be texted. Correct it on the person's record."
	case Duplicate:
		return "Not sent: another person of the audience has the same number, and it is texted once."
	case OptedOut:
		return "Not sent: the number has opted out (it answered STOP, or its opt-in was ended)."
	case NotOptedIn:
		return "Not sent: the number has not opted in to the campaign's keyword."
	case Blocked:
		return "Not sent: the last message to this person was blocked."
	case NoText:
		return "Not sent: with this person's values the text is empty, or longer than Twilio takes."
	case CalledOff:
		return "Not sent: the campaign was canceled before."
	default:
		return "Not sent."
	}
}
