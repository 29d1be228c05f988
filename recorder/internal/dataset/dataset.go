// Package dataset writes recordings as data sets of Parquet files, one for each
// stream, in Hive's layout: NAME/hour=YYYY-MM-DDTHH, which DuckDB, Spark, Dask and
// pyarrow read as one table. Further recordings may go into the same folder: each
// file is named after its recording and its first row, and a manifest lists them.
//
// Streams have different columns, and readers take those of one file for those of
// all. So each stream is a data set of its own, and a recording with other columns
// is refused.
package dataset

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
)

// The keys of a partition.
const (
	keyStream = "stream"
	keyHour   = "hour"
)

// hourLayout is the value of the key hour, in UTC: no colon, so that every
// file system takes it, and sorted as time is.
const hourLayout = "2006-01-02T15"

// ParseKeys returns the keys that a list separated by commas names: stream, which
// makes a data set of each stream, and hour, by which its files are in folders.
func ParseKeys(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	keys := strings.Split(text, ",")
	for i, key := range keys {
		if key != keyStream && key != keyHour || slices.Contains(keys[:i], key) {
			return nil, fmt.Errorf("%q is not possible; possible: stream, hour, stream,hour", text)
		}
	}
	return keys, nil
}

// A part is the rows of a selection that go into one file.
type part struct {
	start, end int64
	hour       string // "" without that key
}

// Options say where and how a data set is written.
type Options struct {
	Dir   string          // of the manifest, and with the key stream of the data sets; made if it is missing
	Keys  []string        // as ParseKeys gives them
	Codec recording.Codec // Zstd or None

	export.Options
}

// A File is one that was written.
type File struct {
	Path string
	export.Report
}

// Write writes x, which is of the recording in, as Parquet files below a folder,
// one for each hour, and names them when all are whole. If it fails, none of them
// is there, nor a folder that it made.
func Write(ctx context.Context, in *files.Input, x *recording.Excerpt, o *Options) ([]File, error) {
	r := x.Reader()
	for _, key := range o.Keys {
		if key == keyHour && r.Stream().Column(key) >= 0 {
			return nil, fmt.Errorf("the recording has a column %q, which is also a key of the partition; a reader would find two of the name", key)
		}
	}
	start, end := x.Rows()
	parts, err := []part{{start: start, end: end}}, error(nil)
	if slices.Contains(o.Keys, keyHour) {
		if parts, err = hours(ctx, x); err != nil {
			return nil, err
		}
	}
	id, err := recordingID(in)
	if err != nil {
		return nil, err
	}
	name := streamName(in.Path, r)
	path, keys := ".", slices.DeleteFunc(slices.Clone(o.Keys), func(key string) bool { return key == keyStream })
	if slices.Contains(o.Keys, keyStream) {
		path = url.PathEscape(name)
	}
	list, err := readManifest(o.Dir)
	if err != nil {
		return nil, err
	}
	set, err := list.find(path, name, keys, columnsOf(x))
	if err != nil {
		return nil, err
	}
	s := r.Stream()
	entry := inDataSet{ID: id, Source: filepath.Base(in.Path), StartUTC: s.StartUTC, StartClock: s.StartClock, AcqClockHz: s.AcqClockHz}
	made := &folders{}
	defer made.discard()
	var outs []*files.Output
	defer func() {
		for _, out := range outs {
			out.Discard()
		}
	}()
	var written []File
	parquet, before := o.Options, int64(0)
	for _, p := range parts {
		dir := filepath.Join(o.Dir, path)
		if p.hour != "" {
			dir = filepath.Join(dir, keyHour+"="+url.PathEscape(p.hour))
		}
		if err := made.make(dir); err != nil {
			return nil, err
		}
		out, err := files.Create(files.Beside(filepath.Join(dir, store.StreamFile(name, "")), ".arrow", fmt.Sprintf("-%s-%d.parquet", id, p.start)), in)
		if err != nil {
			return nil, err
		}
		outs = append(outs, out)
		of := x.Within(recording.Range{Start: p.start, End: p.end})
		if o.Progress != nil {
			parquet.Progress = func(done, _ int64) { o.Progress(before+done, x.Len()) }
		}
		report, err := export.Parquet(ctx, out, of, &parquet, o.Codec)
		if err != nil {
			return nil, err
		}
		before += of.Len()
		if err := out.Finish(); err != nil {
			return nil, err
		}
		written = append(written, File{out.Path, report})
		entry.Rows, entry.LostRows, entry.Gaps = entry.Rows+report.Rows, entry.LostRows+report.LostRows, entry.Gaps+len(report.Gaps)
		if file, err := filepath.Rel(o.Dir, out.Path); err == nil {
			entry.Files = append(entry.Files, filepath.ToSlash(file))
		}
	}
	if err := files.CommitAll(outs...); err != nil {
		return nil, err
	}
	made.keep()
	set.Recordings = append(set.Recordings, entry)
	if err := list.write(o.Dir); err != nil {
		return nil, fmt.Errorf("the files are there, but not in the manifest: %w", err)
	}
	return written, nil
}

// runSuffix is what a run adds to a stream's name: a count or a time.
var runSuffix = regexp.MustCompile(`_(\d+|\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d(_\d+)?)$`)

// streamName is what the recording calls its stream, else the name of the file
// without the suffix of its run.
func streamName(path string, r *recording.Reader) string {
	if name := r.Stream().Name; name != "" {
		return name
	}
	if path == files.Stdin {
		return "stdin"
	}
	name := filepath.Base(path)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	if stem := runSuffix.ReplaceAllString(name, ""); stem != "" {
		return stem
	}
	return name
}

// recordingID distinguishes recordings whose streams have one name: the same file
// gets the same letters wherever it lies. It reads both ends of the file only.
func recordingID(in *files.Input) (string, error) {
	const end = 1 << 20
	h := sha256.New()
	fmt.Fprintln(h, in.Size)
	for _, at := range []int64{0, max(0, in.Size-end)} {
		if _, err := io.Copy(h, io.NewSectionReader(in.Data, at, end)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:6]), nil
}

// folders are those that an export made and takes away if it fails.
type folders struct{ made []string }

func (f *folders) make(dir string) error {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil || filepath.Dir(at) == at {
			break
		}
		missing = append(missing, at)
	}
	slices.Reverse(missing)
	for _, at := range missing {
		if err := os.Mkdir(at, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		f.made = append(f.made, at)
	}
	return nil
}

func (f *folders) keep() { f.made = nil }

// discard removes the folders that are empty, the innermost first.
func (f *folders) discard() {
	for _, dir := range slices.Backward(f.made) {
		_ = os.Remove(dir) // one with something of others in it stays
	}
}
