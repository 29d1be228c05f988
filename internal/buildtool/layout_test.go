package buildtool

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/oniscope/oniscope/"

// A rule says what the files of a folder may import besides the standard
// library. Entries end in "/..." to mean a folder and all below it.
type rule struct {
	own     []string // packages of this module
	foreign []string // modules of others
}

// rules are ARCHITECTURE.md's "Who may import whom". A folder falls under the
// longest key that it equals or lies below; one that falls under none is an error.
var rules = map[string]rule{
	"hardware/oni":                {},
	"hardware/device":             {own: []string{"hardware/oni", "shared/stream", "hardware/device/neuropixels"}},
	"hardware/device/neuropixels": {},
	"hardware/sim":                {own: []string{"hardware/oni", "hardware/device", "hardware/device/neuropixels", "shared/stream"}},
	"hardware/serdes":             {own: []string{"hardware/oni"}},
	"hardware/headstage":          {own: []string{"hardware/oni", "hardware/serdes", "hardware/device", "hardware/device/neuropixels"}},
	"hardware/liboni":             {own: []string{"hardware/oni"}, foreign: []string{"github.com/ebitengine/purego", "golang.org/x/sys/windows"}},
	"shared/stream":               {},
	"shared/decimate":             {},
	"shared/internal/arrowipc":    {foreign: []string{"github.com/google/flatbuffers/..."}},
	"shared/internal/array":       {own: []string{"shared/internal/arrowipc"}},
	"shared/internal/parallel":    {},
	"shared/internal/body": {own: []string{"shared/internal/arrowipc", "shared/internal/array", "shared/internal/messages", "shared/stream"},
		foreign: []string{"github.com/klauspost/compress/...", "github.com/pierrec/lz4/..."}},
	"shared/internal/pace":     {},
	"shared/internal/messages": {own: []string{"shared/internal/arrowipc"}},
	"shared/internal/dissect":  {own: []string{"shared/internal/arrowipc", "shared/internal/messages"}},
	"shared/internal/vectors":  {own: []string{"shared/internal/messages", "shared/internal/array"}},
	"shared/recording":         {own: []string{"shared/stream", "shared/internal/...", "shared/decimate"}},
	"shared/recovery":          {own: []string{"shared/recording", "shared/stream", "shared/decimate", "shared/internal/..."}},
	"shared/export":            {own: []string{"shared/recording", "shared/stream", "shared/internal/..."}, foreign: []string{"github.com/apache/arrow-go/..."}},
	"recorder": {own: []string{"hardware/...", "shared/...", "web", "recorder/internal/..."},
		foreign: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/goccy/go-yaml/...", "github.com/schollz/progressbar/...",
			"github.com/gorilla/websocket", "golang.org/x/sys/...", "golang.org/x/term", "gonum.org/v1/plot/...", "codeberg.org/go-fonts/liberation/...", "golang.org/x/image/font/..."}},
	"wasm":                 {own: []string{"shared/...", "wasm/internal/engine"}},
	"wasm/internal/engine": {own: []string{"shared/..."}},
	"web":                  {},
	"web/pagetest":         {own: []string{"shared/..."}, foreign: []string{"github.com/chromedp/..."}},
	"internal/standin":     {},
	"internal/testdata":    {own: []string{"shared/recording", "shared/stream", "internal/testdata"}, foreign: []string{"github.com/apache/arrow-go/..."}},
	"internal/fronts":      {own: []string{"internal/testdata", "shared/recording", "shared/stream"}},
	"internal/buildtool":   {own: []string{"web/pagetest"}, foreign: []string{"github.com/chromedp/..."}},
	"testdata/generate":    {own: []string{"shared/...", "hardware/..."}, foreign: []string{"github.com/apache/arrow-go/..."}},
	".":                    {own: []string{"internal/buildtool"}}, // magefile.go
}

// Tests may import anything below what they test, the harness of the page, and
// these oracles and tools.
var testForeign = []string{"github.com/apache/arrow-go/...", "github.com/google/flatbuffers/...", "github.com/rogpeppe/go-internal/...", "github.com/klauspost/compress/...", "github.com/goccy/go-yaml/..."}

// notInShared are what the format packages never import: whoever calls them
// owns files, sockets and the clock.
var notInShared = []string{"os", "os/...", "net", "net/...", "syscall", "syscall/...", "io/ioutil", "log", "log/..."}

func TestImportLinesFollowTheRules(t *testing.T) {
	checked := map[string]bool{}
	eachGoFile(t, func(file string, parsed *ast.File, _ *token.FileSet) {
		dir := path.Dir(file)
		key, r, ok := ruleFor(dir)
		if !ok {
			t.Errorf("%s: no rule says what %s may import: state it in ARCHITECTURE.md and here", file, dir)
			return
		}
		checked[key] = true
		for _, line := range parsed.Imports {
			imported, err := strconv.Unquote(line.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if reason := r.forbids(file, dir, imported); reason != "" {
				t.Errorf("%s imports %q: %s", file, imported, reason)
			}
		}
	})
	// A rule of a folder that went away is a rule that checks nothing.
	for _, key := range []string{"hardware/oni", "hardware/device", "shared/stream", "shared/recording", "shared/internal/arrowipc", "recorder", "wasm", "wasm/internal/engine"} {
		if !checked[key] {
			t.Errorf("no Go file found below %s", key)
		}
	}
}

func (r rule) forbids(file, dir, imported string) string {
	test := strings.HasSuffix(file, "_test.go")
	if own, ok := strings.CutPrefix(imported, module); ok {
		if matches(r.own, own) || own == dir || test && (own == "web/pagetest" || below(dir, own) || own == "internal/fronts" || matches([]string{"internal/testdata/..."}, own) || own == "internal/standin" || dir == "hardware/headstage" && own == "hardware/sim" || (dir == "shared/recording" || dir == "shared/export") && own == "shared/recovery") {
			return ""
		}
		return "not among the packages of this module that it may use"
	}
	switch {
	case imported == "syscall/js" && !(dir == "wasm" && strings.HasSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".go"), "_test"), "_js")):
		return "only wasm/*_js.go touch JavaScript"
	case imported == "C":
		return "there is no cgo"
	case strings.HasPrefix(imported, "github.com/ebitengine/purego") && dir != "hardware/liboni":
		return "only hardware/liboni touches C"
	case standard(imported):
		if strings.HasPrefix(dir, "shared/") && !test && matches(notInShared, imported) {
			return "the format packages are pure: whoever calls them owns files, sockets and clocks"
		}
		return ""
	case matches(r.foreign, imported), test && matches(testForeign, imported):
		return ""
	}
	return "no dependency of this package (a new one needs a sentence of reason)"
}

func TestSharedHasNeitherClockNorGoroutines(t *testing.T) {
	eachGoFile(t, func(file string, parsed *ast.File, fset *token.FileSet) {
		if !strings.HasPrefix(file, "shared/") || strings.HasPrefix(file, "shared/internal/parallel/") || strings.HasSuffix(file, "_test.go") {
			return
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a goroutine in a format package", fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				pkg, ok := n.X.(*ast.Ident)
				if ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc"}, n.Sel.Name) {
					t.Errorf("%s: the clock in a format package", fset.Position(n.Pos()))
				}
			}
			return true
		})
	})
}

func TestTheRulesForbidWhatTheyShould(t *testing.T) {
	for _, c := range []struct {
		file, imported string
		allowed        bool
	}{
		{"shared/recording/reader.go", "os", false},
		{"shared/recording/reader.go", "io", true},
		{"shared/recording/reader.go", module + "hardware/oni", false},
		{"shared/recording/reader.go", module + "shared/stream", true},
		{"shared/recording/reader.go", "github.com/apache/arrow-go/v18/arrow", false},
		{"shared/recording/reader_test.go", "github.com/apache/arrow-go/v18/arrow", true},
		{"shared/recording/reader_test.go", "os", true},
		{"shared/stream/stream.go", module + "shared/recording", false},
		{"hardware/device/device.go", module + "shared/recording", false},
		{"hardware/sim/sim.go", module + "recorder/internal/store", false},
		{"wasm/main_js.go", "syscall/js", true},
		{"wasm/main_js_test.go", "syscall/js", true},
		{"wasm/main_other.go", "syscall/js", false},
		{"wasm/internal/engine/engine.go", "syscall/js", false},
		{"wasm/internal/engine/bridge_js.go", "syscall/js", false},
		{"wasm/internal/engine/engine.go", module + "shared/export", true},
		{"wasm/internal/engine/engine.go", module + "hardware/device", false},
		{"recorder/internal/live/hub.go", module + "hardware/device", true},
		{"recorder/main.go", "github.com/someone/something", false},
	} {
		dir := path.Dir(c.file)
		_, r, ok := ruleFor(dir)
		if !ok {
			t.Errorf("%s: no rule", dir)
		}
		if reason := r.forbids(c.file, dir, c.imported); (reason == "") != c.allowed {
			t.Errorf("%s importing %q: %q, want allowed = %v", c.file, c.imported, reason, c.allowed)
		}
	}
}

// A rule that names a file which is not there guards nothing.
func TestTheRulesAreTriedOnFilesThatExist(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"wasm/main_js.go", "wasm/main_other.go", "wasm/internal/engine/engine.go", "shared/recording/reader.go", "shared/stream/stream.go", "hardware/device/device.go", "hardware/sim/sim.go"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(file))); err != nil {
			t.Error(err)
		}
	}
}

func ruleFor(dir string) (string, rule, bool) {
	for key := dir; ; key = path.Dir(key) {
		if r, ok := rules[key]; ok && (key != "." || dir == ".") {
			return key, r, true
		}
		if key == "." {
			return "", rule{}, false
		}
	}
}

func matches(patterns []string, imported string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
			return imported == prefix || strings.HasPrefix(imported, prefix+"/")
		}
		return imported == pattern
	})
}

// below reports whether a test in dir may use the package own: what the rules
// let the tested package use, transitively.
func below(dir, own string) bool {
	seen := map[string]bool{}
	var reach func(dir string) bool
	reach = func(dir string) bool {
		_, r, ok := ruleFor(dir)
		if !ok || seen[dir] {
			return false
		}
		seen[dir] = true
		if matches(r.own, own) {
			return true
		}
		return slices.ContainsFunc(r.own, func(pattern string) bool {
			return reach(strings.TrimSuffix(pattern, "/..."))
		})
	}
	return reach(dir)
}

// standard reports whether a path is of the standard library: no dot in its
// first element.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// eachGoFile parses every Go file of the repository, in the order of names.
func eachGoFile(t *testing.T, visit func(file string, parsed *ast.File, fset *token.FileSet)) {
	t.Helper()
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && rel != "." || entry.Name() == "node_modules" ||
			slices.Contains([]string{"bin", "out", "recordings"}, rel)) {
			return filepath.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(name, ".go") {
			files[filepath.ToSlash(rel)] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, rel := range slices.Sorted(maps.Keys(files)) {
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, files[rel], nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		visit(rel, parsed, fset)
	}
}
