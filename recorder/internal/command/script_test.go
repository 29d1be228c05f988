package command

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(waiting{m}, map[string]func(){"oniscope": func() { os.Exit(Run(os.Args[1:]...)) }})
}

// Tests wait for processes more than they work: more of them run at a time than
// there are processors.
type waiting struct{ *testing.M }

func (w waiting) Run() int {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("5")
	}
	return w.M.Run()
}

// TestScript runs each command as people do: a process, its streams and files.
// Exact exit codes are in TestExitCodes; scripts see success or failure only.
func TestScript(t *testing.T) {
	rigs, err := filepath.Abs("../../../testdata/rigs")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := filepath.Abs("../../../testdata/foreign")
	if err != nil {
		t.Fatal(err)
	}
	field, err := filepath.Abs("../../../testdata/field")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("RIGS", rigs)
			e.Setenv("FOREIGN", foreign)
			e.Setenv("FIELD", field)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cut": cmdCut, "wipe": cmdWipe, "grown": cmdGrown, "terminate": cmdTerminate, "remember": cmdRemember, "unchanged": cmdUnchanged,
		},
	})
}

// cmdCut keeps the first n bytes of a file; a negative n takes some off.
func cmdCut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	if n < 0 {
		info, err := os.Stat(path)
		ts.Check(err)
		n += info.Size()
	}
	ts.Check(os.Truncate(path, n))
}

// cmdWipe puts zeros over n bytes of a file from an offset on.
func cmdWipe(ts *testscript.TestScript, _ bool, args []string) {
	off, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	n, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	defer f.Close()
	_, err = f.WriteAt(make([]byte, n), off)
	ts.Check(err)
}

// cmdGrown waits until a file has more than n bytes.
func cmdGrown(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s did not grow beyond %d bytes", args[0], n)
}

// cmdTerminate sends SIGTERM to what runs in the background.
func cmdTerminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		if c.Process != nil {
			ts.Check(c.Process.Signal(syscall.SIGTERM))
		}
	}
}

// digest is of all files in a folder: names and bytes.
func digest(ts *testscript.TestScript, dir string) string {
	h := sha256.New()
	ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(data))
		h.Write(data)
		return err
	}))
	return fmt.Sprintf("%x", h.Sum(nil))
}

// cmdRemember and cmdUnchanged compare a folder byte for byte.
func cmdRemember(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("DIGEST_"+strings.ToUpper(args[0]), digest(ts, args[0]))
}

func cmdUnchanged(ts *testscript.TestScript, _ bool, args []string) {
	if before := ts.Getenv("DIGEST_" + strings.ToUpper(args[0])); before == "" || before != digest(ts, args[0]) {
		ts.Fatalf("%s has changed", args[0])
	}
}
