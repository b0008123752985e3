// Package followup does what follows from a message once it is known: its media
// become child records, a person's last status is kept, opt-ins are written. A
// follow-up is durable before it is done, done at least once, and holds up no
// message.
package followup
