// Package buildtool is what the targets of magefile.go do: build the binary
// and the page, run the tests of all languages, and fetch the tools that a
// fresh machine lacks.
package buildtool

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A command is one program to run in the root of the repository.
type command struct {
	name string
	args []string
	dir  string   // below the root; "" is the root
	env  []string // KEY=value, added to the environment
}

// run starts the program with its output on ours, and waits for it.
func run(name string, args ...string) error { return command{name: name, args: args}.run() }

func (c command) run() error {
	cmd, err := c.prepare()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	fmt.Fprintln(os.Stderr, "+", c.brief())
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

// output gives what the program prints, without white space around it.
func output(name string, args ...string) (string, error) {
	return command{name: name, args: args}.output()
}

func (c command) output() (string, error) {
	cmd, err := c.prepare()
	if err != nil {
		return "", err
	}
	var words bytes.Buffer
	cmd.Stderr = &words
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", c, err, words.Bytes())
	}
	return strings.TrimSpace(string(text)), nil
}

func (c command) String() string {
	words := append(append([]string{}, c.env...), c.name)
	return strings.Join(append(words, c.args...), " ")
}

// brief is the command for people: without scripts, and of many settings of the
// compiler the first.
func (c command) brief() string {
	if verbose() {
		return c.String()
	}
	var args []string
	settings := 0
	for _, arg := range c.args {
		switch {
		case strings.Contains(arg, "\n"):
			arg = "..."
		case strings.HasPrefix(arg, "-gcflags="):
			if settings++; settings > 1 {
				continue
			}
			arg += " ..."
		}
		args = append(args, arg)
	}
	c.args = args
	return c.String()
}

// prepare leaves GOOS and GOARCH of our own environment out: a target that
// asks for another platform says so itself, and tools are always native.
func (c command) prepare() (*exec.Cmd, error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(c.name, c.args...)
	cmd.Dir = filepath.Join(root, c.dir)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GOOS=") && !strings.HasPrefix(kv, "GOARCH=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, c.env...)
	return cmd, nil
}

// root is the folder of go.mod, at or above the current one.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("buildtool: no go.mod at or above the current folder")
		}
		dir = parent
	}
}

// A stage is one named part of a long target.
type stage struct {
	name string
	do   func() error
	// beside runs the stage together with the one before it. It is for stages that
	// keep one processor busy and whose tests do not measure time.
	beside bool
}

// runStages runs all stages, also after one has failed, says at the end how
// each went, and fails if any did.
func runStages(stages []stage) error { return reportStages(os.Stdout, os.Stderr, stages) }

// reportStages is runStages with the summary to out and what happens meanwhile
// to words.
func reportStages(out, words io.Writer, stages []stage) error {
	var summary strings.Builder
	failed, all := 0, len(stages)
	for len(stages) > 0 {
		together := 1
		for together < len(stages) && stages[together].beside {
			together++
		}
		errs, took := make([]error, together), make([]time.Duration, together)
		var wait sync.WaitGroup
		for i, s := range stages[:together] {
			fmt.Fprintf(words, "\n=== %s\n", s.name)
			wait.Go(func() {
				start := time.Now()
				errs[i] = s.do()
				took[i] = time.Since(start)
			})
		}
		wait.Wait()
		for i, s := range stages[:together] {
			word := "ok"
			if errs[i] != nil {
				failed++
				word = "FAILED"
				fmt.Fprintf(words, "=== %s: %v\n", s.name, errs[i])
			}
			fmt.Fprintf(&summary, "%-7s %6.1f s  %s\n", word, took[i].Seconds(), s.name)
		}
		stages = stages[together:]
	}
	fmt.Fprintf(out, "\n%s%d passed, %d failed\n", summary.String(), all-failed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d parts failed", failed, all)
	}
	return nil
}
