package buildtool

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Bench measures how fast recordings are read, repaired and exported, compared with
// what other programs take for the same job, and writes the table of it to
// out/bench/speed.md. It takes about ten minutes and 20 GB of disk.
//
// All contenders of a job take turns, so that what else the machine does meets
// all of them; medians count. Nothing here is a test: a job that misses its
// target says so in the table. BENCH=regexp in the environment picks jobs by name.
func Bench() error {
	if err := Build(); err != nil {
		return err
	}
	b, err := newBench()
	if err != nil {
		return err
	}
	var table strings.Builder
	table.WriteString("| job | target | Oniscope | others | |\n|---|---|---|---|---|\n")
	only, err := regexp.Compile(os.Getenv("BENCH"))
	if err != nil {
		return fmt.Errorf("BENCH: %w", err)
	}
	for _, j := range b.jobs() {
		if !only.MatchString(j.name) {
			continue
		}
		line, err := b.line(j)
		if err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
		fmt.Println(line)
		table.WriteString(line + "\n")
	}
	fmt.Print("\n", table.String())
	return os.WriteFile(filepath.Join(b.dir, "speed.md"), []byte(table.String()+"\n"+b.conditions()+"\n"), 0o644)
}

// jobs are the rows of the table. Those that fill the page cache come last.
func (b *bench) jobs() []job {
	reader, export, walk := b.tests("recording"), b.tests("export"), b.tests("internal/messages")
	column := func(who, codec, source string) contender {
		return reader.of(who, "ReadColumn/columns=386/codec="+codec+"/reader="+who+"/source="+source)
	}
	slice := func(codec, source string) contender {
		return reader.of("oniscope", "Slice/seconds=10/columns=16/codec="+codec+"/source="+source)
	}
	oneCore := []string{"GOMAXPROCS=1"}
	return []job{
		{name: "open, one of 386 columns, 3 batches of 30 000 rows, zstd", ratio: 200,
			ours: column("oniscope", "zstd", "file"), peers: []contender{column("arrow-go", "zstd", "file")}},
		{name: "the same, plain, in memory", files: []string{"386.arrow"}, ratio: 3,
			ours: column("oniscope", "none", "memory"), peers: []contender{column("arrow-go", "none", "memory"), b.arrowJS("386.arrow")}},
		{name: "10 s of 16 columns from a minute of Neuropixels, plain, memory map", files: []string{"60s-none.arrow"}, ratio: 1,
			ours: slice("none", "map"), peers: []contender{
				b.pyarrow("slice-tutorial", "60s-none.arrow"),
				b.pyarrow("slice-polars", "60s-none.arrow").as("Polars, 2 threads"),
				b.pyarrow("slice-fields", "60s-none.arrow").as("pyarrow with included_fields"),
				slice("none", "file").as("oniscope without a map"),
			}},
		{name: "the same, zstd", files: []string{"60s-zstd.arrow"}, ratio: 0.85,
			ours: slice("zstd", "file"), peers: []contender{
				b.pyarrow("slice-polars", "60s-zstd.arrow").as("Polars, 2 threads"),
				b.pyarrow("slice-tutorial", "60s-zstd.arrow"),
				b.pyarrow("slice-fields", "60s-zstd.arrow").as("pyarrow with included_fields, 2 threads"),
			}},
		{name: "scan for the next message after damage, in memory", bytesPerSecond: 5e9, ours: walk.of("oniscope", "Scan/places=aligned/body=batches")},
		{name: "`verify`, plain", files: []string{"60s-none.arrow"}, bytesPerSecond: 1e9,
			ours: b.timed("oniscope", minuteBytes, "", nil, b.oniscope, "verify", "--quiet", "60s-none.arrow")},
		{name: "`verify`, zstd", files: []string{"60s-zstd.arrow"},
			ours: b.timed("oniscope", 0, "", nil, b.oniscope, "verify", "--quiet", "60s-zstd.arrow")},
		{name: "export to flat binary, 384 of 386 columns", bytesPerSecond: 400e6, ours: export.of("oniscope", "Bin/to=file")},
		{name: "export to Parquet with zstd, one core", files: []string{"386.arrow"}, ratio: 1,
			ours:  b.timed("oniscope", 0, "out.parquet", oneCore, b.oniscope, "export", "--quiet", "--format", "parquet", "386.arrow", "-o", "out.parquet"),
			peers: []contender{b.pyarrow("parquet", "386.arrow", "pyarrow.parquet")}},
		{name: "`recover -o`, intact batches", files: []string{"60s-none-cut.arrow"}, ratio: 0.8,
			ours: b.timed("oniscope", minuteBytes, "out.arrow", nil, b.oniscope, "recover", "--quiet", "60s-none-cut.arrow", "-o", "out.arrow"),
			peers: []contender{ // recover, too, names its output only when the disk has it
				b.timed("cp and sync", minuteBytes, "cp.arrow", nil, "sh", "-c", "cp 60s-none-cut.arrow cp.arrow && sync cp.arrow"),
				b.timed("cp alone", minuteBytes, "cp.arrow", nil, "cp", "60s-none-cut.arrow", "cp.arrow"),
			}},
		{name: "`recover -o`, zstd: each batch is decoded once, the output compared by hash", files: []string{"60s-zstd-cut.arrow"},
			ours:  b.timed("oniscope", 0, "out.arrow", nil, b.oniscope, "recover", "--quiet", "60s-zstd-cut.arrow", "-o", "out.arrow"),
			peers: []contender{b.timed("cp and sync", 0, "cp.arrow", nil, "sh", "-c", "cp 60s-zstd-cut.arrow cp.arrow && sync cp.arrow")}},
		{name: "`recover --in-place`, 10 GB without a footer", files: []string{"10GB-cut.arrow"}, ratio: 50,
			ours: b.inPlace("10GB-cut.arrow"), peers: []contender{b.pyarrow("salvage", "10GB-cut.arrow", "pyarrow.arrow").as("pyarrow, stream written anew")}},
		{name: "open and count the rows, 72 minutes in 4340 batches", files: []string{"72min.arrow"}, seconds: 0.020, read: 8e6,
			ours: reader.of("oniscope", "OpenAndCount"), peers: []contender{b.pyarrow("count-rows", "72min.arrow")}},
	}
}

// minuteBytes has 60s-none.arrow, and without its footer nearly as many.
const minuteBytes = 2.807e9
