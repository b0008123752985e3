package daemon

import (
	"context"
	"errors"

	"github.com/twiliosf/twiliosf/config"
	"github.com/twiliosf/twiliosf/salesforce/records"
	"github.com/twiliosf/twiliosf/sync/followup"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

// mirrorOnly says that the org has the managed package's objects and none of ours:
// messages are mirrored into it, and sending, campaigns, consent, media and people's last
// statuses stay with the package. Doing any of that beside it would be doing it twice.
func (g *generation) mirrorOnly() bool { return g.cfg.Salesforce.Objects.Managed() }

// noteMirrorOnly says at the start what is left out.
func (g *generation) noteMirrorOnly() {
	if g.mirrorOnly() {
		g.log.Info("salesforce.objects is managed: messages are mirrored into TwilioSF__Message__c; " +
			"sending, campaigns, Studio requests, opt-ins, media, last statuses and open conversations are left to the package")
	}
}

// names are the org's names for our fields.
func names(o config.Objects) records.Names {
	m := o.Message()
	n := records.Names{}
	if o.Managed() {
		n = records.Managed()
	}
	for name, field := range map[string]*string{
		"object": &n.Object, "sid": &n.SID, "body": &n.Body, "from": &n.From, "to": &n.To, "their_number": &n.Theirs,
		"direction": &n.Direction, "status": &n.Status, "error_code": &n.ErrorCode, "error_message": &n.ErrorMessage,
		"created": &n.Created, "sent": &n.Sent, "updated": &n.Updated, "service_sid": &n.Service,
		"segments": &n.Segments, "media": &n.Media, "price": &n.Price, "price_unit": &n.PriceUnit,
		"unread": &n.Unread, "contact": &n.Contact, "lead": &n.Lead, "account": &n.Account, "case": &n.Case, "parent": &n.Parent, "bulk_message": &n.Bulk,
		"send_at": &n.SendAt, "media_url": &n.MediaURL, "content_sid": &n.ContentSID, "content_variables": &n.ContentValues,
		"request_key": &n.RequestKey, "rejected_sid": &n.RejectedSID,
	} {
		if m[name] != "" {
			*field = m[name]
		}
	}
	return n
}

// sends are who knows which record asked for a message; nil: none did.
func (g *generation) sends() mirror.Sends {
	if g.mirrorOnly() {
		return nil
	}
	return claims{g}
}

// leaving does what follows from messages where that is left to the package: nothing,
// so that the queue does not grow for ever.
type leaving struct{}

// Do implements followup.Doer.
func (leaving) Do(_ context.Context, batch []message.FollowUp) ([]error, error) {
	return make([]error, len(batch)), nil
}

// nobodyFollows are the doers of an org that is only mirrored to.
func nobodyFollows() map[message.FollowUpKind]followup.Doer {
	return map[message.FollowUpKind]followup.Doer{
		message.FollowMedia: leaving{}, message.FollowStatus: leaving{}, message.FollowOptIn: leaving{}, message.FollowMember: leaving{},
	}
}

// errPackage is why an org with the managed package is not compared with what we ship.
var errPackage = errors.New("salesforce.objects is managed: the package brings its own objects, which are neither compared nor deployed; " +
	"twiliosf status names a field that is missing")
