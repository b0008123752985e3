package outbox

import (
	"errors"
	"strconv"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

var errNoSID = errors.New("the answer names no message")

// maxWords is how long an error text on a record may be.
const maxWords = 255

// refusedByTwilio is what a record shows of a create that Twilio has refused: its
// code and its words, which may repeat what the record says, and what to do.
func refusedByTwilio(err error) message.Result {
	r := message.Result{Status: string(message.Failed)}
	f := fault.Of(err)
	if n, bad := strconv.Atoi(f.Code); bad == nil {
		r.ErrorCode = n
	}
	switch {
	case f.Words != "":
		r.ErrorMessage = f.Words
	case f.Err != nil:
		r.ErrorMessage = f.Err.Error()
	default:
		r.ErrorMessage = f.Error()
	}
	if f.Hint != "" {
		r.ErrorMessage += " " + f.Hint
	}
	if words := []rune(r.ErrorMessage); len(words) > maxWords {
		r.ErrorMessage = string(words[:maxWords])
	}
	return r
}
