package salesforcetest

import (
	"crypto/rsa"
	"io/fs"
	"time"
)

// The identity that NewServer gives the integration user when Options names no
// other. They open nothing but this emulator.
const (
	DefaultUsername       = "integration@twiliosf.test"
	DefaultPassword       = "sandbox-password"
	DefaultSecurityToken  = "SandboxSecurityToken0000"
	DefaultConsumerKey    = "3MVG9SandboxConsumerKey"
	DefaultConsumerSecret = "SandboxConsumerSecret"
)

// Credentials are what the org's login endpoints compare with. Empty texts take
// the defaults above.
type Credentials struct {
	Username       string
	Password       string
	SecurityToken  string
	ConsumerKey    string         // client id of the connected app
	ConsumerSecret string         // client secret of the connected app
	PublicKey      *rsa.PublicKey // verifies JWTs; nil: the pair that PrivateKeyPEM belongs to
}

// Options configures an emulated org. The zero value is an org with the standard
// objects, the default credentials and an Enterprise Edition's daily calls.
type Options struct {
	// Schema is an SFDX source tree: objects/<Name>/<Name>.object-meta.xml and
	// objects/<Name>/fields/*.field-meta.xml, at the root or under
	// force-app/main/default. Nil: standard objects only.
	Schema fs.FS
	// PersonAccounts turns person accounts on: an Account with a LastName is a
	// person, with a contact beside it.
	PersonAccounts bool
	// Credentials of the one integration user.
	Credentials Credentials
	// Audiences are further accepted values of a JWT's aud, beside the org's own
	// URL, https://login.salesforce.com and https://test.salesforce.com.
	Audiences []string
	// AllowPasswordGrant opens grant_type=password, which new orgs block.
	AllowPasswordGrant bool
	// DisableSOAPLogin refuses login() as newly created orgs do.
	DisableSOAPLogin bool
	// NoRunAsUser refuses client_credentials as an app without run-as user does.
	NoRunAsUser bool
	// NotApproved refuses JWTs as an app that nobody approved does.
	NotApproved bool
	// TrustedIP accepts the password without the security token.
	TrustedIP bool
	// ClockSkew is how far the org's clock is ahead of this machine's, as far as the
	// Date header and the exp of JWTs go.
	ClockSkew time.Duration
	// SessionTTL is the inactivity after which a session ends. Default 2 h.
	SessionTTL time.Duration

	// DailyLimit is the org's API calls in a rolling 24 h. Default 100,000.
	DailyLimit int
	// LimitJitter makes every seventh Sforce-Limit-Info lag two calls behind:
	// the figures of a real org are not monotonic.
	LimitJitter bool
	// StorageMB is the data storage; a record takes 2 KB. 0: 10,240 MB.
	StorageMB int
	// StorageStatus is the HTTP status of STORAGE_LIMIT_EXCEEDED. Not documented;
	// default 403.
	StorageStatus int

	// RowLevelUnknownField answers an unknown field in a collections call for its
	// row alone. Default: the whole call is refused.
	RowLevelUnknownField bool
	// SecondDuplicateFails makes only the second and later of two rows with one
	// external id in a collections upsert fail. Default: all of them fail.
	SecondDuplicateFails bool
	// KeepMilliseconds stores the fraction of a second of DateTimes, which a real
	// org is believed to cut off.
	KeepMilliseconds bool
	// Gzip compresses answers for clients that ask. Default off: it costs CPU.
	Gzip bool
	// BulkDelay is how long a bulk job takes: the first half it waits
	// (UploadComplete), the second it runs (InProgress). The records of a query are
	// those of its creation; those of an ingest job are written batch after batch
	// while it runs.
	BulkDelay time.Duration
	// BulkPageRows is the most records of one page of bulk results, whatever
	// maxRecords asks for. Default 50,000.
	BulkPageRows int
	// BulkBatchRows is how many records of an ingest job are processed together.
	// Default 10,000, as the org has it.
	BulkBatchRows int
	// BulkAbortLate lets the batch that is being processed when a job is aborted be
	// written all the same. What an org does is not documented.
	BulkAbortLate bool
	// BulkHardDelete gives the user the permission Bulk API Hard Delete.
	BulkHardDelete bool

	// DeployDelay is how long a metadata deployment takes: a quarter of it waits
	// (Pending), then it runs (InProgress), one after the other. The org changes when
	// it ends.
	DeployDelay time.Duration
	// NoModifyMetadata takes the permission Modify Metadata Through Metadata API
	// Functions from the integration user.
	NoModifyMetadata bool
	// NoViewSetup takes View Setup and Configuration, without which the Tooling API
	// does not know its objects. The error is not documented.
	NoViewSetup bool

	// Latency is how long each request of an operation takes; nil: no time.
	Latency func(Operation) time.Duration
	// Seed of the faults that Chance injects. The same seed and the same order of
	// requests give the same faults.
	Seed uint64
}

func (o Options) withDefaults() Options {
	text := func(p *string, def string) {
		if *p == "" {
			*p = def
		}
	}
	text(&o.Credentials.Username, DefaultUsername)
	text(&o.Credentials.Password, DefaultPassword)
	text(&o.Credentials.SecurityToken, DefaultSecurityToken)
	text(&o.Credentials.ConsumerKey, DefaultConsumerKey)
	text(&o.Credentials.ConsumerSecret, DefaultConsumerSecret)
	if o.SessionTTL == 0 {
		o.SessionTTL = 2 * time.Hour
	}
	if o.DailyLimit == 0 {
		o.DailyLimit = 100_000
	}
	if o.BulkPageRows == 0 {
		o.BulkPageRows = 50_000
	}
	if o.BulkBatchRows == 0 {
		o.BulkBatchRows = 10_000
	}
	if o.StorageMB == 0 {
		o.StorageMB = 10_240
	}
	if o.StorageStatus == 0 {
		o.StorageStatus = 403
	}
	return o
}
