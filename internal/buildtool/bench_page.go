package buildtool

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oniscope/oniscope/web/pagetest"
)

// pageRounds is how often each job of BenchPage is done; medians count.
const (
	pageRounds = 10

	maxPageRound = 10 * time.Minute
)

//go:embed bench_page.js
var benchPageScript string

// A pageFile is a recording that the page is measured on.
type pageFile struct {
	name, file string
	make       []string // arguments of testdata/generate/sparse
	quick      bool     // one channel only
	full       bool     // verified too; files of holes are not, for runs of zeros are a damage that takes long to look at
}

// tenGB is which of pageFiles is looked at in all ways.
const tenGB = 1

// wideFile has 1 536 channels: four probes in one stream.
var wideFile = pageFile{"1 536 channels", "3GB-1536.arrow", []string{"-size", "3GB", "-probes", "4"}, false, false}

var pageFiles = []pageFile{
	{"1 GB", "1GB.arrow", []string{"-size", "1GB"}, true, false},
	{"10 GB", "10GB.arrow", []string{"-size", "10GB"}, false, false},
	{"100 GB", "100GB.arrow", []string{"-size", "100GB"}, true, false},
	{"1 min plain", "60s-none.arrow", []string{"-batches", "60", "-fill", "all"}, false, true},
	{"1 min zstd", "60s-zstd.arrow", []string{"-batches", "60", "-fill", "all", "-zstd"}, false, true},
}

// ensure makes the file, if it is not there, and returns its path.
func (f *pageFile) ensure(dir string) (path string, err error) {
	path = filepath.Join(dir, "out", "bench", f.file)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, run("go", append([]string{"run", "./testdata/generate/sparse", "-o", path}, f.make...)...)
}

// warm reads a file once, so that what is measured first is not the disk, and what the
// Blob alone is measured with afterwards the memory.
func warm(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f})
	return err
}

// BenchPage measures in Chromium what the page and its engine do with recordings of
// any length: from the drop to exact traces, the whole run of one channel and of all,
// a second look, a verification, and the browser's Blob read alone in the same run;
// then the kernel, memory, frames, start and weight. It prints the table of README.
// BENCH=regexp picks files by name, and "kernel", "memory", "frames"; ROUNDS=n
// changes how often.
func BenchPage() error {
	if err := Build(); err != nil {
		return err
	}
	if err := ensureChromium(); err != nil {
		return err
	}
	dir, err := root()
	if err != nil {
		return err
	}
	only, err := regexp.Compile(os.Getenv("BENCH"))
	if err != nil {
		return fmt.Errorf("BENCH: %w", err)
	}
	rounds := pageRounds
	if text := os.Getenv("ROUNDS"); text != "" {
		if _, err := fmt.Sscan(text, &rounds); err != nil || rounds < 1 {
			return fmt.Errorf("ROUNDS is %q, must be a number from 1 on", text)
		}
	}
	web, begin := filepath.Join(dir, "web"), time.Now()
	var starts, compiles []float64
	drops := map[string]float64{}
	for _, f := range pageFiles {
		if !only.MatchString(f.name) {
			continue
		}
		path, err := f.ensure(dir)
		if err != nil {
			return err
		}
		if f.full {
			if err := warm(path); err != nil {
				return err
			}
		}
		times, _, err := dropTimes(web, path, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		drops[f.name] = medianOf(times)
		ratio := ""
		if one := drops["1 GB"]; one > 0 && f.name != "1 GB" {
			ratio = fmt.Sprintf("%.2f x 1 GB", drops[f.name]/one)
		}
		fmt.Printf("| %s | from the drop to exact traces | %s | %s |\n", f.name, duration(drops[f.name]/1000), ratio)
		all, err := measurePage(web, path, f, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		starts, compiles = append(starts, all["start_s"]...), append(compiles, all["compile_s"]...)
		medians := map[string]float64{}
		for key, list := range all {
			medians[key] = medianOf(list)
		}
		fmt.Print(f.rows(medians))
	}
	if len(starts) > 0 {
		fmt.Printf("| - | start of an engine that is compiled, from the worker on | %s | |\n", duration(medianOf(starts)))
		fmt.Printf("| - | fetching and compiling it, once a page | %s | |\n", duration(medianOf(compiles)))
	}
	if only.MatchString("kernel") {
		if err := benchKernel(rounds); err != nil {
			return err
		}
	}
	var failed error
	if only.MatchString("memory") {
		failed = tabMemory(memoryCases[0])
	}
	if only.MatchString("frames") {
		rows, err := frameTimes()
		if err != nil {
			return err
		}
		failed = errors.Join(failed, judgeFrames(rows))
	}
	fmt.Printf("%d rounds, %s\n", rounds, time.Since(begin).Round(time.Second))
	return errors.Join(failed, weighPage(os.Stdout))
}

// kernelScript measures the kernel of the page on bins of 128 values, in values a
// second.
const kernelScript = `const code = require("fs").readFileSync("web/gen/sums.wasm"), rows = 1 << 16;
memory = new WebAssembly.Memory({ initial: 18 });
WebAssembly.instantiate(code, { page: { memory } }).then(({ instance: { exports: { narrow } } }) => {
  const values = new Uint16Array(memory.buffer, 65536, rows).map((_, i) => 512 + (i * 7919) % 40), once = () => narrow(65536, rows, 7, 65536 + 2 * rows, 32768);
  new Uint16Array(memory.buffer, 65536, rows).set(values);
  for (let i = 0; i < 2000; i++) once();
  let n = 0;
  const begin = performance.now();
  for (; performance.now() - begin < 500; n++) once();
  console.log(n * rows * 1000 / (performance.now() - begin));
});`

// benchKernel compares the kernel with the same sums in Go, both as WebAssembly in
// Node, by turns.
func benchKernel(rounds int) error {
	lib, err := wasmLib()
	if err != nil {
		return err
	}
	var kernel, sums []float64
	for range rounds {
		text, err := output("node", "-e", kernelScript)
		if err != nil {
			return err
		}
		one, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return err
		}
		kernel = append(kernel, one)
		text, err = command{name: "go", env: wasmEnv, args: []string{"test", "-exec", filepath.Join(lib, "go_js_wasm_exec"), "./shared/decimate", "-run=^$", "-bench=^BenchmarkSum$/^type=uint16$/^bucket=128$", "-benchtime=0.5s"}}.output()
		if err != nil {
			return err
		}
		found := benchRate.FindStringSubmatch(text)
		if found == nil {
			return fmt.Errorf("the benchmark printed no rate:\n%s", text)
		}
		if one, err = strconv.ParseFloat(found[1], 64); err != nil {
			return err
		}
		sums = append(sums, one*1e6/2)
	}
	ours, theirs := medianOf(kernel), medianOf(sums)
	fmt.Printf("| - | minimum, maximum, sum and squares of 16-bit values, bins of 128 | %.0f million values a second | %.1f x Go's in WebAssembly |\n", ours/1e6, ours/theirs)
	return nil
}

func medianOf(list []float64) float64 {
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// measurePage measures in fresh tabs.
func measurePage(web, path string, f pageFile, rounds int) (all map[string][]float64, err error) {
	all = map[string][]float64{}
	for range rounds {
		one := map[string]float64{}
		err := inPage(web, pagetest.View{Width: 800, Height: 600}, func(p *pagetest.Page) error {
			if err := p.Eval(`void addEventListener("drop", (e) => { e.preventDefault(); e.stopImmediatePropagation(); globalThis.given = e.dataTransfer.files[0]; }, true)`, nil); err != nil {
				return err
			}
			if err := p.Drop(path); err != nil {
				return err
			}
			start := fmt.Sprintf("void (%s)(%v, %v).then((r) => (globalThis.done = r), (e) => (globalThis.done = { failed: `${e.name}: ${e.message}` }))", strings.TrimSpace(afterComment(benchPageScript)), f.quick, f.full)
			if err := p.Eval(start, nil); err != nil {
				return err
			}
			most, err := peakDuring(p, func() error { return p.WaitFor(maxPageRound, "globalThis.done") })
			if err != nil {
				return err
			}
			var failed string
			if err := p.Eval(`done.failed ?? ""`, &failed); err != nil || failed != "" {
				return fmt.Errorf("%s, %w", failed, err)
			}
			err = p.Eval(`done`, &one)
			one["page_bytes"], one["tab_bytes"] = float64(most.page), float64(most.process)
			return err
		})
		if err != nil {
			return nil, err
		}
		for key, x := range one {
			all[key] = append(all[key], x)
		}
	}
	return all, nil
}

// afterComment is a script without the comment in front.
func afterComment(script string) string {
	_, rest, _ := strings.Cut(script, "\n")
	return rest
}

// rows are the lines of the table about one file.
func (f *pageFile) rows(m map[string]float64) string {
	var b strings.Builder
	line := func(job, took, ratio string) { fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.name, job, took, ratio) }
	line("headers and gaps of all batches", duration(m["index_s"]), "")
	line("one channel, something to see", duration(m["one_first_s"]), "")
	line("one channel, exact", fmt.Sprintf("%s, %.0f MB read", duration(m["one_s"]), m["one_bytes"]/1e6), "")
	if f.quick {
		return b.String()
	}
	line("all channels of a signal, exact", fmt.Sprintf("%s, %s", duration(m["all_s"]), rate(m["all_values"]/m["all_s"])),
		fmt.Sprintf("%.2f of the Blob alone (%s)", m["blob_s"]/m["all_s"], rate(m["all_values"]/m["blob_s"])))
	line("the same again", fmt.Sprintf("%s, %.0f bytes read", duration(m["again_s"]), m["again_bytes"]), "")
	if f.full {
		line("verify", fmt.Sprintf("%s, %s", duration(m["verify_s"]), rate(m["size"]/m["verify_s"])),
			fmt.Sprintf("%.2f of the Blob alone (%s)", m["whole_blob_s"]/m["verify_s"], rate(m["size"]/m["whole_blob_s"])))
	}
	line("memory of the engine", fmt.Sprintf("%.0f MB, %.0f MB of it tiles", m["engine_bytes"]/1e6, m["cache_bytes"]/1e6), fmt.Sprintf("page %.0f MB at most, the tab's process %.0f MB", m["page_bytes"]/1e6, m["tab_bytes"]/1e6))
	return b.String()
}
