package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// readYAML reads the file's text into the file layer. It is false when the text
// has no structure to look at; then the one reason is in the faults.
func (l *loader) readYAML(data []byte) bool {
	if len(data) > maxFile {
		l.fault(origin{file: l.name}, "", problemf("is larger than %d KiB", maxFile>>10).do("this is probably another file"))
		return false
	}
	if at, p := badText(l.name, data); p != nil {
		l.fault(at, "", p)
		return false
	}
	root, at, p := document(l.name, data)
	if p != nil {
		l.fault(at, "", p)
		return false
	}
	if root == nil || root.ShortTag() == "!!null" {
		l.empty = true
		return true
	}
	if root.Kind != yaml.MappingNode {
		l.fault(l.nodeOrigin(root), "", problemf("the file is not a mapping of keys").do("write key: value, or start with: twiliosf config init"))
		return false
	}
	r := &nodeReader{loader: l, place: l.nodeOrigin}
	r.section("", root)
	return true
}

func (l *loader) nodeOrigin(n *yaml.Node) origin {
	return origin{file: l.name, line: n.Line, column: n.Column}
}

// badText finds what is no text at all: another encoding, a binary file.
func badText(name string, data []byte) (origin, *problem) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return origin{file: name, line: 1, column: 1}, problemf("is UTF-16").do("save the file as UTF-8")
	}
	line, column := 1, 1
	for rest := data; len(rest) > 0; column++ {
		r, size := utf8.DecodeRune(rest)
		here := origin{file: name, line: line, column: column}
		switch {
		case r == utf8.RuneError && size == 1:
			return here, problemf("is not UTF-8").do("save the file as UTF-8")
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return here, problemf("holds a control character").do("remove it; a configuration is plain text")
		case r == '\n':
			line, column = line+1, 0
		}
		rest = rest[size:]
	}
	return origin{}, nil
}

// document parses the one document of the file; nil for a file without any.
func document(name string, data []byte) (*yaml.Node, origin, *problem) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, origin{}, nil
	case err != nil:
		return badSyntax(name, data)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, origin{file: name, line: second.Line, column: second.Column},
			problemf("a second document starts here").do("keep one document and remove the --- before the other")
	case !errors.Is(err, io.EOF):
		return badSyntax(name, data)
	}
	return doc.Content[0], origin{}, nil
}

// badSyntax says which line cannot be read and what looks wrong with it. The
// parser's own text is not used: it may repeat a piece of a secret, and its
// line is where the surrounding mapping began.
func badSyntax(name string, data []byte) (*yaml.Node, origin, *problem) {
	lines := strings.SplitAfter(string(data), "\n")
	bad := firstBadLine(lines)
	line := strings.TrimRight(lines[bad], "\r\n")
	column := len(line) - len(strings.TrimLeft(line, " ")) + 1
	return nil, origin{file: name, line: bad + 1, column: column}, diagnose(line)
}

// maxReparse bounds the work of firstBadLine, in lines times bytes.
const maxReparse = 8 << 20

// firstBadLine is the line after the longest beginning that is still YAML: text
// that is only unfinished (an open bracket) becomes whole again later, text
// that is wrong never does. A file too long to try every beginning is halved
// until the line is found, which an unfinished text may mislead.
func firstBadLine(lines []string) int {
	good := func(n int) bool { return parses(strings.Join(lines[:n], "")) }
	size := 0
	for _, l := range lines {
		size += len(l)
	}
	if size*len(lines) > maxReparse {
		return sort.Search(len(lines)-1, func(n int) bool { return !good(n + 1) })
	}
	n := len(lines) - 1
	for n > 0 && !good(n) {
		n--
	}
	return n
}

func parses(text string) bool {
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

var (
	noSpace    = regexp.MustCompile(`^\s*[A-Za-z_]+:[^\s:]`)
	twoColons  = regexp.MustCompile(`^\s*[A-Za-z_]+:\s+[^'"#{\[|>].*:(\s|$)`)
	reserved   = regexp.MustCompile("^\\s*[A-Za-z_]+:\\s+[*&!@`%|>]")
	openQuote  = regexp.MustCompile(`^\s*[A-Za-z_]+:\s+("[^"]*|'[^']*)$`)
	afterQuote = regexp.MustCompile(`^\s*[A-Za-z_]+:\s+("[^"]*"|'[^']*')\s*[^\s#]`)
	noColon    = regexp.MustCompile(`^\s*[^\s:#]+\s*$`)
)

// diagnose names what is most likely wrong with a line, without showing it.
func diagnose(line string) *problem {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return problemf("a tab in the indentation").do("indent with spaces")
	case noSpace.MatchString(line):
		return problemf("no blank after the colon").do("write key: value")
	case reserved.MatchString(line):
		return problemf("the value starts with a character that means something to YAML").do("put it in quotes")
	case twoColons.MatchString(line):
		return problemf("a colon and a blank inside a value").do("put the value in quotes")
	case openQuote.MatchString(line):
		return problemf("a quote is opened and not closed").do("close it")
	case afterQuote.MatchString(line):
		return problemf("text after the closing quote").do("put the whole value in quotes")
	case strings.Count(line, "[") > strings.Count(line, "]") || strings.Count(line, "{") > strings.Count(line, "}"):
		return problemf("a bracket is opened and not closed").do("close it")
	case noColon.MatchString(line):
		return problemf("no colon after the key").do("write key: value")
	case indent != "":
		return problemf("is not YAML here").do("indent the line as deep as the keys beside it, and check its colons and quotes")
	default:
		return problemf("is not YAML here").do("check the line's colons, brackets and quotes")
	}
}
