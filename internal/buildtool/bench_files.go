package buildtool

import (
	le "encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// make makes a file of out/bench unless it is there.
func (b *bench) make(name string) error {
	path := filepath.Join(b.dir, name)
	if _, err := os.Stat(path); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	sparse := func(args ...string) error {
		return run("go", append([]string{"run", "./testdata/generate/sparse", "-o", path}, args...)...)
	}
	switch name {
	case "60s-none.arrow":
		return sparse("-batches", "60", "-fill", "all")
	case "60s-zstd.arrow":
		return sparse("-batches", "60", "-fill", "all", "-zstd")
	case "72min.arrow":
		return sparse("-batches", "4340", "-fill", "headers")
	case "386.arrow":
		if err := b.make("60s-none.arrow"); err != nil {
			return err
		}
		return run(b.oniscope, "slice", "--quiet", "--columns", "SpikeData*,HubClock,Clock", "--batches", "0:3", filepath.Join(b.dir, "60s-none.arrow"), "-o", path)
	case "60s-none-cut.arrow", "60s-zstd-cut.arrow":
		whole := strings.Replace(name, "-cut", "", 1)
		if err := b.make(whole); err != nil {
			return err
		}
		if err := run("cp", filepath.Join(b.dir, whole), path+".part"); err != nil {
			return err
		}
	case "10GB-cut.arrow":
		if err := run("go", "run", "./testdata/generate/sparse", "-size", "10GB", "-o", path+".part"); err != nil {
			return err
		}
	default:
		return fmt.Errorf("nobody knows how to make %s", name)
	}
	if err := cutFooter(path + ".part"); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// cutFooter leaves of a file what a killed recorder would have left: no end
// mark and nothing after it.
func cutFooter(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := f.Seek(-10, io.SeekEnd)
	if err != nil {
		return err
	}
	var length uint32
	if err := le.Read(f, le.LittleEndian, &length); err != nil {
		return err
	}
	return f.Truncate(end - int64(length) - 8)
}

// inPlace mends a file and, unmeasured, breaks it again.
func (b *bench) inPlace(name string) contender {
	path := filepath.Join(b.dir, name)
	mend := b.timed("oniscope", 0, "", nil, b.oniscope, "recover", "--quiet", "--in-place", name)
	return contender{mend.name, func() (measured, error) {
		before, err := os.Stat(path)
		if err != nil {
			return measured{}, err
		}
		m, err := mend.measure()
		if err != nil {
			return m, err
		}
		beside, err := filepath.Glob(path + ".*")
		if err != nil {
			return m, err
		}
		for _, saved := range beside {
			if err := os.Remove(saved); err != nil {
				return m, err
			}
		}
		return m, os.Truncate(path, before.Size())
	}}
}
