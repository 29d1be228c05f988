package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// A durationFlag is a time as people write it: 10s, 5m, 2h30m, 1d, 1h30,
// 0:10:00. A number alone is refused: of what?
type durationFlag struct{ time.Duration }

func (d *durationFlag) String() string {
	if d.Duration == 0 {
		return ""
	}
	return written(d.Duration)
}

// written is a duration as people write it: 1m, not 1m0s.
func written(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Type is the word for the value in help.
func (d *durationFlag) Type() string { return "duration" }

// Set parses.
func (d *durationFlag) Set(text string) (err error) {
	d.Duration, err = parseDuration(text)
	return err
}

// durationHint ends what is said about a duration that cannot be meant.
const durationHint = "write it as 10s, 5m, 2h30m, 1d or 0:10:00"

var (
	durationPart = regexp.MustCompile(`^(\d+(?:\.\d+)?)\s*([a-zµ]*)\s*`)
	clockTime    = regexp.MustCompile(`^(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$`)
)

var durationUnits = map[string]time.Duration{
	"ms": time.Millisecond, "us": time.Microsecond, "µs": time.Microsecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

func parseDuration(text string) (time.Duration, error) {
	bad := func(why string) (time.Duration, error) {
		return 0, fmt.Errorf("%q %s; %s", text, why, durationHint)
	}
	rest := strings.ToLower(strings.TrimSpace(text))
	if m := clockTime.FindStringSubmatch(rest); m != nil {
		if m[3] == "" {
			return bad("may be minutes or hours")
		}
		rest = m[1] + "h" + m[2] + "m" + m[3] + "s"
	}
	seconds, smaller := 0.0, time.Duration(0)
	for rest != "" {
		m := durationPart.FindStringSubmatch(rest)
		if m == nil {
			return bad("is not a duration")
		}
		rest = rest[len(m[0]):]
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return bad("is not a duration")
		}
		unit, ok := durationUnits[m[2]]
		switch {
		case ok:
		case m[2] == "" && smaller > 0 && rest == "": // 1h30
			unit = smaller
		case m[2] == "":
			return bad("has no unit")
		default:
			return bad("is not a duration")
		}
		smaller = map[time.Duration]time.Duration{24 * time.Hour: time.Hour, time.Hour: time.Minute, time.Minute: time.Second}[unit]
		seconds += n * unit.Seconds()
	}
	if seconds <= 0 || seconds > math.MaxInt64/1e9 {
		return bad("is not a length of time")
	}
	return time.Duration(math.Round(seconds * 1e9)), nil
}

// A syncFlag is how often files are forced to the platter.
type syncFlag struct{ time.Duration }

func (s *syncFlag) String() string {
	switch s.Duration {
	case store.SyncBatch:
		return "batch"
	case store.SyncNever:
		return "none"
	}
	return s.Duration.String()
}

// Type is the word for the value in help.
func (s *syncFlag) Type() string { return "WHEN" }

// Set parses.
func (s *syncFlag) Set(text string) (err error) {
	switch strings.ToLower(text) {
	case "batch":
		s.Duration = store.SyncBatch
	case "none":
		s.Duration = store.SyncNever
	default:
		if s.Duration, err = parseDuration(text); err != nil {
			return fmt.Errorf("%w, or batch, or none", err)
		}
	}
	return nil
}

// A bytesFlag is a size: 2GB, 512MB, 1.5GiB.
type bytesFlag struct{ bytes int64 }

func (b *bytesFlag) String() string {
	if b.bytes == 0 {
		return ""
	}
	return strconv.FormatInt(b.bytes, 10)
}

// Type is the word for the value in help.
func (b *bytesFlag) Type() string { return "size" }

var sizeParts = regexp.MustCompile(`^(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)$`)

var sizeUnits = map[string]float64{
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// Set parses.
func (b *bytesFlag) Set(text string) error {
	m := sizeParts.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil || sizeUnits[m[2]] == 0 {
		return fmt.Errorf("%q is not a size; write it as 2GB or 512MB", text)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n <= 0 || n*sizeUnits[m[2]] > 1<<60 {
		return fmt.Errorf("%q is not a size; write it as 2GB or 512MB", text)
	}
	b.bytes = int64(n * sizeUnits[m[2]])
	return nil
}

// Bounds of flags that would make no sense otherwise.
const (
	minFlush = 10 * time.Millisecond
	maxFlush = time.Minute
	minRoll  = 10 * time.Second
)

// load reads the rig file and puts the flags over it.
func (f *recordFlags) load() (*rig.Rig, error) {
	switch {
	case f.rig == "" && f.driver != rig.DriverTest:
		return nil, usagef("--rig FILE is needed, which says what is connected; oniscope rig init makes one")
	case f.out == "":
		return nil, usagef("--out DIR is needed, the folder of the recording")
	case f.flush.Duration < minFlush || f.flush.Duration > maxFlush:
		return nil, usagef("--flush %v: want %v to %v", &f.flush, written(minFlush), written(maxFlush))
	case f.roll.Duration > 0 && f.roll.Duration < minRoll:
		return nil, usagef("--roll %v: want %v or more", &f.roll, written(minRoll))
	}
	if info, err := os.Stat(f.out); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("--out %s: this is a file, and a folder is wanted", f.out)
	}
	name, text := "--driver "+f.driver, []byte("driver: "+f.driver)
	if f.rig != "" {
		var err error
		if name, text, err = readRig(f.rig); err != nil {
			return nil, err
		}
	}
	r, err := rig.Parse(name, text)
	if err != nil {
		return nil, &usageError{err}
	}
	given := func(name string, to *string, value string) {
		if f.set.Changed(name) {
			*to = value
		}
	}
	given("driver", &r.Driver, f.driver)
	given("signal", &r.Signal, f.signal)
	given("pace", &r.Pace, f.pace)
	if f.set.Changed("seed") {
		r.Seed = f.seed
	}
	if err := r.Complete(); err != nil {
		return nil, &usageError{err}
	}
	if err := f.writer().Check(); err != nil {
		return nil, &usageError{err}
	}
	return r, nil
}

// maxRigBytes keeps a wrong file, a recording of many GB, from being read whole.
const maxRigBytes = 1 << 20

// readRig reads a rig file. One that is not there is a wrong flag.
func readRig(file string) (name string, text []byte, err error) {
	f, err := os.Open(file)
	if err == nil {
		defer f.Close()
		text, err = io.ReadAll(io.LimitReader(f, maxRigBytes+1))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return file, nil, usagef("--rig %s: there is no such file", file)
	case err != nil:
		return file, nil, fmt.Errorf("--rig %s: %w", file, withoutPath(err))
	case len(text) > maxRigBytes:
		return file, nil, usagef("--rig %s: it has more than %d bytes, and no rig file has", file, maxRigBytes)
	}
	return file, text, nil
}

// writer returns the settings that flags give to all streams.
func (f *recordFlags) writer() rig.Writer {
	var w rig.Writer
	if f.set.Changed("suffix") {
		w.Suffix = &f.suffix
	}
	if f.set.Changed("overwrite") {
		w.Overwrite = &f.overwrite
	}
	if f.set.Changed("buffered") {
		w.Buffered = &f.buffered
	}
	if f.set.Changed("compression") {
		w.Compression = &f.compression
	}
	if f.set.Changed("layout") {
		w.Layout = &f.layout
	}
	return w
}
