// Package rig reads rig files: what is connected, how each device is set, and
// how its streams are written. Devices, their keys, defaults and checks are
// those of device.Kinds.
package rig

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/headstage"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Rig is what a rig file says: what is connected, how each device is set,
// and how its streams are written. Unknown keys are errors that name the line.
type Rig struct {
	Driver string `yaml:"driver"`
	Seed   uint64 `yaml:"seed"`
	Pace   string `yaml:"pace"`
	Signal string `yaml:"signal"`
	Pulse  string `yaml:"pulse"`

	// Calibration is the folder with the calibration files of probes, which
	// are found by serial number; relative to the folder of the rig file.
	Calibration string `yaml:"calibration"`

	Ports   map[string]Port `yaml:"ports"`
	Devices ast.Node        `yaml:"devices"` // kinds have keys of their own
	Writer  Writer          `yaml:"writer"`

	devices map[string]Device // by key
	body    ast.Node          // of the file
	File    string            `yaml:"-"` // its name, for messages
	Text    string            `yaml:"-"` // all of it
}

// A Port says what is plugged into a port, and how it is supplied.
type Port struct {
	Headstage string  `yaml:"headstage"`
	Voltage   Voltage `yaml:"voltage"`

	VoltageDV int `yaml:"-"` // tenths of a volt; 0: the search of the headstage
}

// A Voltage is the text of a voltage, as it is in the file: what YAML makes of
// 055 or 1_0 is not what a person who wrote a voltage meant.
type Voltage struct {
	Text string
	Line int
}

// UnmarshalYAML takes the text.
func (v *Voltage) UnmarshalYAML(node ast.Node) error {
	if anchor, ok := node.(*ast.AnchorNode); ok {
		node = anchor.Value
	}
	if _, ok := node.(ast.ScalarNode); !ok {
		return &yaml.SyntaxError{Message: "voltage: want auto, or volts as in 4.5", Token: node.GetToken()}
	}
	v.Text, v.Line = node.GetToken().Value, node.GetToken().Position.Line
	if node.Type() == ast.NullType {
		v.Text = ""
	}
	return nil
}

// A Device is what a rig file says of one device.
type Device struct {
	Enable   bool
	Writer   Writer
	Settings device.Settings // of its kind
}

// PortNames are the ports of a controller, in the order of the hardware.
var PortNames = []string{"a", "b"}

// Parse reads a rig file. name is for errors.
func Parse(name string, text []byte) (*Rig, error) {
	r := &Rig{File: name, Text: string(text), devices: map[string]Device{}}
	words := stream.TextFromBytes(text)
	if !utf8.ValidString(words) || strings.ContainsRune(words, 0) {
		return nil, fmt.Errorf("%s: this is not text, and a rig file is YAML; oniscope rig init makes one", name)
	}
	file, err := parser.ParseBytes([]byte(words), 0)
	if err != nil {
		return nil, r.explain(err)
	}
	if len(file.Docs) > 1 {
		return nil, fmt.Errorf("%s: %d documents, want one", name, len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: the file is empty; say at least which driver, as in driver: sim", name)
	}
	r.body = file.Docs[0].Body
	if err := unmarshal(r.body, r); err != nil {
		return nil, r.explain(err)
	}
	for _, v := range r.choices() {
		if *v.value == "" {
			continue // Complete says what is needed
		}
		if err := v.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", r.at(v.key), err)
		}
	}
	if _, err := r.PulseEvery(); err != nil {
		return nil, fmt.Errorf("%s: %w", r.at("pulse"), err)
	}
	for _, port := range slices.Sorted(maps.Keys(r.Ports)) {
		if err := r.checkPort(port); err != nil {
			return nil, err
		}
	}
	if err := r.parseDevices(); err != nil {
		return nil, err
	}
	if key, err := r.Writer.check(); err != nil {
		return nil, fmt.Errorf("%s: writer: %w", r.at("writer", key), err)
	}
	return r, nil
}

// checkPort refuses what cannot be plugged into a port.
func (r *Rig) checkPort(port string) (err error) {
	p := r.Ports[port]
	switch {
	case !slices.Contains(PortNames, port):
		return fmt.Errorf("%s: ports: %q is not a port; possible: %s", r.at("ports", port), port, strings.Join(PortNames, ", "))
	case p.Headstage == "":
		return fmt.Errorf("%s: port %s: no headstage; possible: %s; leave out a port with nothing plugged in", r.at("ports", port), port, strings.Join(headstages(), ", "))
	case !slices.Contains(headstages(), p.Headstage):
		return fmt.Errorf("%s: port %s: headstage %q is not known%s; possible: %s", r.at("ports", port, "headstage"), port, p.Headstage, meant(p.Headstage, headstages()), strings.Join(headstages(), ", "))
	}
	if p.VoltageDV, err = headstage.ParseVoltage(p.Headstage, p.Voltage.Text); err != nil {
		return fmt.Errorf("%s:%d: port %s: voltage: %w", r.File, p.Voltage.Line, port, err)
	}
	r.Ports[port] = p
	return nil
}

func (r *Rig) parseDevices() error {
	if r.Devices == nil || r.Devices.Type() == ast.NullType {
		return nil
	}
	entries, ok := r.Devices.(ast.MapNode)
	if !ok {
		return fmt.Errorf("%s:%d: devices: want one key a device", r.File, r.Devices.GetToken().Position.Line)
	}
	for it := entries.MapRange(); it.Next(); {
		key, line := it.Key().GetToken().Value, it.Key().GetToken().Position.Line
		settings, err := r.parseDevice(key, it.Value())
		if err != nil {
			if y := yaml.Error(nil); errors.As(err, &y) {
				return r.explain(err)
			}
			if placed := (*placedError)(nil); errors.As(err, &placed) {
				line = max(line, placed.line)
			} else if kind := device.KindForKey(key); kind != nil {
				line = max(line, culprit(kind, it.Value()))
			}
			return fmt.Errorf("%s:%d: devices: %w", r.File, line, err)
		}
		r.devices[key] = settings
	}
	return nil
}

// headstages are the keys of what can be plugged into a port: what boards are
// configured for, then what the simulator alone has.
func headstages() []string {
	keys := headstage.Kinds()
	for _, key := range device.Headstages() {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// DeviceKeys are the possible keys below devices.
func DeviceKeys() []string {
	var keys []string
	for _, k := range device.Kinds() {
		if k.Place == device.OnHost {
			keys = append(keys, k.Key)
		}
	}
	for _, port := range PortNames {
		for _, k := range device.Kinds() {
			if k.Place != device.OnHost {
				keys = append(keys, "port-"+port+"/"+k.Key)
			}
		}
	}
	return keys
}

// parseDevice reads the settings of one device: the keys of all devices, and
// those of its kind.
func (r *Rig) parseDevice(key string, node ast.Node) (Device, error) {
	if !slices.Contains(DeviceKeys(), key) {
		if meant := meant(key, DeviceKeys()); meant != "" {
			return Device{}, fmt.Errorf("%q is not known%s", key, meant)
		}
		return Device{}, fmt.Errorf("%q is not known; possible: %s", key, strings.Join(DeviceKeys(), ", "))
	}
	kind := device.KindForKey(key)
	if port, _, _ := strings.Cut(strings.TrimPrefix(key, "port-"), "/"); kind.Headstages != nil && !slices.Contains(kind.Headstages, r.Ports[port].Headstage) {
		return Device{}, fmt.Errorf("%s: ports says nothing of it; add ports: {%s: {headstage: %s}}", key, port, strings.Join(kind.Headstages, " or "))
	}
	s := Device{Enable: true}
	var err error
	if s.Settings, err = decodeDevice(node, kind.Settings(), &s); err != nil {
		return s, err
	}
	if err := kind.Check(s.Settings); err != nil {
		return s, fmt.Errorf("%s: %w", key, err)
	}
	if s.Writer.Suffix != nil {
		return s, fmt.Errorf("%s: suffix is chosen once for the whole run; set it under writer", key)
	}
	if part, err := s.Writer.check(); err != nil {
		return s, fmt.Errorf("%s: writer: %w", key, &placedError{r.line("devices", key, "writer", part), err})
	}
	return s, nil
}

// decodeDevice reads a node into the settings of a kind and the keys common to
// all. Both are one struct for the YAML package, since it refuses keys that a
// struct does not have.
func decodeDevice(node ast.Node, own device.Settings, common *Device) (device.Settings, error) {
	if node == nil || node.Type() == ast.NullType {
		return own, nil
	}
	defaults := reflect.ValueOf(own).Elem()
	keys := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "Enable", Type: reflect.TypeFor[bool](), Tag: `yaml:"enable"`},
		{Name: "Writer", Type: reflect.TypeFor[Writer](), Tag: `yaml:"writer"`},
		{Name: "Own", Type: defaults.Type(), Tag: `yaml:",inline"`},
	}))
	fields := keys.Elem()
	fields.Field(0).SetBool(common.Enable)
	fields.Field(2).Set(defaults)
	if err := unmarshal(node, keys.Interface()); err != nil {
		return nil, err
	}
	common.Enable, common.Writer = fields.Field(0).Bool(), fields.Field(1).Interface().(Writer)
	return fields.Field(2).Addr().Interface().(device.Settings), nil
}

// Device returns the settings for the device of a kind at a key; the kind's
// defaults if the rig does not name it. kind may be nil: nothing is known of it.
func (r *Rig) Device(kind *device.Kind, key string) Device {
	if s, ok := r.devices[key]; ok && key != "" {
		return s
	}
	if kind == nil {
		return Device{Enable: true}
	}
	return Device{Enable: !kind.Optional, Settings: kind.Settings()}
}

// Named reports whether the file has settings for the device of a key.
func (r *Rig) Named(key string) bool {
	_, ok := r.devices[key]
	return ok
}

// CalibrationFolder is the folder with calibration files, "" if none is named.
func (r *Rig) CalibrationFolder() string {
	if r.Calibration == "" {
		return ""
	}
	return r.beside(r.Calibration)
}

// Complete fills in what the file leaves out, reads the files that it names, and
// checks what flags may have changed.
func (r *Rig) Complete() error {
	for _, v := range r.choices() {
		if *v.value == "" {
			*v.value = v.otherwise
		}
		if *v.value == "" {
			return CheckDriver("", r.File)
		}
		if err := v.check(); err != nil {
			return err
		}
	}
	return r.readProbes()
}

// noPulse is the word for a simulator without pulses.
const noPulse = "none"

// PulseEvery is how often a simulator makes a pulse; 0: never.
func (r *Rig) PulseEvery() (time.Duration, error) {
	if r.Pulse == "" || strings.EqualFold(r.Pulse, noPulse) {
		return 0, nil
	}
	every, err := time.ParseDuration(r.Pulse)
	if err != nil || every < 10*time.Millisecond || every > time.Hour {
		return 0, fmt.Errorf("pulse %q is not possible; want %s, or from 10ms to 1h, as in 500ms", r.Pulse, noPulse)
	}
	return every, nil
}

// Headstage is the key of the headstage whose data a passthrough device sends,
// "" for others and where nothing is known of it.
func (r *Rig) Headstage(dev oni.Device) string {
	if port := int(dev.Address.Port()); dev.ID == device.IDPassthrough && port >= 1 && port <= len(PortNames) {
		return r.Ports[PortNames[port-1]].Headstage
	}
	return ""
}

// Settings are those of the devices that the file names, by key.
func (r *Rig) Settings() map[string]device.Settings {
	all := map[string]device.Settings{}
	for key, d := range r.devices {
		all[key] = d.Settings
	}
	return all
}
