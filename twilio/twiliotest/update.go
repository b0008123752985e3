package twiliotest

import (
	"net/http"
)

func (s *Server) fetchMessage(_ *http.Request, t target) reply {
	now := s.lock()
	defer s.mu.Unlock()
	ref, ok := s.visible(t.message, now)
	if !ok {
		return notFound(t.path)
	}
	return s.messageReply(ref)
}

func (s *Server) messageReply(ref uint32) reply {
	e := s.encoder(2048)
	e.message(s.ledger.at(ref), true)
	return jsonReply(http.StatusOK, e.b)
}

// visible finds a message that is not past the horizon; the lock is held.
func (s *Server) visible(sid string, now int64) (uint32, bool) {
	ref, ok := s.ledger.find(sid)
	if !ok {
		return 0, false
	}
	r := s.ledger.at(ref)
	return ref, max(r.created, r.sent) >= s.oldest(now)
}

// updateMessage redacts (Body present and empty) or cancels (Status=canceled).
func (s *Server) updateMessage(r *http.Request, t target) reply {
	f, rep, ok := form(r)
	if !ok {
		return rep
	}
	s.ignore(UpdateMessage, f, updateKeys)
	redact, cancel := f.Has("Body"), f.Has("Status")
	switch {
	case redact && f.Get("Body") != "":
		return badRequest(20001, "Body can only be updated to an empty string")
	case cancel && f.Get("Status") != "canceled":
		return badRequest(20001, "Status can only be updated to canceled")
	case !redact && !cancel:
		return badRequest(20001, "Body or Status is required")
	}
	now := s.lock()
	defer s.mu.Unlock()
	ref, ok := s.visible(t.message, now)
	if !ok {
		return notFound(t.path)
	}
	m := s.ledger.at(ref)
	switch {
	case cancel && m.status != scheduled:
		return refusal(http.StatusConflict, 30409, "")
	case redact && !cancel && m.status.underWay():
		return refusal(http.StatusConflict, 20009, "Unable to update record: Cannot update message because delivery has not been completed.")
	}
	s.ledger.edit(ref, func(m *record) {
		m.updated = now
		if cancel {
			m.status = canceled
			m.extra().schedule = nil
		}
		if redact {
			m.body = ""
		}
	})
	return s.messageReply(ref)
}

func (s *Server) deleteMessage(_ *http.Request, t target) reply {
	now := s.lock()
	defer s.mu.Unlock()
	ref, ok := s.visible(t.message, now)
	if !ok {
		return notFound(t.path)
	}
	if s.ledger.at(ref).status.underWay() {
		return refusal(http.StatusConflict, 20009, "Unable to update record: Cannot delete message because delivery has not been completed.")
	}
	s.ledger.delete(ref)
	return reply{status: http.StatusNoContent, header: http.Header{}}
}
