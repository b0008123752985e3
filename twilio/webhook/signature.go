package webhook

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs with it, as HMAC, for which it still serves
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// verifier knows what a call would be signed with.
// https://www.twilio.com/docs/usage/security#validating-requests
type verifier struct {
	urls   []string // as Twilio may write ours, without a query
	tokens [][]byte
}

func newVerifier(public *url.URL, tokens []string) verifier {
	v := verifier{urls: signedURLs(public)}
	for _, token := range tokens {
		v.tokens = append(v.tokens, []byte(token))
	}
	return v
}

// signedURLs are the forms in which Twilio may sign a URL: with its port or the
// scheme's, and without any (voice drops it, messaging keeps it), never with
// user, password or fragment. A URL without a path may be signed with or
// without the slash that HTTP adds.
func signedURLs(public *url.URL) []string {
	u := *public
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	port := u.Port()
	bare := strings.TrimSuffix(u.Host, ":"+port) // an IPv6 host keeps its brackets
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	var urls []string
	for _, host := range []string{bare + ":" + port, bare} {
		u.Host = host
		urls = append(urls, u.String())
		if u.Path == "" {
			urls = append(urls, u.String()+"/")
		}
	}
	return urls
}

// verify reports whether one of the tokens signed the call. All are tried, so
// that the time says nothing of which it was.
func (v verifier) verify(c call, signature string) bool {
	tail := []byte(c.query + c.appended())
	right := 0
	for _, token := range v.tokens {
		for _, u := range v.urls {
			mac := hmac.New(sha1.New, token)
			mac.Write([]byte(u))
			mac.Write(tail)
			want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
			right |= subtle.ConstantTimeCompare([]byte(want), []byte(signature))
		}
	}
	return right == 1 && c.bodyMatches()
}

// appended is what is signed after the URL: the parameters of a form in the
// order of their names' bytes. Of a name that comes several times, the
// different values are sorted and each stands behind the name, as in Twilio's
// own helper for Node; its helper for Go looks at the first value only.
func (c call) appended() string {
	if c.form == nil {
		return ""
	}
	names := make([]string, 0, len(c.form))
	for name := range c.form {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		values := slices.Clone(c.form[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			b.WriteString(name)
			b.WriteString(value)
		}
	}
	return b.String()
}

// bodyMatches reports whether the body is the one that the signed URL names by
// its hash, in lower-case hex; where it names none there is nothing to check.
func (c call) bodyMatches() bool {
	if c.bodySHA256 == "" {
		return true
	}
	sum := sha256.Sum256(c.body)
	return subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(c.bodySHA256)) == 1
}
