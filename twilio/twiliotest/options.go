package twiliotest

import (
	"strings"
	"time"
)

// The account that a zero Options describes.
const (
	DefaultAccountSID   = "ACe3a1c50b7f2d4968a0b1c2d3e4f50617"
	DefaultAuthToken    = "4f1d2c3b5a69788796a5b4c3d2e1f009"
	DefaultAPIKeySID    = "SK7c6b5a49382716059483726150f4e3d2"
	DefaultAPIKeySecret = "Zk3vQ9xT5rB1nM7cW2yH8pL4sD6gF0jA"
	// DefaultServiceSID is the one Messaging Service of the default account.
	DefaultServiceSID = "MG0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	// TestFrom may always be used as From, as with Twilio's test credentials:
	// https://www.twilio.com/docs/iam/test-credentials
	TestFrom = "+15005550006"
)

// DefaultHorizon is how far back Twilio shows messages unless told otherwise:
// https://support.twilio.com/hc/en-us/articles/223181008
const DefaultHorizon = 400 * 24 * time.Hour

// Options describe an account. The zero value is a good one.
type Options struct {
	// AccountSID, AuthToken, APIKeySID and APIKeySecret are the credentials;
	// empty ones get the Default constants.
	AccountSID, AuthToken, APIKeySID, APIKeySecret string
	// Status is active (the default), suspended or closed, as the account resource
	// shows it; Trial makes the account's type Trial instead of Full. What else such
	// an account refuses is left to faults: https://www.twilio.com/docs/iam/api/account
	Status string
	Trial  bool
	// Balance is a decimal number; empty means "1234.56".
	Balance string
	// StandardKey makes the API key a standard one, which may not read the account
	// resource: https://www.twilio.com/docs/iam/api-keys/key-resource-v1
	StandardKey bool
	// Numbers are the account's phone numbers; nil means DefaultNumbers.
	Numbers []Number
	// Senders are what else it may send from: short codes, alphanumeric names,
	// channel addresses ("whatsapp:+14155550100"). Nil means DefaultSenders.
	Senders []string
	// Services are its Messaging Services; nil means DefaultServices.
	Services []Service
	// Flows are the SIDs of its Studio flows; nil means DefaultFlowSID.
	Flows []string
	// Execution is how long an execution of a flow is active; 0 means
	// DefaultExecution.
	Execution time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Seed makes SIDs and every random choice repeatable. Two servers with the
	// same seed give the same SIDs.
	Seed uint64
	// Life says how outbound messages fare; the zero value is DefaultLife.
	Life Life
	// Switches choose among behaviours that Twilio does not document.
	Switches Switches
	// Horizon hides messages older than this; 0 means DefaultHorizon,
	// a negative one hides nothing.
	Horizon time.Duration
	// Concurrency is how many requests may be under way at once before Twilio
	// answers 429/20429; 0 means no limit.
	Concurrency int
	// Latency is added to every answer.
	Latency time.Duration
	// Weather are faults that strike by chance.
	Weather []Chance
	// Webhook says where the account announces what happens; SetWebhook changes
	// it. The zero value announces nothing.
	Webhook Webhook
}

// Number is one phone number of the account.
type Number struct {
	// Phone in E.164.
	Phone string
	// FriendlyName; empty means Phone.
	FriendlyName string
	// Type as Twilio names it: local (the default), mobile, tollfree, national.
	Type string
	// NoMMS marks a number that cannot send media.
	NoMMS bool
	// SMSURL and SMSMethod (POST when empty) are where messages to the number
	// are announced, before Webhook.URL; StatusCallback is kept and shown.
	SMSURL, SMSMethod, StatusCallback string
}

// Service is one Messaging Service and its pool.
type Service struct {
	// SID, MG and 32 hexadecimal digits.
	SID string
	// Senders of the pool; they must be the account's too.
	Senders []string
	// FriendlyName; empty gets a name.
	FriendlyName string
	// InboundURL and InboundMethod (POST when empty) are where messages to the
	// pool's numbers are announced, before the numbers' own addresses unless
	// UseInboundWebhookOnNumber.
	InboundURL, InboundMethod string
	UseInboundWebhookOnNumber bool
	// StatusCallback gets the statuses of the service's messages.
	StatusCallback string
}

// DefaultNumbers are fictitious numbers of the default account.
func DefaultNumbers() []Number {
	return []Number{
		{Phone: "+14155550100", FriendlyName: "Front desk"},
		{Phone: "+14155550101", FriendlyName: "Sales"},
		{Phone: "+12125550123", FriendlyName: "New York"},
		{Phone: "+447700900123", FriendlyName: "London", Type: "mobile", NoMMS: true},
		{Phone: "+18005550199", FriendlyName: "Toll-free", Type: "tollfree"},
	}
}

// DefaultSenders are what else the default account may send from.
func DefaultSenders() []string {
	return []string{"55501", "whatsapp:+14155550100"}
}

// DefaultServices is the default account's one service, with its US numbers.
func DefaultServices() []Service {
	return []Service{{SID: DefaultServiceSID, Senders: []string{"+14155550100", "+14155550101", "+12125550123"}}}
}

func (o Options) withDefaults() Options {
	orElse(&o.AccountSID, DefaultAccountSID)
	orElse(&o.AuthToken, DefaultAuthToken)
	orElse(&o.APIKeySID, DefaultAPIKeySID)
	orElse(&o.APIKeySecret, DefaultAPIKeySecret)
	orElse(&o.Status, "active")
	orElse(&o.Balance, "1234.56")
	if o.Numbers == nil {
		o.Numbers = DefaultNumbers()
	}
	if o.Senders == nil {
		o.Senders = DefaultSenders()
	}
	if o.Services == nil {
		o.Services = DefaultServices()
	}
	if o.Flows == nil {
		o.Flows = []string{DefaultFlowSID}
	}
	if o.Execution == 0 {
		o.Execution = DefaultExecution
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Horizon == 0 {
		o.Horizon = DefaultHorizon
	}
	o.Life = o.Life.withDefaults()
	return o
}

func orElse(s *string, fallback string) {
	if *s == "" {
		*s = fallback
	}
}

func (o Options) number(phone string) (Number, bool) {
	for _, n := range o.Numbers {
		if n.Phone == phone {
			return n, true
		}
	}
	return Number{}, false
}

// owns reports whether the account may send from the address. Names of
// alphanumeric senders are compared without regard to case.
func (o Options) owns(sender string) bool {
	if _, ok := o.number(sender); ok || sender == TestFrom {
		return true
	}
	for _, s := range o.Senders {
		if strings.EqualFold(s, sender) {
			return true
		}
	}
	return false
}

func (o Options) service(sid string) (Service, bool) {
	for _, s := range o.Services {
		if s.SID == sid {
			return s, true
		}
	}
	return Service{}, false
}
