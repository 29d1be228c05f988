package buildtool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// simulatedRig is the example of the product's own documentation: breakout
// board and one Neuropixels 1.0e headstage, neural signal.
const simulatedRig = "testdata/rigs/np1e-sim.yaml"

// Demo builds, records ten seconds, and serves the page with those files until
// Ctrl-C.
func Demo(ctx context.Context) error {
	if err := Build(); err != nil {
		return err
	}
	folder := filepath.Join("recordings", "demo-"+time.Now().Format("2006-01-02T15-04-05"))
	_, err := recordSimulated(folder, "--duration", "10s")
	if err != nil || ctx.Err() != nil { // the recorder takes Ctrl-C for a good end
		return interrupted(ctx, err)
	}
	return interrupted(ctx, run(binary(), "view", folder))
}

// interrupted turns an error that followed Ctrl-C into none: the terminal sends
// the interrupt to the program in front as well, which then ends cleanly.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// recordSimulated records the simulated rig into a folder, which it makes, and
// returns the files of the streams and the start time.
func recordSimulated(folder string, flags ...string) ([]string, error) {
	args := append([]string{"record", "--driver", "sim", "--rig", simulatedRig, "--out", folder}, flags...)
	if err := run(binary(), args...); err != nil {
		return nil, err
	}
	dir, err := root()
	if err != nil {
		return nil, err
	}
	var files []string
	for _, pattern := range []string{"*.arrow", "start-time*.csv"} {
		found, err := filepath.Glob(filepath.Join(dir, folder, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("nothing was recorded into %s", folder)
	}
	return files, nil
}

// outFolder empties and makes a folder below out/, which git ignores.
func outFolder(name string) (string, error) {
	dir, err := root()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(dir, "out", name)
	return folder, errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755))
}
