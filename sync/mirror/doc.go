// Package mirror brings every Twilio message into Salesforce, one record a SID,
// and keeps the record true for as long as its status may change.
//
// The way of a message is short. A Sweeper walks Twilio's list, newest first,
// and merges each page into the ledger, which keeps what is news. The Writer
// drains the ledger's changes, a Collections call at a time, and settles each of
// them: written, refused (quarantine) or put off. When all that a full sweep saw
// is settled, its cursor moves. A Backfill is the same walk over closed days.
//
// Invariants, by the number they have in the code:
//
//   - P2: a record is only ever upserted by SID; a SID has at most one write in
//     flight, and a write whose outcome is unknown is followed by another one of
//     the present state.
//   - P3: a cursor moves only when every message that the walk saw is in
//     Salesforce or in quarantine.
//   - P4: a status never moves back (message.News, in the ledger's Merge).
//   - P10: stopping needs no good-bye: what is not settled is still queued.
//
// The engine owns its ports (port.go) and knows neither vendor's client.
package mirror
