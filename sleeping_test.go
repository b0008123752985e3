package twiliosf_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const bubble = "testing/synctest"

// harnesses are the packages whose tests run in bubbles that one file of the
// package makes: their other test files sleep in virtual time as well.
var harnesses = map[string]string{
	"sync/campaign":    "inBubble (world_test.go) runs the engine in one",
	"cmd/internal/e2e": "inBubble (world_test.go) runs the daemon and both emulators in one",
	"sync/jobs":        "bubble (scheduler_test.go) runs a scheduler in one",
	"sync/mirror":      "run (mirror_test.go) runs the engine in one",
	"sync/outbox":      "inBubble (world_test.go) runs the engine in one",
}

// sleepers are single files that may sleep, and why.
var sleepers = map[string]string{
	"cmd/internal/daemon/predict_test.go":     "it sleeps inside inWorld (followup_test.go), which makes a bubble",
	"salesforce/records/fake_test.go":         "the fake org is slow only where schema_test.go asks for it, in a bubble",
	"twilio/twiliotest/webhook_reply_test.go": "it sleeps inside announced (webhook_test.go), which makes a bubble",
}

// A test that sleeps in real time is slow where all is well and fails where the
// machine is busy. In a bubble it is neither.
func TestTestsSleepInBubblesOnly(t *testing.T) {
	bubbly := map[string]bool{} // packages in which some test makes a bubble
	sleeping := map[string]bool{}
	for _, file := range goFiles(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		inBubbles := importedAs(f, bubble) != ""
		bubbly[path.Dir(file)] = bubbly[path.Dir(file)] || inBubbles
		for _, at := range sleeps(f) {
			sleeping[file] = true
			if !inBubbles && harnesses[path.Dir(file)] == "" && sleepers[file] == "" {
				t.Errorf("%s: a test sleeps outside a bubble: wait for what it waits for, or use testing/synctest", fset.Position(at))
			}
		}
	}
	for dir := range harnesses {
		require.True(t, bubbly[dir], "harnesses names %s, whose tests make no bubble", dir)
	}
	for file := range sleepers {
		require.True(t, sleeping[file], "sleepers names %s, which does not sleep", file)
	}
}

func TestASleepIsFoundUnderAnyName(t *testing.T) {
	for text, want := range map[string]int{
		`import "time"; func f() { time.Sleep(1); go time.Sleep(2) }`: 2,
		`import clock "time"; func f() { clock.Sleep(1) }`:            1,
		`import "time"; var pause = time.Sleep`:                       1,
		`import . "time"; func f() { Sleep(1) }`:                      1,
		`import "time"; func f() { time.After(1) }`:                   0,
		`import "my/bed"; func f() { bed.Sleep(1) }`:                  0,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x_test.go", "package x; "+text, parser.SkipObjectResolution)
		require.NoError(t, err)
		require.Len(t, sleeps(f), want, text)
	}
}

// sleeps are the places where a file names time.Sleep.
func sleeps(f *ast.File) []token.Pos {
	name := importedAs(f, "time")
	if name == "" {
		return nil
	}
	var found []token.Pos
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if of, ok := n.X.(*ast.Ident); ok && of.Name == name && n.Sel.Name == "Sleep" {
				found = append(found, n.Pos())
			}
		case *ast.Ident:
			if name == "." && n.Name == "Sleep" {
				found = append(found, n.Pos())
			}
		}
		return true
	})
	return found
}

// importedAs is the name under which a file knows a package, "" if it does not.
func importedAs(f *ast.File, pkg string) string {
	for _, spec := range f.Imports {
		switch imported, err := strconv.Unquote(spec.Path.Value); {
		case err != nil || imported != pkg:
		case spec.Name != nil:
			return spec.Name.Name
		default:
			return path.Base(pkg)
		}
	}
	return ""
}
