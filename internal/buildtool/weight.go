package buildtool

import (
	"cmp"
	le "encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// heaviest is how many packages a table of sizes lists.
const heaviest = 20

// What the build is allowed to weigh, in bytes.
const (
	maxPage   = 2_100_000 // all that a page loads before something is saved or verified, packed
	maxBinary = 43_000_000
)

// sizes are bytes of code and read-only data by package.
type sizes map[string]int64

// printTo lists the heaviest packages.
func (s sizes) printTo(w io.Writer) {
	names := slices.SortedFunc(maps.Keys(s), func(a, b string) int { return cmp.Or(cmp.Compare(s[b], s[a]), cmp.Compare(a, b)) })
	for i, name := range names {
		if i == heaviest {
			rest := int64(0)
			for _, name := range names[i:] {
				rest += s[name]
			}
			fmt.Fprintf(w, "%9.1f kB  %d others\n", float64(rest)/1e3, len(names)-i)
			return
		}
		fmt.Fprintf(w, "%9.1f kB  %s\n", float64(s[name])/1e3, name)
	}
}

// symbolPackage finds the package in the name of a symbol of Go.
var symbolPackage = regexp.MustCompile(`^(?:type:\.\w+\.|go:itab\.|type:)?\*?((?:[\w.\-]+/)*[\w\-]+)[.:]`)

func packageOf(symbol string) string {
	if m := symbolPackage.FindStringSubmatch(symbol); m != nil {
		return m[1]
	}
	return "(no package)"
}

// weighBinary prints the size of a native binary by package.
func weighBinary(w io.Writer, file string) error {
	dir, err := root()
	if err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(dir, file))
	if err != nil {
		return err
	}
	text, err := output("go", "tool", "nm", "-size", file)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %.1f MB\n", file, float64(info.Size())/1e6)
	if verbose() || info.Size() > maxBinary {
		fmt.Fprintln(w, "code and constants by package:")
		sizesOf(text).printTo(w)
	}
	if info.Size() > maxBinary {
		return fmt.Errorf("%s has %d bytes, at most %d are allowed: see docs/weight.md", file, info.Size(), maxBinary)
	}
	return nil
}

// sizesOf reads what go tool nm -size prints: address, size, kind, name.
func sizesOf(text string) sizes {
	s := sizes{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !slices.Contains([]string{"T", "t", "R", "r"}, fields[2]) {
			continue
		}
		if n, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
			s[packageOf(fields[3])] += n
		}
	}
	return s
}

// A wasmModule is a WebAssembly file: its functions by package, and the file
// without their names.
type wasmModule struct {
	stripped []byte
	code     sizes
	data     int64 // bytes of constants, types and tables of the runtime
}

// printTo prints the size of an engine by package; packed is what it has packed.
func (m *wasmModule) printTo(w io.Writer, name string, packed int) {
	fmt.Fprintf(w, "%s: %.2f MB, %.2f MB packed; data %.2f MB\n", name, float64(len(m.stripped))/1e6, float64(packed)/1e6, float64(m.data)/1e6)
	if verbose() {
		fmt.Fprintln(w, "code by package:")
		m.code.printTo(w)
	}
}

// verbose reports whether mage was asked for more words: go tool mage -v build.
func verbose() bool {
	yes, _ := strconv.ParseBool(os.Getenv("MAGEFILE_VERBOSE"))
	return yes
}

// later are files that a page loads when they are needed: the second engine, zstd, the
// dialogs that go somewhere, save and recover, the table, what a recorder's page has besides.
var later = regexp.MustCompile(`^gen/(second|zstd)\.wasm$|^src/live/.*\.(js|css)$|^src/ui/table\.css$|^src/(estimate|grown|places|table|ui/(goto|saving|recovering|tableview))\.js$|\.(d\.ts|md)$`)

// weighPage prints what a page loads, each file packed by itself as a server sends
// it.
func weighPage(w io.Writer) error {
	dir, err := root()
	if err != nil {
		return err
	}
	total, engine, count := 0, 0, 0
	add := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(filepath.Join(dir, "web"), path)
		if name = filepath.ToSlash(name); err != nil || later.MatchString(name) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		packed, err := pack(data)
		if err != nil {
			return err
		}
		if name == "gen/"+engines[0].file {
			engine = len(packed)
		}
		total, count = total+len(packed), count+1
		return nil
	}
	for _, part := range []string{"index.html", "src", "gen"} {
		if err := filepath.WalkDir(filepath.Join(dir, "web", part), add); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "a page loads %.2f MB packed in %d files, %.2f MB of it the engine\n", float64(total)/1e6, count, float64(engine)/1e6)
	if total > maxPage {
		return fmt.Errorf("a page loads %d bytes packed, at most %d are allowed: see docs/weight.md", total, maxPage)
	}
	return nil
}

var errModule = errors.New("no WebAssembly module with names of functions")

// readModule takes a WebAssembly module apart, which has functions of Go, not
// stripped; packages are those it was made of. Source: WebAssembly 1.0, 5.5 (sections) and 7.4.1 (names).
func readModule(file []byte, packages []string) (*wasmModule, error) {
	m := &wasmModule{code: sizes{}}
	if len(file) < 8 || string(file[:4]) != "\x00asm" {
		return nil, errModule
	}
	m.stripped = append(m.stripped, file[:8]...)
	imports, names := 0, map[int]string{}
	var bodies []int64
	for at := 8; at < len(file); {
		start := at
		kind := file[at]
		size, n := le.Uvarint(file[at+1:])
		if at += 1 + n; n <= 0 || size > uint64(len(file)-at) {
			return nil, errModule
		}
		body := &wasmBytes{data: file[at : at+int(size)]}
		at += int(size)
		switch kind {
		case 0: // custom
			if body.text() != "name" {
				break
			}
			for body.err == nil && len(body.data) > 0 {
				part, size := body.byte(), body.number()
				inner := &wasmBytes{data: body.take(size)}
				if part != 1 { // functions
					continue
				}
				for range inner.number() {
					i := inner.number()
					names[i] = inner.text()
				}
				body.err = errors.Join(body.err, inner.err)
			}
			if body.err != nil {
				return nil, errModule
			}
			continue // left out
		case 2:
			imports = body.number() // all are functions: Go imports nothing else
		case 10:
			for range body.number() {
				n := body.number()
				bodies = append(bodies, int64(n))
				body.take(n)
			}
		case 11:
			m.data = int64(size)
		}
		if body.err != nil {
			return nil, errModule
		}
		m.stripped = append(m.stripped, file[start:at]...)
	}
	if len(names) == 0 || len(bodies) == 0 {
		return nil, errModule
	}
	for i, n := range bodies {
		m.code[owner(names[imports+i], packages)] += n
	}
	return m, nil
}

// owner finds which of some packages a function of WebAssembly is of. The
// linker writes _ for what is no letter, digit or point.
func owner(function string, packages []string) string {
	best := "(no package)"
	for _, p := range packages {
		if len(p) > len(best) || best == "(no package)" {
			if strings.HasPrefix(function, oddLetters.ReplaceAllString(p, "_")+".") {
				best = p
			}
		}
	}
	return best
}

var oddLetters = regexp.MustCompile(`[^\w.]`)

// wasmBytes reads values of a section; after the first that is not there all are
// zero.
type wasmBytes struct {
	data []byte
	err  error
}

func (b *wasmBytes) take(n int) []byte {
	if b.err != nil || n < 0 || n > len(b.data) {
		b.data, b.err = nil, errModule
		return nil
	}
	p := b.data[:n]
	b.data = b.data[n:]
	return p
}

func (b *wasmBytes) byte() byte {
	if p := b.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (b *wasmBytes) number() int {
	v, n := le.Uvarint(b.data)
	if n <= 0 || v > uint64(len(b.data)) && v > 1<<32 {
		b.err = errModule
		return 0
	}
	b.take(n)
	return int(v)
}

func (b *wasmBytes) text() string { return string(b.take(b.number())) }
