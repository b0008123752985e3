package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Texts are files of conversations:
//
//	@ de clinic      the language (BCP 47) and where it is spoken, until the next @
//	> What we write
//	< What they answer
//
// A blank line ends a conversation. Backslash escapes are those of Go strings.
//
//go:embed texts/*.txt
var files embed.FS

// Line is one message of a conversation.
type Line struct {
	// Ours says that the account writes it; otherwise a person does.
	Ours bool
	Text string
}

// Conversation is a few lines between the account and one person.
type Conversation struct {
	Language string // BCP 47: "de", "zh-Hans"
	Place    string // such as "clinic", in the conversation's language
	Lines    []Line
}

// Conversations are all that people say, in a fixed order. The slice is the
// caller's, its Lines are not.
func Conversations() []Conversation { return slices.Clone(conversations()) }

var conversations = sync.OnceValue(func() []Conversation {
	var all []Conversation
	names, err := fs.Glob(files, "texts/*.txt")
	if err == nil {
		for _, name := range names {
			var part []Conversation
			if part, err = parseFile(name); err != nil {
				break
			}
			all = append(all, part...)
		}
	}
	if err != nil {
		panic(err) // the files are part of the program, and a test reads them
	}
	return all
})

func parseFile(name string) ([]Conversation, error) {
	data, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("demo: texts: %w", err)
	}
	p := parser{}
	for n, line := range strings.Split(string(data), "\n") {
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("demo: %s:%d: %w", name, n+1, err)
		}
	}
	p.end()
	return p.done, nil
}

type parser struct {
	head Conversation // language and place
	now  Conversation
	done []Conversation
}

func (p *parser) line(line string) error {
	mark, text, _ := strings.Cut(line, " ")
	switch mark {
	case "":
		p.end()
		return nil
	case "@":
		p.end()
		p.head.Language, p.head.Place, _ = strings.Cut(text, " ")
		return nil
	case ">", "<":
		body, err := unescape(text)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		p.now.Lines = append(p.now.Lines, Line{Ours: mark == ">", Text: body})
		return nil
	default:
		return fmt.Errorf("a line must begin with @, > or <, not %q", mark)
	}
}

func (p *parser) end() {
	if len(p.now.Lines) > 0 {
		p.now.Language, p.now.Place = p.head.Language, p.head.Place
		p.done = append(p.done, p.now)
	}
	p.now = Conversation{}
}

func unescape(text string) (string, error) {
	var b strings.Builder
	for text != "" {
		r, _, rest, err := strconv.UnquoteChar(text, 0)
		if err != nil {
			return "", err
		}
		b.WriteRune(r)
		text = rest
	}
	return b.String(), nil
}
