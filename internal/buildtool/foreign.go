package buildtool

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	foreignFolder     = "testdata/foreign/"
	foreignGenerators = "testdata/generate/foreign"
)

// Foreign lets the writers of others write the files of testdata/foreign that
// are generated, and readers of others what any reader must report of them.
func Foreign() error {
	python, err := ensureVenv("out/foreign-venv", foreignGenerators+"/requirements.txt")
	if err != nil {
		return err
	}
	js := foreignGenerators + "-js"
	return runStages([]stage{
		{name: "arrow-go", do: func() error { return run("go", "run", "./"+foreignGenerators, foreignFolder+"arrow-go") }},
		{name: "pyarrow", do: func() error { return run(python, foreignGenerators+"/pyarrow_files.py", foreignFolder+"pyarrow") }},
		{name: "Polars", do: func() error { return run(python, foreignGenerators+"/polars_files.py", foreignFolder+"polars") }},
		{name: "arrow-rs", do: foreignRust},
		{name: "arrow-js", do: func() error {
			if err := (command{name: "npm", dir: js, args: []string{"ci", "--no-audit", "--no-fund"}}).run(); err != nil {
				return err
			}
			return run("node", js+"/files.mjs", foreignFolder+"arrow-js")
		}},
		{name: "twins", do: func() error {
			writers := []string{foreignGenerators + "/twins.py"}
			for _, name := range []string{"arrow-go", "pyarrow", "polars", "arrow-rs", "arrow-js"} {
				writers = append(writers, foreignFolder+name)
			}
			if err := run(python, writers...); err != nil {
				return err
			}
			return run("node", js+"/twins.mjs", foreignFolder+"arrow-go/intervals.arrow", foreignFolder+"arrow-go/intervals_stream.arrow")
		}},
	})
}

// foreignRust leaves the files of arrow-rs as they are where nothing can
// compile its writer.
func foreignRust() error {
	if _, err := exec.LookPath("cargo"); err != nil {
		fmt.Fprintln(os.Stderr, "no cargo: testdata/foreign/arrow-rs stays as it is (install Rust 1.88 or newer to write it)")
		return nil
	}
	dir, err := root()
	if err != nil {
		return err
	}
	build := command{name: "cargo", env: []string{"CARGO_TARGET_DIR=" + filepath.Join(dir, "out", "foreign-rs")},
		args: []string{"run", "--quiet", "--manifest-path", foreignGenerators + "-rs/Cargo.toml", "--", foreignFolder + "arrow-rs"}}
	return build.run()
}
