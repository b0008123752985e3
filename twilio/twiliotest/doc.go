// Package twiliotest is an emulated Twilio account for tests, demonstrations
// and development: the Messages, Media, IncomingPhoneNumbers, ShortCodes, Account
// and Balance resources of https://api.twilio.com/2010-04-01, the Services of
// https://messaging.twilio.com/v1 with their pools, and the Executions of
// https://studio.twilio.com/v2, strict enough that a vendor's own client cannot
// tell.
//
//	srv := twiliotest.NewServer(twiliotest.Options{})
//	defer srv.Close()
//	resp, err := srv.Client().Do(req) // no socket; works with virtual time
//
// Client calls the account in the caller's goroutine. Nothing runs in the
// background until Listen: a message's life (queued, sending, sent, delivered)
// is a list of moments decided when it is made and applied by whoever looks at
// the account next. In a testing/synctest bubble, make the Server inside it.
//
// Webhooks are the same: the account keeps the calls that it owes to
// Options.Webhook until Deliver makes those that are due. Run does so all the
// time, in the caller's goroutine and up to 16 more.
//
// Where Twilio documents nothing, or two things that disagree, the behaviour
// is a switch (see Switches) whose zero value is our best guess; a client is
// right only when it works in every position. What the account does not
// understand it refuses with Twilio's error body, except unknown list filters
// and unknown form parameters, which Twilio ignores: Server.Unknown names them.
//
// The resources' public documentation:
// https://www.twilio.com/docs/messaging/api/message-resource and
// https://www.twilio.com/docs/messaging/api/media-resource.
package twiliotest
