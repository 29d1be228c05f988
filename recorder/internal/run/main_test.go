package run

import (
	"flag"
	"os"
	"testing"
)

// The fault table waits more than it works: runs of some seconds in real time.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f != nil && f.Value.String() == f.DefValue {
		_ = f.Value.Set("6")
	}
	os.Exit(m.Run())
}
