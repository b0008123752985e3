package salesforcetest

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

// soapEnvelope is what the org reads of a SOAP request.
type soapEnvelope struct {
	XMLName xml.Name `xml:"Envelope"`
	Session string   `xml:"Header>SessionHeader>sessionId"`
	Body    struct {
		Login *struct {
			Username string `xml:"username"`
			Password string `xml:"password"`
		} `xml:"login"`
		Logout *struct{} `xml:"logout"`
		Other  []struct {
			XMLName xml.Name
		} `xml:",any"`
	} `xml:"Body"`
}

const (
	soapHead = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" `
	// lastSOAPLogin is the last version whose partner and enterprise WSDL have login().
	lastSOAPLogin = 64
)

// soap serves login() and logout() of the partner and enterprise API.
// https://developer.salesforce.com/docs/platform/api/guide/api-eol-soap.html
func (s *Server) soap(x *exchange) *reply {
	if x.r.Method != http.MethodPost {
		return errorReply(false, methodNotAllowed(x.r.Method, "POST"))
	}
	space := "partner"
	if strings.HasPrefix(x.r.URL.Path, "/services/Soap/c/") {
		space = "enterprise"
	}
	text, _, _ := strings.Cut(x.r.URL.Path[len("/services/Soap/u/"):], "/")
	version, err := strconv.Atoi(strings.TrimSuffix(text, ".0"))
	if err != nil || version < 2 || version > newestVersion {
		return soapFault(space, "UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL", "UnexpectedErrorFault")
	}
	if version < oldestVersion {
		return soapFault(space, "UNSUPPORTED_API_VERSION", "API version "+text+" is retired", "UnexpectedErrorFault")
	}
	if _, has := x.r.Header["Soapaction"]; !has {
		return soapClientFault("SOAPAction HTTP header missing")
	}
	if !strings.Contains(x.r.Header.Get("Content-Type"), "xml") {
		return soapClientFault("content-type of the request should be text/xml")
	}
	var in soapEnvelope
	if err := xml.Unmarshal(x.body, &in); err != nil {
		return soapClientFault("The request body is not a well formed SOAP envelope")
	}
	switch {
	case in.Body.Login != nil && version <= lastSOAPLogin:
		return s.soapLogin(space, version, in.Body.Login.Username, in.Body.Login.Password)
	case in.Body.Logout != nil:
		return s.soapLogout(space, in.Session)
	default:
		name := "login"
		if len(in.Body.Other) > 0 {
			name = in.Body.Other[0].XMLName.Local
		}
		return soapClientFault("No operation available for request {urn:" + space + ".soap.sforce.com}" + name + ", please check the WSDL for the service.")
	}
}

func (s *Server) soapLogin(space string, version int, user, password string) *reply {
	if s.opts.DisableSOAPLogin {
		return soapFault(space, "INVALID_OPERATION", "SOAP API login() is disabled by default in this org.", "LoginFault")
	}
	if !s.passwordFits(user, password) {
		return soapFault(space, "INVALID_LOGIN", "Invalid username, password, security token; or user locked out.", "LoginFault")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token, _ := s.open()
	letter := map[string]string{"partner": "u", "enterprise": "c"}[space]
	endpoint := func(kind string) string {
		return s.URL + "/services/Soap/" + kind + "/" + strconv.Itoa(version) + ".0/" + s.orgID()[:15]
	}
	var b strings.Builder
	tag := func(name, content string) { b.WriteString("<" + name + ">" + escapeXML(content) + "</" + name + ">") }
	b.WriteString(soapHead + `xmlns="urn:` + space + `.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><loginResponse><result>`)
	tag("metadataServerUrl", endpoint("m"))
	tag("passwordExpired", "false")
	tag("sandbox", "true")
	tag("serverUrl", endpoint(letter))
	tag("sessionId", token)
	tag("userId", s.userID())
	b.WriteString("<userInfo>")
	tag("organizationId", s.orgID())
	tag("organizationName", "TwilioSF Sandbox")
	tag("sessionSecondsValid", strconv.Itoa(int(s.opts.SessionTTL.Seconds())))
	tag("userEmail", "integration@example.com")
	tag("userFullName", "TwilioSF Integration")
	tag("userId", s.userID())
	tag("userLanguage", "en_US")
	tag("userLocale", "en_US")
	tag("userName", s.opts.Credentials.Username)
	tag("userTimeZone", "GMT")
	tag("userType", "Standard")
	b.WriteString("</userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>")
	return xmlReply(http.StatusOK, b.String())
}

func (s *Server) soapLogout(space, token string) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alive(token) == nil {
		return soapFault(space, "INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session. Session not found", "UnexpectedErrorFault")
	}
	delete(s.sessions, token)
	return xmlReply(http.StatusOK, soapHead+`xmlns="urn:`+space+`.soap.sforce.com"><soapenv:Body><logoutResponse/></soapenv:Body></soapenv:Envelope>`)
}

func xmlReply(status int, body string) *reply {
	return (&reply{status: status, body: []byte(body)}).set("Content-Type", "text/xml;charset=UTF-8")
}

// soapFault is a fault with an exception code; SOAP answers 500 to all of them.
func soapFault(space, code, message, kind string) *reply {
	message = escapeXML(message)
	return xmlReply(http.StatusInternalServerError, soapHead+`xmlns:sf="urn:fault.`+space+`.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault><faultcode>sf:`+code+
		`</faultcode><faultstring>`+code+`: `+message+`</faultstring><detail><sf:`+kind+` xsi:type="sf:`+kind+`"><sf:exceptionCode>`+code+
		`</sf:exceptionCode><sf:exceptionMessage>`+message+`</sf:exceptionMessage></sf:`+kind+`></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>`)
}

func soapClientFault(message string) *reply {
	return xmlReply(http.StatusInternalServerError, soapHead+`><soapenv:Body><soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>`+
		escapeXML(message)+`</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>`)
}

func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) //nolint:errcheck // a Builder takes everything
	return b.String()
}
