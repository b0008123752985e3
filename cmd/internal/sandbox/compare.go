package sandbox

import (
	"encoding/hex"
	"fmt"

	"github.com/twiliosf/twiliosf/salesforce/salesforcetest"
	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// MessageObject is the object that holds one record a message.
const MessageObject = "TwilioSF_Message__c"

// SIDField is its field that holds the Message SID.
const SIDField = "Message_SID__c"

// maxExamples is how many defects a Comparison names.
const maxExamples = 10

// Comparison is what the two emulators hold, side by side. Messages and Records
// are totals; the others count defects.
type Comparison struct {
	Messages, Records int
	// Lost counts messages without a record.
	Lost int
	// Duplicated counts records too many: the second and later ones of a SID,
	// and the Strange ones.
	Duplicated int
	// Strange counts records whose SID is empty or no message's.
	Strange int
	// Stale counts records that differ from their message in some field.
	Stale int
	// Examples name the first defects, at most ten.
	Examples []Example
}

// Defect is a kind of disagreement.
type Defect string

// The defects, as Comparison counts them.
const (
	Lost       Defect = "lost"
	Duplicated Defect = "duplicated"
	Strange    Defect = "strange"
	Stale      Defect = "stale"
)

// Example is one defect: the message's SID and, of a stale record, the API name
// of the first field that differs. It never holds a value.
type Example struct {
	Defect     Defect
	SID, Field string
}

// String is "stale SM0123... Status__c".
func (e Example) String() string {
	text := string(e.Defect) + " " + e.SID
	if e.SID == "" {
		text += "a record without a SID"
	}
	if e.Field != "" {
		text += " " + e.Field
	}
	return text
}

// Clean reports that each message has exactly one record, equal in every field,
// and that there is no other record.
func (c Comparison) Clean() bool { return c.Lost+c.Duplicated+c.Stale == 0 }

// String is "0 lost, 0 duplicated, 0 stale".
func (c Comparison) String() string {
	return fmt.Sprintf("%d lost, %d duplicated, %d stale", c.Lost, c.Duplicated, c.Stale)
}

// Compare reads both emulators directly, past the vendors' APIs. It sees two
// moments: while messages arrive or change, what is under way counts as lost or
// stale. A million messages take some seconds and 50 MB.
func Compare(tw *twiliotest.Server, org *salesforcetest.Server) Comparison {
	c := &comparing{found: make(map[sidKey]bool, tw.Len())}
	for record := range org.Rows(MessageObject) {
		c.record(tw, record)
	}
	for m := range tw.Messages() {
		c.message(m.SID)
	}
	c.Messages = len(c.found)
	return c.Comparison
}

// sidKey is a SID, packed: the second letter and the 32 digits.
type sidKey [17]byte

func packSID(sid string) (k sidKey, ok bool) {
	if len(sid) != 34 {
		return k, false
	}
	k[0] = sid[0] ^ sid[1]
	_, err := hex.Decode(k[1:], []byte(sid[2:]))
	return k, err == nil
}

type comparing struct {
	Comparison
	// found has every message that was seen on either side; true says that it
	// has been counted on Twilio's.
	found map[sidKey]bool
}

func (c *comparing) record(tw *twiliotest.Server, record map[string]any) {
	c.Records++
	sid, _ := record[SIDField].(string) //nolint:errcheck // a record without one has the empty SID
	key, ok := packSID(sid)
	m, known := twiliotest.Row{}, false
	if ok {
		m, known = tw.Message(sid)
	}
	if !known {
		c.Strange++
		c.Duplicated++
		c.example(Strange, sid, "")
		return
	}
	if _, again := c.found[key]; again {
		c.Duplicated++
		c.example(Duplicated, sid, "")
		return
	}
	c.found[key] = false
	if field := differs(&m, record); field != "" {
		c.Stale++
		c.example(Stale, sid, field)
	}
}

// message counts a message once, although one that moves in the list during the
// walk may come twice.
func (c *comparing) message(sid string) {
	key, ok := packSID(sid)
	if !ok {
		return // the account makes no such SID
	}
	if _, found := c.found[key]; !found {
		c.Lost++
		c.example(Lost, sid, "")
	}
	c.found[key] = true
}

func (c *comparing) example(d Defect, sid, field string) {
	if len(c.Examples) < maxExamples {
		c.Examples = append(c.Examples, Example{Defect: d, SID: sid, Field: field})
	}
}
