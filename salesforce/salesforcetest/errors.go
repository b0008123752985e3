package salesforcetest

import (
	"fmt"
	"net/http"
	"strings"
)

// Error is one error as Salesforce reports it, without transport.
type Error struct {
	// Code is Salesforce's errorCode (statusCode in row results), e.g. INVALID_FIELD.
	Code string
	// Message is the text as the org words it; it may echo the written value.
	Message string
	// Fields are the API names the error is about. Nil leaves the key out.
	Fields []string

	status int // HTTP status when the error is the whole answer; 0 means 400
	off    int // 1 + place in the request body, 0: no place
}

// placed adds where in the request body the error was met.
func (e *Error) placed(body string) *Error {
	if e.off == 0 {
		return e
	}
	line, column := place(body, e.off-1)
	out := *e
	out.off = 0
	out.Message = fmt.Sprintf("%s at [line:%d, column:%d]", e.Message, line, column)
	return &out
}

// Error returns "CODE: message".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// fail makes an error that is a whole answer with its own HTTP status.
func fail(status int, code, message string) *Error {
	return &Error{Code: code, Message: message, status: status}
}

// refuse makes a data error: 400 when it is the whole answer, with a fields key.
func refuse(code, message string, fields ...string) *Error {
	if fields == nil {
		fields = []string{}
	}
	return &Error{Code: code, Message: message, Fields: fields, status: http.StatusBadRequest}
}

func notFound() *Error {
	return fail(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")
}

func methodNotAllowed(method string, allowed ...string) *Error {
	return fail(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED",
		"HTTP Method '"+method+"' not allowed. Allowed are "+strings.Join(allowed, ","))
}

func jsonError(message string) *Error {
	return fail(http.StatusBadRequest, "JSON_PARSER_ERROR", message)
}

func noSuchColumn(object, name string) *Error {
	return fail(http.StatusBadRequest, "INVALID_FIELD",
		"No such column '"+name+"' on sobject of type "+object)
}

func entityIsDeleted() *Error {
	e := refuse("ENTITY_IS_DELETED", "entity is deleted")
	e.status = http.StatusNotFound
	return e
}

// reply is one answer of the REST API before it meets a connection.
type reply struct {
	status int
	header http.Header
	body   []byte
	errs   bool // body is an error array
}

func ok(body []byte) *reply { return &reply{status: http.StatusOK, body: body} }

func (r *reply) set(key, value string) *reply {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set(key, value)
	return r
}

// errorReply renders errors as the REST API's array. The order of the two first
// keys is not fixed in a real org, so it alternates with flip.
func errorReply(flip bool, errs ...*Error) *reply {
	b := []byte{'['}
	for i, e := range errs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		if flip {
			b = appendPair(b, "errorCode", e.Code)
			b = append(b, ',')
			b = appendPair(b, "message", e.Message)
		} else {
			b = appendPair(b, "message", e.Message)
			b = append(b, ',')
			b = appendPair(b, "errorCode", e.Code)
		}
		if e.Fields != nil {
			b = append(b, `,"fields":`...)
			b = appendStrings(b, e.Fields)
		}
		b = append(b, '}')
	}
	status := http.StatusBadRequest
	if len(errs) > 0 && errs[0].status != 0 {
		status = errs[0].status
	}
	return &reply{status: status, body: append(b, ']'), errs: true}
}

// appendRowErrors renders errors in the form of row results, whose key is
// statusCode and not errorCode.
func appendRowErrors(b []byte, errs []*Error) []byte {
	b = append(b, '[')
	for i, e := range errs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		b = appendPair(b, "statusCode", e.Code)
		b = append(b, ',')
		b = appendPair(b, "message", e.Message)
		b = append(b, `,"fields":`...)
		b = appendStrings(b, e.Fields)
		b = append(b, '}')
	}
	return append(b, ']')
}
