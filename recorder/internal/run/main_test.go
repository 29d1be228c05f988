package run

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// beRecorder makes this binary a recorder that a test kills, if it was started as
// one.
var beRecorder = func() (is bool, err error) { return false, nil }

// What needs a real disk waits more than it works.
func TestMain(m *testing.M) {
	if is, err := beRecorder(); is {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f != nil && f.Value.String() == f.DefValue {
		_ = f.Value.Set("6")
	}
	os.Exit(m.Run())
}
