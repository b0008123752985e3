package twiliotest

import "maps"

// Sent is what a recipient sees of a message.
type Sent struct{ To, Body string }

// Accepted counts the creates that the account has accepted, whether or not the
// client was told: a client that sends each of its messages once finds 1 for
// each of them.
func (s *Server) Accepted() map[Sent]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.accepted)
}
