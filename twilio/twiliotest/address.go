package twiliotest

import (
	"regexp"
	"strings"
)

var (
	e164      = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	nanp      = regexp.MustCompile(`^\+1[2-9][0-9]{9}$`)
	shortCode = regexp.MustCompile(`^[0-9]{3,8}$`)
	alphaName = regexp.MustCompile(`^[A-Za-z0-9 &_+-]{1,11}$`)
	letter    = regexp.MustCompile(`[A-Za-z]`)
)

// channel splits "whatsapp:+1415..." into the channel and the address in it;
// the channel of SMS and MMS is "".
func channel(address string) (name, rest string) {
	for _, c := range []string{"whatsapp", "rcs", "messenger"} {
		if rest, ok := strings.CutPrefix(address, c+":"); ok {
			return c, rest
		}
	}
	return "", address
}

// isRecipient reports whether Twilio would take the address for To: E.164,
// alone or in a channel. Of the countries only the +1 ones are held to their
// numbers' length.
func isRecipient(address string) bool {
	name, rest := channel(address)
	if name == "messenger" {
		return rest != ""
	}
	if strings.HasPrefix(rest, "+1") {
		return nanp.MatchString(rest) || isMagic(rest)
	}
	return e164.MatchString(rest)
}

// isSender reports whether the address has a sender's form: a number, a short
// code, an alphanumeric name, or an address in a channel.
func isSender(address string) bool {
	name, rest := channel(address)
	if name != "" {
		return rest != ""
	}
	return e164.MatchString(rest) || shortCode.MatchString(rest) ||
		alphaName.MatchString(rest) && letter.MatchString(rest)
}

// mask hides the last four digits, as Twilio's own texts do.
func mask(address string) string {
	if len(address) < 8 {
		return "XXXX"
	}
	return address[:len(address)-4] + "XXXX"
}

// The numbers of Twilio's test credentials, which give an error each:
// https://www.twilio.com/docs/iam/test-credentials
var (
	magicTo = map[string]int{
		"+15005550001": 21211, "+15005550002": 21612, "+15005550003": 21408,
		"+15005550004": 21610, "+15005550009": 21614,
	}
	magicFrom = map[string]int{"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
)

func isMagic(number string) bool {
	return strings.HasPrefix(number, "+1500555000") && len(number) == len("+15005550001")
}

// people are recipients who do not simply receive.
type people struct {
	blocked map[string]bool
	refused map[string]int
}

func newPeople() people { return people{blocked: map[string]bool{}, refused: map[string]int{}} }

// Block makes every send to the number fail with 21610, as after a STOP: at
// once with a From, later with a service.
func (s *Server) Block(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people.blocked[to] = true
}

// Unblock takes Block back.
func (s *Server) Unblock(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.people.blocked, to)
}

// RefuseTo makes every create for the number fail with 400 and the code (21614,
// 21635, 21408, ...); 0 takes it back.
func (s *Server) RefuseTo(to string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.people.refused[to] = code; code == 0 {
		delete(s.people.refused, to)
	}
}

// recipient is the code that the number answers with, and whether it is
// blocked; 0 and false for most.
func (s *Server) recipient(to string) (code int, blocked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code := magicTo[to]; code != 0 && code != 21610 {
		return code, false
	}
	return s.people.refused[to], s.people.blocked[to] || magicTo[to] == 21610
}
