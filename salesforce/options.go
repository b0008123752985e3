package salesforce

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

const (
	defaultAPIVersion  = "64.0"
	defaultConcurrency = 4
	defaultShare       = 0.5
	// defaultTimeout is longer than Salesforce runs a query, which is two minutes: it
	// says so a moment later, and who asked can ask otherwise.
	// https://github.com/airbytehq/airbyte/issues/17503
	defaultTimeout = 150 * time.Second
	// oldestAPIVersion is the first one whose upsert by external id says
	// whether it created the record.
	// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
	oldestAPIVersion = 46
	// lastSOAPLoginVersion is the last API version that has the SOAP login().
	// https://developer.salesforce.com/docs/platform/api/guide/api-eol-soap.html
	lastSOAPLoginVersion = 64
)

// Options say which org and how to treat it. LoginURL and Auth are required.
type Options struct {
	// LoginURL is where a session is asked for: https://login.salesforce.com,
	// https://test.salesforce.com or the org's My Domain URL (client
	// credentials work only there).
	LoginURL string
	// Audience is the JWT's aud; LoginURL when empty.
	Audience string
	// Auth is JWT, ClientCredentials or Password.
	Auth Grant
	// APIVersion is "64.0" when empty; 46.0 is the oldest that will do.
	APIVersion string
	// Concurrency is how many exchanges may be under way at once; 4 when 0.
	Concurrency int
	// DailyShare is the share of the org's daily API calls that we allow
	// ourselves, above 0 and up to 1; 0.5 when 0.
	DailyShare float64
	// HTTP makes the requests; a tuned copy of http.DefaultTransport when nil.
	HTTP http.RoundTripper
	// Registerer takes the metrics; nil keeps them unregistered.
	Registerer prometheus.Registerer
	// Timeout bounds one HTTP exchange, its answer's body included; 150 s when 0.
	Timeout time.Duration
	// GzipRequests compresses request bodies of more than 1 KiB.
	GzipRequests bool
	// Logger gets the transitions (logged in, login refused); nil is silent.
	Logger *zap.Logger
}

var versionForm = regexp.MustCompile(`^v?([0-9]{2,3})(\.0)?$`)

// complete fills the defaults in and reports every fault at once.
func (o *Options) complete() error {
	o.fill()
	var faults []error
	if u, err := url.Parse(o.LoginURL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		faults = append(faults, errors.New("the login URL must be an absolute http(s) URL, like https://login.salesforce.com"))
	}
	if m := versionForm.FindStringSubmatch(o.APIVersion); m == nil {
		faults = append(faults, errors.New(`the API version must look like "64.0"`))
	} else if o.APIVersion = m[1] + ".0"; o.major() < oldestAPIVersion {
		faults = append(faults, fmt.Errorf("the API version must be %d.0 or later", oldestAPIVersion))
	}
	if o.Concurrency < 0 || o.Concurrency > 100 {
		faults = append(faults, errors.New("the concurrency must be 1 to 100"))
	}
	if o.DailyShare < 0 || o.DailyShare > 1 {
		faults = append(faults, errors.New("the daily API share must be above 0 and at most 1"))
	}
	if o.Auth == nil {
		faults = append(faults, errors.New("an authentication is needed: JWT, ClientCredentials or Password"))
	} else if err := o.Auth.check(o); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// fill fills the defaults in.
func (o *Options) fill() {
	o.LoginURL = strings.TrimRight(o.LoginURL, "/")
	if o.Audience == "" {
		o.Audience = o.LoginURL
	}
	if o.APIVersion == "" {
		o.APIVersion = defaultAPIVersion
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.DailyShare == 0 {
		o.DailyShare = defaultShare
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
}

// major is the API version's whole number.
func (o *Options) major() int {
	n, err := strconv.Atoi(strings.TrimSuffix(o.APIVersion, ".0"))
	if err != nil {
		return 0
	}
	return n
}

// transport gives the HTTP transport, tuned so that connections to the one host
// we talk to are kept.
func (o *Options) transport() http.RoundTripper {
	if o.HTTP != nil {
		return o.HTTP
	}
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = o.Concurrency
	return t
}
