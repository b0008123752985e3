package salesforce

import (
	"io"
	"log"
	"regexp"
	"sync"
)

// libraryLine matches a line of simpleforce's behind whatever date, time, file
// and prefix the standard logger puts before it.
var libraryLine = regexp.MustCompile(`^(\d{4}/\d{2}/\d{2} )?(\d{2}:\d{2}:\d{2}(\.\d+)? )?(\S+:\d+: )?\[simpleforce\]`)

// quietOutput drops the library's lines and passes all others on.
type quietOutput struct{ next io.Writer }

func (q *quietOutput) Write(line []byte) (int, error) {
	if libraryLine.Match(withoutPrefix(line)) {
		return len(line), nil
	}
	return q.next.Write(line)
}

func withoutPrefix(line []byte) []byte {
	if p := log.Prefix(); p != "" && len(line) >= len(p) && string(line[:len(p)]) == p {
		return line[len(p):]
	}
	return line
}

var quieting sync.Mutex

// quietLibrary keeps the name of the user who has logged in, which simpleforce
// prints, out of the standard logger. It may be called again: whoever has set
// another output since is wrapped anew, nobody twice.
func quietLibrary() {
	quieting.Lock()
	defer quieting.Unlock()
	if _, done := log.Writer().(*quietOutput); !done {
		log.SetOutput(&quietOutput{next: log.Writer()})
	}
}
