package salesforcetest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"sync"
	"time"
)

// testKey is the key pair of all orgs that were given no public key. Made once a
// process, when first needed: it costs about a tenth of a second.
var testKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// PrivateKeyPEM is the PKCS #8 key whose signatures the org accepts when
// Credentials.PublicKey is nil.
func (s *Server) PrivateKeyPEM() []byte {
	key, err := testKey()
	if err != nil {
		panic(err) // no randomness: nothing secure can run here
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // an RSA key always marshals
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (s *Server) publicKey() *rsa.PublicKey {
	if s.opts.Credentials.PublicKey != nil {
		return s.opts.Credentials.PublicKey
	}
	key, err := testKey()
	if err != nil {
		panic(err) // as above
	}
	return &key.PublicKey
}

// claims are what the org reads of a JWT.
type claims struct {
	Iss string `json:"iss"`
	Sub string `json:"sub"`
	Prn string `json:"prn"` // the older name of sub
	Aud any    `json:"aud"`
	Exp any    `json:"exp"`
}

// grantJWT verifies a JWT bearer assertion; nil when it is good.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm
func (s *Server) grantJWT(assertion string, now time.Time) *reply {
	if assertion == "" {
		return oauthError("invalid_request", "missing required parameter: assertion")
	}
	c, signed := s.readJWT(assertion)
	if c == nil {
		return oauthError("invalid_grant", "invalid assertion")
	}
	if c.Iss != s.opts.Credentials.ConsumerKey {
		return oauthError("invalid_client_id", "client identifier invalid")
	}
	if !signed {
		return oauthError("invalid_grant", "invalid assertion")
	}
	if !s.audienceFits(c.Aud) {
		return oauthError("invalid_grant", "audience is invalid")
	}
	exp, isNumber := c.Exp.(float64)
	if !isNumber {
		return oauthError("invalid_grant", "invalid assertion")
	}
	if int64(exp) <= now.Unix() {
		return oauthError("invalid_grant", "expired authorization code")
	}
	user := c.Sub
	if user == "" {
		user = c.Prn
	}
	if s.opts.NotApproved || !strings.EqualFold(user, s.opts.Credentials.Username) {
		return oauthError("invalid_grant", "user hasn't approved this consumer")
	}
	return nil
}

// readJWT decodes an assertion and tells whether its RS256 signature is ours.
// Nil claims: it is no JWT.
func (s *Server) readJWT(assertion string) (c *claims, signed bool) {
	part := strings.Split(assertion, ".")
	if len(part) != 3 {
		return nil, false
	}
	var raw [3][]byte
	for i, p := range part {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			return nil, false
		}
		raw[i] = b
	}
	var head struct {
		Alg string `json:"alg"`
	}
	c = &claims{}
	if json.Unmarshal(raw[0], &head) != nil || head.Alg != "RS256" || json.Unmarshal(raw[1], c) != nil {
		return nil, false
	}
	sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
	return c, rsa.VerifyPKCS1v15(s.publicKey(), crypto.SHA256, sum[:], raw[2]) == nil
}

func (s *Server) audienceFits(aud any) bool {
	good := append([]string{"https://login.salesforce.com", "https://test.salesforce.com", s.URL, inProcessURL}, s.opts.Audiences...)
	one := func(a any) bool {
		text, isText := a.(string)
		return isText && slices.Contains(good, strings.TrimSuffix(text, "/"))
	}
	if list, many := aud.([]any); many {
		return len(list) == 1 && one(list[0])
	}
	return one(aud)
}
