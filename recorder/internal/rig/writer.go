package rig

import (
	"fmt"
	"strings"

	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// A Writer says how streams are written: as Bonsai's DataFrameWriter, and the layout. What
// is nil comes from the settings of all streams, then from the defaults.
type Writer struct {
	Suffix      *string `yaml:"suffix"`
	Overwrite   *bool   `yaml:"overwrite"`
	Buffered    *bool   `yaml:"buffered"`
	Compression *string `yaml:"compression"`
	Layout      *string `yaml:"layout"`
}

// Check refuses values that are not possible.
func (w Writer) Check() error {
	_, err := w.check()
	return err
}

// check is Check, with the key of what is refused.
func (w Writer) check() (key string, err error) {
	if w.Suffix != nil {
		if _, err := store.ParseSuffix(*w.Suffix); err != nil {
			return "suffix", err
		}
	}
	if w.Compression != nil {
		if _, err := ParseCodec(*w.Compression); err != nil {
			return "compression", err
		}
	}
	if w.Layout != nil && !strings.EqualFold(*w.Layout, layoutRepeat) {
		return "layout", fmt.Errorf("layout %q is not possible in this version; possible: %s", *w.Layout, layoutRepeat)
	}
	return "", nil
}

// layoutRepeat stores a slower signal in every row: each LFP value 12 times.
const layoutRepeat = "repeat"

// Over returns the settings with those of below where these say nothing.
func (w Writer) Over(below Writer) Writer {
	if w.Suffix == nil {
		w.Suffix = below.Suffix
	}
	if w.Overwrite == nil {
		w.Overwrite = below.Overwrite
	}
	if w.Buffered == nil {
		w.Buffered = below.Buffered
	}
	if w.Compression == nil {
		w.Compression = below.Compression
	}
	if w.Layout == nil {
		w.Layout = below.Layout
	}
	return w
}

// DefaultWriter is what counts where neither flags nor rig say anything.
func DefaultWriter() Writer {
	suffix, no, yes, none, repeat := string(store.FileCount), false, true, "none", layoutRepeat
	return Writer{&suffix, &no, &yes, &none, &repeat}
}

// ParseCodec returns the codec of that name, of those that a recorder writes.
func ParseCodec(name string) (recording.Codec, error) {
	codec, err := recording.ParseCodec(strings.ToLower(name))
	if err != nil || codec == recording.Keep {
		return 0, fmt.Errorf("compression %q is not known; possible: none, zstd, lz4", name)
	}
	return codec, nil
}
