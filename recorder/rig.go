package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// A rig is what a rig file says: what is connected, how each device is set,
// and how its streams are written. Unknown keys are errors that name the line.
type rig struct {
	Driver  string             `yaml:"driver"`
	Seed    uint64             `yaml:"seed"`
	Pace    string             `yaml:"pace"`
	Signal  string             `yaml:"signal"`
	Ports   map[string]rigPort `yaml:"ports"`
	Devices ast.Node           `yaml:"devices"` // kinds have keys of their own
	Writer  writerSettings     `yaml:"writer"`

	devices map[string]deviceSettings // by key
	file    string
	text    string
}

type rigPort struct {
	Headstage string `yaml:"headstage"`
	Voltage   string `yaml:"voltage"`
}

// writerSettings are those of Bonsai's DataFrameWriter, and the layout. What
// is nil comes from the settings of all streams, then from the defaults.
type writerSettings struct {
	Suffix      *string `yaml:"suffix"`
	Overwrite   *bool   `yaml:"overwrite"`
	Buffered    *bool   `yaml:"buffered"`
	Compression *string `yaml:"compression"`
	Layout      *string `yaml:"layout"`
}

// deviceSettings are the keys of every kind together with those of one.
type deviceSettings struct {
	Enable bool // default true
	Writer writerSettings

	RateHz    float64
	RangesV   [12]float64
	GainAP    int
	GainLFP   int
	Reference string
	Filter    bool

	line int
}

// neuropixelsV1eKey is the key of a Neuropixels 1.0e headstage behind
// "port-a/" or "port-b/".
const neuropixelsV1eKey = device.HeadstageNeuropixelsV1e

// deviceKinds are the keys of breakout devices.
var deviceKinds = []string{"memory-monitor", "heartbeat", "analog-io", "digital-io"}

// portNames are the ports of a controller, in the order of the hardware.
var portNames = []string{"a", "b"}

// parseRig reads a rig file. name is for errors.
func parseRig(name string, text []byte) (*rig, error) {
	r := &rig{file: name, text: string(text), devices: map[string]deviceSettings{}}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, r.explain(err)
	}
	if len(file.Docs) > 1 {
		return nil, fmt.Errorf("%s: %d documents, want one", name, len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: the file is empty; say at least which driver, as in driver: sim", name)
	}
	if err := yaml.NodeToValue(file.Docs[0].Body, r, yaml.Strict()); err != nil {
		return nil, r.explain(err)
	}
	for port, p := range r.Ports {
		if !slices.Contains(portNames, port) {
			return nil, fmt.Errorf("%s: ports: %q is not a port; possible: %s", name, port, strings.Join(portNames, ", "))
		}
		if p.Headstage != "" && p.Headstage != device.HeadstageNeuropixelsV1e {
			return nil, fmt.Errorf("%s: port %s: headstage %q is not known; possible: %s", name, port, p.Headstage, device.HeadstageNeuropixelsV1e)
		}
		if p.Voltage != "" && p.Voltage != "auto" {
			return nil, fmt.Errorf("%s: port %s: voltage %q; only auto is possible", name, port, p.Voltage)
		}
	}
	if err := r.parseDevices(); err != nil {
		return nil, err
	}
	if err := r.Writer.check(); err != nil {
		return nil, fmt.Errorf("%s: writer: %w", name, err)
	}
	return r, nil
}

func (r *rig) parseDevices() error {
	if r.Devices == nil || r.Devices.Type() == ast.NullType {
		return nil
	}
	entries, ok := r.Devices.(ast.MapNode)
	if !ok {
		return fmt.Errorf("%s:%d: devices: want one key a device", r.file, r.Devices.GetToken().Position.Line)
	}
	for it := entries.MapRange(); it.Next(); {
		key, line := it.Key().GetToken().Value, it.Key().GetToken().Position.Line
		settings, err := r.parseDevice(key, it.Value())
		if err != nil {
			if y := yaml.Error(nil); errors.As(err, &y) {
				return r.explain(err)
			}
			return fmt.Errorf("%s:%d: devices: %w", r.file, line, err)
		}
		settings.line = line
		r.devices[key] = settings
	}
	return nil
}

// parseDevice reads the settings of one device: each kind takes the common
// keys and its own.
func (r *rig) parseDevice(key string, node ast.Node) (deviceSettings, error) {
	type Common struct { // exported, for the YAML package sets it {
		Enable *bool          `yaml:"enable"`
		Writer writerSettings `yaml:"writer"`
	}
	var base Common
	s := deviceSettings{Filter: true}
	into := func(keys any) error {
		if node == nil || node.Type() == ast.NullType {
			return nil
		}
		return yaml.NodeToValue(node, keys, yaml.Strict())
	}
	port, headstage, onPort := strings.Cut(key, "/")
	var err error
	switch {
	case key == "memory-monitor" || key == "heartbeat":
		var k struct {
			Common `yaml:",inline"`
			RateHz float64 `yaml:"rate_hz"`
		}
		err = into(&k)
		base, s.RateHz = k.Common, k.RateHz
	case key == "analog-io":
		var k struct {
			Common  `yaml:",inline"`
			RangesV []float64 `yaml:"ranges_v"`
		}
		err = into(&k)
		base = k.Common
		if n := len(k.RangesV); err == nil && n != 0 && n != len(s.RangesV) {
			return s, fmt.Errorf("analog-io: ranges_v has %d values, want %d", n, len(s.RangesV))
		}
		copy(s.RangesV[:], k.RangesV)
	case key == "digital-io":
		var k struct {
			Common `yaml:",inline"`
		}
		err = into(&k)
		base = k.Common
	case onPort && headstage == neuropixelsV1eKey && slices.Contains(portNames, strings.TrimPrefix(port, "port-")):
		k := struct {
			Common    `yaml:",inline"`
			GainAP    int    `yaml:"gain_ap"`
			GainLFP   int    `yaml:"gain_lfp"`
			Reference string `yaml:"reference"`
			Filter    bool   `yaml:"filter"`
		}{Filter: true, Reference: "external"}
		err = into(&k)
		base, s.GainAP, s.GainLFP, s.Reference, s.Filter = k.Common, k.GainAP, k.GainLFP, k.Reference, k.Filter
		if letter := strings.TrimPrefix(port, "port-"); err == nil && r.Ports[letter].Headstage != headstage {
			return s, fmt.Errorf("%s: ports says nothing of it; add ports: {%s: {headstage: %s}}", key, letter, headstage)
		}
		if err == nil && s.Reference != "external" && s.Reference != "tip" {
			return s, fmt.Errorf("%s: reference %q is not known; possible: external, tip", key, s.Reference)
		}
	default:
		return s, fmt.Errorf("%q is not known; possible: %s, port-a/%s, port-b/%[3]s", key, strings.Join(deviceKinds, ", "), neuropixelsV1eKey)
	}
	if err != nil {
		return s, err
	}
	s.Enable = base.Enable == nil || *base.Enable
	s.Writer = base.Writer
	if s.Writer.Suffix != nil {
		return s, fmt.Errorf("%s: suffix is chosen once for the whole run; set it under writer", key)
	}
	if err := s.Writer.check(); err != nil {
		return s, fmt.Errorf("%s: writer: %w", key, err)
	}
	return s, nil
}

// device returns the settings for a key; defaults if the rig does not name it.
func (r *rig) device(key string) deviceSettings {
	if s, ok := r.devices[key]; ok {
		return s
	}
	return deviceSettings{Enable: true, Filter: true}
}

// explain puts file and line in front of a message of the YAML package, and
// leaves its picture of the source out.
func (r *rig) explain(err error) error {
	y := yaml.Error(nil)
	if !errors.As(err, &y) || y.GetToken() == nil || y.GetToken().Position == nil {
		return fmt.Errorf("%s: %w", r.file, err)
	}
	message, _, _ := strings.Cut(y.GetMessage(), "\n")
	if unknown := (*yaml.UnknownFieldError)(nil); errors.As(err, &unknown) {
		message = fmt.Sprintf("unknown key %q", y.GetToken().Value)
	}
	return fmt.Errorf("%s:%d: %s", r.file, y.GetToken().Position.Line, message)
}

// check refuses values that are not possible.
func (w writerSettings) check() error {
	if w.Suffix != nil {
		if _, err := store.ParseSuffix(*w.Suffix); err != nil {
			return err
		}
	}
	if w.Compression != nil {
		if _, err := parseCodec(*w.Compression); err != nil {
			return err
		}
	}
	if w.Layout != nil && *w.Layout != layoutRepeat {
		return fmt.Errorf("layout %q is not possible in this version; possible: %s", *w.Layout, layoutRepeat)
	}
	return nil
}

// layoutRepeat stores a slower signal in every row: each LFP value 12 times.
const layoutRepeat = "repeat"

// over returns the settings with those of below where these say nothing.
func (w writerSettings) over(below writerSettings) writerSettings {
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

// defaultWriter is what holds where neither flags nor rig say anything.
func defaultWriter() writerSettings {
	suffix, no, yes, none, repeat := string(store.FileCount), false, true, "none", layoutRepeat
	return writerSettings{&suffix, &no, &yes, &none, &repeat}
}
