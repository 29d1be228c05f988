package buildtool

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the documents whose names of files must be true.
var pages = []string{"ARCHITECTURE.md", "README.md", "docs/weight.md", "shared/recording/FORMAT.md", "testdata/README.md"}

var (
	quoted = regexp.MustCompile("`([^`\n]+)`")
	links  = regexp.MustCompile(`\]\(([^)#\s]+)\)`)
	source = regexp.MustCompile(`^[\w./*<>-]+\.(go|js|ts|css|html|md|yaml|txtar)$`)
)

// TestPagesNameNoFileThatIsNotThere: paths from the root, and in ARCHITECTURE
// names of source files and folders as well.
func TestPagesNameNoFileThatIsNotThere(t *testing.T) {
	all := repositoryPaths(t)
	named := 0
	for _, page := range pages {
		text := readPage(t, page)
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if name, ok := pathIn(m[1], page == "ARCHITECTURE.md"); ok {
				if named++; !thereIs(all, name) {
					t.Errorf("%s names `%s`, which is not there", page, m[1])
				}
			}
		}
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if named++; !slices.Contains(all, path.Join(path.Dir(page), m[1])) {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
	if named < 100 {
		t.Errorf("only %d names were found in the pages", named)
	}
}

// pathIn returns what a quoted text says of a path: * is for any letters
// but a slash. everywhere also takes names that do not begin at the root.
func pathIn(text string, everywhere bool) (name string, ok bool) {
	if strings.ContainsAny(text, " ()=:\"'{}$") || strings.HasPrefix(text, "-") || strings.HasPrefix(text, "/") {
		return "", false
	}
	name = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(strings.TrimSuffix(text, "/..."), "*")
	for _, root := range []string{"hardware/", "shared/", "recorder/", "wasm/", "web/", "internal/", "docs/", "testdata/", "examples/", "python/"} {
		if strings.HasPrefix(name, root) {
			return strings.TrimSuffix(name, "/"), true
		}
	}
	if everywhere && (source.MatchString(name) || strings.HasSuffix(name, "/")) {
		return "**/" + strings.TrimSuffix(name, "/"), true
	}
	return "", false
}

func thereIs(all []string, name string) bool {
	tail, anywhere := strings.CutPrefix(name, "**/")
	return slices.ContainsFunc(all, func(file string) bool {
		if anywhere {
			parts := strings.Split(file, "/")
			n := strings.Count(tail, "/") + 1
			if len(parts) < n {
				return false
			}
			file = path.Join(parts[len(parts)-n:]...)
		}
		ok, err := path.Match(tail, file)
		return ok && err == nil
	})
}

func TestWhatPagesNameIsLookedFor(t *testing.T) {
	all := []string{"shared", "shared/recording", "shared/recording/reader.go", "wasm", "wasm/main_js.go", "web", "web/src", "web/src/ui"}
	for text, there := range map[string]bool{
		"shared/recording/reader.go": true, "shared/recording/ops.go": false, "shared/recording": true, "shared/gone": false, "shared/*": true,
		"reader.go": true, "ops.go": false, "*_js.go": true, "*_ts.go": false, "ui/": true, "go/": false, "recording/reader.go": true, "export/reader.go": false, "main_<x>.go": true,
	} {
		name, ok := pathIn(text, true)
		if !ok || thereIs(all, name) != there {
			t.Errorf("%q: a path %v, there %v, want %v", text, ok, thereIs(all, name), there)
		}
	}
	for _, text := range []string{"io.ReaderAt", "mage build", "--rig FILE", "/files.json", "oni"} {
		if name, ok := pathIn(text, true); ok {
			t.Errorf("%q is taken for the path %s", text, name)
		}
	}
}

// TestTheTableOfPackagesIsComplete: each folder with Go files below the parts of
// the product has a row in ARCHITECTURE, or lies in one that has.
func TestTheTableOfPackagesIsComplete(t *testing.T) {
	table := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(readPage(t, "ARCHITECTURE.md"), -1) {
		table[m[1]] = true
	}
	inside := map[string]string{"web/pagetest": "web", "internal/testdata/oracle": "internal/testdata"}
	for _, file := range repositoryPaths(t) {
		dir := path.Dir(file)
		if !strings.HasSuffix(file, ".go") || dir == "." || strings.HasPrefix(dir, "testdata/") || strings.HasPrefix(dir, "examples/") {
			continue
		}
		if within, ok := inside[dir]; ok {
			dir = within
		}
		if !table[dir] {
			t.Errorf("%s: ARCHITECTURE.md has no row for `%s`", file, dir)
			table[dir] = true // once
		}
	}
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// repositoryPaths are all files and folders, with slashes, without those of
// tools.
func repositoryPaths(t *testing.T) (all []string) {
	t.Helper()
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil || rel == "." {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		all = append(all, filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
