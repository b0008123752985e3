package config

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// maxSocketPath is what fits into sockaddr_un's sun_path with its final NUL.
// https://man7.org/linux/man-pages/man7/unix.7.html
const maxSocketPath = 107

// parseURL reads an absolute http or https URL without user, query or fragment,
// http only to this machine. A password in it is therefore never accepted, and
// no fault repeats the URL.
func parseURL(value string) (*url.URL, *problem) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, problemf("is not an absolute URL").do("write it such as https://host.example")
	}
	switch {
	case u.User != nil:
		return nil, problemf("holds a user name or a password").do("remove what stands before the @")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, problemf("has a query or a fragment").do("remove what follows ? or #")
	case !goodHost(u):
		return nil, problemf("has no valid host and port").do("write it such as https://host.example:443")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, problemf("sends credentials unencrypted").do("use https; http is for 127.0.0.1, localhost and [::1] only")
	}
	return u, nil
}

func goodHost(u *url.URL) bool {
	if port := u.Port(); port != "" && !validPort(port, 1) {
		return false
	}
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	return validHost(u.Hostname())
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	// What has only digits and dots and is no address is a slip, not a name.
	return len(host) <= 253 && hostName.MatchString(host) && strings.Trim(host, "0123456789.") != ""
}

func validPort(port string, low int) bool {
	n, err := strconv.Atoi(port)
	return err == nil && n >= low && n <= 65535 && strings.Trim(port, "0123456789") == ""
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func checkBaseURL(value string) *problem {
	_, p := parseURL(value)
	return p
}

// checkPublicURL takes what Twilio may call: https, or this machine for tests.
func checkPublicURL(value string) *problem {
	_, p := parseURL(value)
	return p
}

func checkFile(value string) *problem {
	if !path.IsAbs(value) || strings.HasSuffix(value, "/") {
		return problemf("is not the absolute path of a file").do("write it such as /etc/twiliosf/tls.crt")
	}
	return nil
}

// oldestAPIVersion is the first one whose upsert says whether it made the record.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
const oldestAPIVersion = 46

func checkAPIVersion(value string) *problem {
	if major, err := strconv.Atoi(strings.TrimSuffix(value, ".0")); err != nil || major < oldestAPIVersion {
		return problemf("is too old").do("use %d.0 or later; 64.0 is the default", oldestAPIVersion)
	}
	return nil
}

func checkAudience(value string) *problem {
	_, p := parseURL(value)
	return p
}

func checkLoginURL(value string) *problem {
	u, p := parseURL(value)
	if p != nil {
		return p
	}
	if u.Path != "" && u.Path != "/" {
		return problemf("has a path").do("give the host alone, such as https://login.salesforce.com")
	}
	if strings.HasSuffix(strings.ToLower(u.Hostname()), ".lightning.force.com") {
		return problemf("is the address of the user interface, which cannot log in").do("use the My Domain URL that ends in .my.salesforce.com")
	}
	return nil
}

func checkListen(value string) *problem {
	host, port, err := net.SplitHostPort(value)
	if err != nil || !validPort(port, 0) || (host != "" && !validHost(host)) {
		return problemf("is not an address to listen on").do("write host and port, such as 127.0.0.1:9464 or [::1]:9464")
	}
	return nil
}

func checkStore(value string) *problem {
	_, p := sqlitePath(value)
	return p
}

// sqlitePath takes the file's path out of a store URL.
func sqlitePath(value string) (string, *problem) {
	const remedy = "write sqlite:// and an absolute path, such as sqlite:///var/lib/twiliosf/twiliosf.db"
	scheme, _, found := strings.Cut(value, ":")
	switch {
	case !found || scheme == "":
		return "", problemf("is not a URL").do("%s", remedy)
	case scheme != "sqlite":
		return "", problemf("names a kind of store that is not known").do("%s", remedy)
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return "", problemf("is not a URL").do("%s", remedy)
	case u.Host != "" || u.User != nil || u.Opaque != "" || !path.IsAbs(u.Path):
		return "", problemf("has no absolute path").do("%s", remedy)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", problemf("has a query or a fragment").do("remove what follows ? or #")
	case strings.HasSuffix(u.Path, "/"):
		return "", problemf("names a directory").do("%s", remedy)
	case strings.ContainsFunc(u.Path, func(r rune) bool { return r < ' ' }):
		return "", problemf("holds a control character").do("%s", remedy)
	}
	return path.Clean(u.Path), nil
}

func checkControl(value string) *problem {
	switch {
	case !path.IsAbs(value):
		return problemf("is not an absolute path").do("write it such as /run/twiliosf/control.sock")
	case strings.HasSuffix(value, "/"):
		return problemf("names a directory").do("write it such as /run/twiliosf/control.sock")
	case len(value) > maxSocketPath:
		return problemf("is longer than a Unix socket's path may be").do("keep it to %d bytes", maxSocketPath)
	}
	return nil
}
