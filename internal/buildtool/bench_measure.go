package buildtool

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A contender does a job and says how long it took.
type contender struct {
	name    string
	measure func() (measured, error)
}

// measured is one run of a contender.
type measured struct {
	seconds float64
	bytes   float64 // that it worked on; 0: not known
	read    float64 // bytes; 0: not known
}

func (c contender) as(name string) contender {
	c.name = name
	return c
}

// A job is one row of the table.
type job struct {
	name  string
	files []string // that it needs in out/bench
	ours  contender
	peers []contender

	// The target, whichever is set: how many times as fast as the first peer,
	// how many bytes a second, how many seconds and bytes read at most.
	ratio, bytesPerSecond, seconds, read float64
}

const (
	benchRounds = 7
	longSeconds = 5 // a contender that takes longer runs once
)

// line lets all contenders take turns and returns the row of the table.
func (b *bench) line(j job) (string, error) {
	for _, name := range j.files {
		if err := b.make(name); err != nil {
			return "", err
		}
	}
	all := append([]contender{j.ours}, j.peers...)
	runs := make([][]measured, len(all))
	for range benchRounds {
		for k, c := range all {
			if n := len(runs[k]); n > 0 && runs[k][n-1].seconds > longSeconds {
				continue
			}
			m, err := c.measure()
			if err != nil {
				return "", fmt.Errorf("%s: %w", c.name, err)
			}
			runs[k] = append(runs[k], m)
		}
	}
	medians := make([]measured, len(all))
	for k := range runs {
		slices.SortFunc(runs[k], func(a, b measured) int { return int(1e9 * (a.seconds - b.seconds)) })
		medians[k] = runs[k][len(runs[k])/2]
	}
	return j.row(medians), nil
}

// row writes what was measured next to what was wanted.
func (j job) row(medians []measured) string {
	ours := medians[0]
	own := duration(ours.seconds)
	if ours.bytes > 0 {
		own += ", " + rate(ours.bytes/ours.seconds)
	}
	if ours.read > 0 {
		own += fmt.Sprintf(", %.1f MB read", ours.read/1e6)
	}
	var others []string
	for k, c := range j.peers {
		m := medians[k+1]
		others = append(others, fmt.Sprintf("%s %s: %.3g x", c.name, duration(m.seconds), m.seconds/ours.seconds))
	}
	var targets []string
	held := true
	want := func(text string, holds bool) {
		targets = append(targets, text)
		held = held && holds
	}
	if j.ratio > 0 {
		want(fmt.Sprintf("%g x %s", j.ratio, j.peers[0].name), medians[1].seconds/ours.seconds >= j.ratio)
	}
	if j.bytesPerSecond > 0 {
		want(rate(j.bytesPerSecond), ours.bytes/ours.seconds >= j.bytesPerSecond)
	}
	if j.seconds > 0 {
		want(duration(j.seconds), ours.seconds <= j.seconds)
	}
	if j.read > 0 {
		want(fmt.Sprintf("%.0f MB read", j.read/1e6), ours.read <= j.read)
	}
	mark := "held"
	switch {
	case len(targets) == 0:
		targets, mark = []string{"-"}, "-"
	case !held:
		mark = "missed"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |", j.name, strings.Join(targets, ", "), own, strings.Join(others, "; "), mark)
}

func duration(seconds float64) string {
	switch {
	case seconds < 1e-3:
		return fmt.Sprintf("%.0f µs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.3g ms", seconds*1e3)
	}
	return fmt.Sprintf("%.3g s", seconds)
}

func rate(bytesPerSecond float64) string {
	if bytesPerSecond < 1e9 {
		return fmt.Sprintf("%.0f MB/s", bytesPerSecond/1e6)
	}
	return fmt.Sprintf("%.2g GB/s", bytesPerSecond/1e9)
}

// bench is where the jobs are done.
type bench struct {
	dir, oniscope, python string
}

func newBench() (*bench, error) {
	dir, err := root()
	if err != nil {
		return nil, err
	}
	b := &bench{dir: filepath.Join(dir, "out", "bench"), oniscope: filepath.Join(dir, binary())}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return nil, err
	}
	if b.python, err = ensurePython(); err != nil {
		return nil, err
	}
	if err := run(b.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "testdata/bench/requirements.txt"); err != nil {
		return nil, err
	}
	return b, run("npm", "install", "--silent", "--no-fund", "--no-audit", "--no-save", "--prefix", filepath.Join("out", "bench", "node"), "apache-arrow@21.2.0")
}

// conditions say on what the table was made.
func (b *bench) conditions() string {
	cpu := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(info); m != nil {
			cpu = string(m[1])
		}
	}
	versions, err := output(b.python, "-c", "import pyarrow, polars; print('pyarrow ' + pyarrow.__version__ + ', Polars ' + polars.__version__)")
	if err != nil {
		versions = "no Python"
	}
	return fmt.Sprintf("Made by `go tool mage bench`: %d cores of %s, %s/%s, %s, %s. Medians of %d runs, contenders by turns; what takes longer than %d s ran once. Files in the page cache.",
		runtime.NumCPU(), cpu, runtime.GOOS, runtime.GOARCH, runtime.Version(), versions, benchRounds, longSeconds)
}

// goTests are the benchmarks of a package, compiled once.
type goTests struct {
	b        *bench
	pkg      string
	compiled bool
}

func (b *bench) tests(pkg string) *goTests { return &goTests{b: b, pkg: pkg} }

var (
	benchSeconds = regexp.MustCompile(`([0-9.]+) ns/op`)
	benchRate    = regexp.MustCompile(`([0-9.]+) MB/s`)
	benchRead    = regexp.MustCompile(`([0-9.]+) read-B/op`)
)

// of is one benchmark.
func (g *goTests) of(who, name string) contender {
	parts := strings.Split("Benchmark"+name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return contender{who, func() (measured, error) {
		tests := filepath.Join(g.b.dir, filepath.Base(g.pkg)+".test")
		if !g.compiled {
			if err := run("go", "test", "-c", "-o", tests, "./shared/"+g.pkg); err != nil {
				return measured{}, err
			}
			g.compiled = true
		}
		text, err := command{name: tests, args: []string{"-test.run=^$", "-test.bench=" + strings.Join(parts, "/"), "-test.benchtime=0.5s"},
			dir: filepath.Join("shared", filepath.FromSlash(g.pkg)), env: []string{"ONISCOPE_BENCH=" + g.b.dir}}.output()
		if err != nil {
			return measured{}, err
		}
		number := func(re *regexp.Regexp) float64 {
			if m := re.FindStringSubmatch(text); m != nil {
				x, _ := strconv.ParseFloat(m[1], 64) // 0 is seen below
				return x
			}
			return 0
		}
		m := measured{seconds: number(benchSeconds) / 1e9, read: number(benchRead)}
		m.bytes = number(benchRate) * 1e6 * m.seconds
		if m.seconds == 0 {
			return m, fmt.Errorf("the benchmark %s printed no time:\n%s", name, text)
		}
		return m, nil
	}}
}

// selfMeasured is a program that measures itself and prints seconds.
func (b *bench) selfMeasured(name string, program ...string) contender {
	return contender{name, func() (measured, error) {
		text, err := command{name: program[0], args: program[1:], dir: filepath.Join("out", "bench")}.output()
		if err != nil {
			return measured{}, err
		}
		var m measured
		return m, json.Unmarshal([]byte(text), &m.seconds)
	}}
}

// arrowJS is the job of testdata/bench/peers.mjs.
func (b *bench) arrowJS(file string) contender {
	return b.selfMeasured("arrow-js", "node", filepath.Join("..", "..", "testdata", "bench", "peers.mjs"), filepath.Join("node", "node_modules"), file)
}

// pyarrow is a job of testdata/bench/peers.py.
func (b *bench) pyarrow(args ...string) contender {
	return b.selfMeasured("pyarrow", append([]string{b.python, filepath.Join("..", "..", "testdata", "bench", "peers.py")}, args...)...)
}

// timed is a whole program from start to end. The file that it makes is
// removed, also that of a run that was broken off.
func (b *bench) timed(name string, bytes float64, made string, env []string, program ...string) contender {
	return contender{name, func() (measured, error) {
		if made != "" {
			path := filepath.Join(b.dir, made)
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				return measured{}, err
			}
			defer os.Remove(path)
		}
		c := command{name: program[0], args: program[1:], dir: filepath.Join("out", "bench"), env: env}
		begin := time.Now()
		_, err := c.output()
		return measured{seconds: time.Since(begin).Seconds(), bytes: bytes}, err
	}}
}
