package neuropixels

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Probe-interface JSON: which electrodes a probe has, where they lie, and which
// channel each is connected to. Source: onix-devices 5.4.

// ErrProbe says that a probe-interface file does not describe the probe.
var ErrProbe = errors.New("not a probe-interface file of this probe")

// What the files call themselves. Source: onix-devices 5.4.
const (
	specification        = "probeinterface"
	specificationVersion = "0.2.21"
	contactWidth         = 12 // um
	maxProbeFileBytes    = 16 << 20
)

type probeFile struct {
	Specification string  `json:"specification"`
	Version       string  `json:"version"`
	Probes        []probe `json:"probes"`
}

type probe struct {
	NDim        int               `json:"ndim"`
	SIUnits     string            `json:"si_units"`
	Annotations map[string]string `json:"annotations"`
	Positions   [][2]float64      `json:"contact_positions"`
	PlaneAxes   [][2][2]int       `json:"contact_plane_axes"`
	Shapes      []string          `json:"contact_shapes"`
	ShapeParams []shape           `json:"contact_shape_params"`
	Contour     [][2]float64      `json:"probe_planar_contour"`
	Channels    []int             `json:"device_channel_indices"`
	ContactIDs  []string          `json:"contact_ids"`
	ShankIDs    []string          `json:"shank_ids"`
}

type shape struct {
	Width float64 `json:"width"`
}

// ParseProbe reads which electrodes a probe-interface file connects. The file
// must describe one probe of the model: all its electrodes, or those that are
// connected with contact_ids that number them ("12", "e12", "s0e12"); where they
// lie may be shifted as a whole. Each must be on the channel that the probe can
// connect it to. Anything else gives ErrProbe or ErrSelection, with the contact.
func ParseProbe(m Model, file []byte) (Selection, error) {
	if len(file) > maxProbeFileBytes {
		return Selection{}, fmt.Errorf("neuropixels: %w: %d bytes are too many", ErrProbe, len(file))
	}
	var f struct {
		Specification string `json:"specification"`
		Probes        []struct {
			SIUnits    string            `json:"si_units"`
			Positions  [][]float64       `json:"contact_positions"`
			Channels   []int             `json:"device_channel_indices"`
			ContactIDs []json.RawMessage `json:"contact_ids"`
		} `json:"probes"`
	}
	if err := json.Unmarshal(file, &f); err != nil {
		return Selection{}, fmt.Errorf("neuropixels: %w: %w", ErrProbe, err)
	}
	if f.Specification != specification || len(f.Probes) != 1 {
		return Selection{}, fmt.Errorf("neuropixels: %w: specification %q with %d probes, want %q with one", ErrProbe, f.Specification, len(f.Probes), specification)
	}
	p := f.Probes[0]
	n := len(p.Positions)
	switch {
	case len(p.Channels) != n:
		return Selection{}, fmt.Errorf("neuropixels: %w: %d contacts, but %d device_channel_indices", ErrProbe, n, len(p.Channels))
	case len(p.ContactIDs) != 0 && len(p.ContactIDs) != n:
		return Selection{}, fmt.Errorf("neuropixels: %w: %d contacts, but %d contact_ids", ErrProbe, n, len(p.ContactIDs))
	case len(p.ContactIDs) == 0 && n != m.Contacts():
		return Selection{}, fmt.Errorf("neuropixels: %w: %d contacts, a %s has %d", ErrProbe, n, m.Name(), m.Contacts())
	case p.SIUnits != "" && p.SIUnits != "um":
		return Selection{}, fmt.Errorf("neuropixels: %w: positions in %q, want um", ErrProbe, p.SIUnits)
	}
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
		if len(p.ContactIDs) != 0 && n != m.Contacts() {
			e, ok := m.electrodeOf(strings.Trim(string(p.ContactIDs[i]), `"`))
			if !ok {
				return Selection{}, fmt.Errorf("neuropixels: %w: contact_ids has %s, a %s has 0 to %d", ErrProbe, p.ContactIDs[i], m.Name(), m.Contacts()-1)
			}
			numbers[i] = e
		}
	}
	if err := m.checkPositions(numbers, p.Positions); err != nil {
		return Selection{}, err
	}
	var connected []int
	for i, ch := range p.Channels {
		switch e := numbers[i]; {
		case ch == -1:
		case ch != m.Channel(e):
			return Selection{}, fmt.Errorf("neuropixels: %w: electrode %d is on channel %d, the probe connects it to %d", ErrSelection, e, ch, m.Channel(e))
		default:
			connected = append(connected, e)
		}
	}
	return m.Select(connected)
}

// electrodeOf reads the number of an electrode: "12", "e12", "s0e12".
func (m Model) electrodeOf(id string) (electrode int, ok bool) {
	perShank := m.Contacts() / m.Shanks()
	shank, number, onShank := 0, id, false
	if rest, ok := strings.CutPrefix(id, "s"); ok {
		first, second, found := strings.Cut(rest, "e")
		s, err := strconv.Atoi(first)
		if !found || err != nil || s < 0 || s >= m.Shanks() {
			return 0, false
		}
		shank, number, onShank = s, second, true
	} else if rest, ok := strings.CutPrefix(id, "e"); ok {
		if m.Shanks() > 1 {
			return 0, false // of which shank?
		}
		number = rest
	}
	e, err := strconv.Atoi(number)
	if err != nil || e < 0 || e >= m.Contacts() || onShank && e >= perShank {
		return 0, false
	}
	return shank*perShank + e, true
}

// checkPositions wants the contacts where the probe has them, all shifted alike.
func (m Model) checkPositions(electrodes []int, positions [][]float64) error {
	const tolerance = 1 // um; files round
	var dx, dy float64
	for i, at := range positions {
		if len(at) != 2 {
			return fmt.Errorf("neuropixels: %w: contact %d has %d coordinates, want 2", ErrProbe, i, len(at))
		}
		x, y := m.Position(electrodes[i])
		if i == 0 {
			dx, dy = at[0]-x, at[1]-y
		}
		if !(math.Abs(at[0]-x-dx) <= tolerance && math.Abs(at[1]-y-dy) <= tolerance) {
			return fmt.Errorf("neuropixels: %w: contact %d lies at (%v, %v) um, electrode %d of a %s at (%v, %v)", ErrProbe, i, at[0], at[1], electrodes[i], m.Name(), x+dx, y+dy)
		}
	}
	return nil
}

// FormatProbe writes probe-interface JSON of a probe. With all it lists every
// electrode, in the order of their numbers, with channel -1 for those that are
// not connected; else those that are, in the order of channels. about is added
// to the annotations: "serial_number", "model_name".
func FormatProbe(m Model, s Selection, all bool, about map[string]string) []byte {
	p := probe{NDim: 2, SIUnits: "um", Annotations: map[string]string{"name": m.Name(), "manufacturer": "IMEC"}, Contour: m.contour()}
	for name, text := range about {
		p.Annotations[name] = text
	}
	add := func(electrode, channel int) {
		x, y := m.Position(electrode)
		p.Positions = append(p.Positions, [2]float64{x, y})
		p.PlaneAxes = append(p.PlaneAxes, [2][2]int{{1, 0}, {0, 1}})
		p.Shapes = append(p.Shapes, "square")
		p.ShapeParams = append(p.ShapeParams, shape{contactWidth})
		p.Channels = append(p.Channels, channel)
		p.ContactIDs = append(p.ContactIDs, strconv.Itoa(electrode))
		p.ShankIDs = append(p.ShankIDs, m.shankID(electrode))
	}
	if all {
		for e := range m.Contacts() {
			ch := m.Channel(e)
			if s[ch] != e {
				ch = -1
			}
			add(e, ch)
		}
	} else {
		for ch, e := range s {
			add(e, ch)
		}
	}
	text, err := json.Marshal(probeFile{specification, specificationVersion, []probe{p}})
	if err != nil {
		panic(err) // numbers and strings only
	}
	return text
}

// shankID is "" on a probe with one shank, as the original's files have it.
func (m Model) shankID(electrode int) string {
	if m.Shanks() == 1 {
		return ""
	}
	shank, _ := m.Shank(electrode)
	return strconv.Itoa(shank)
}

// contour is the outline of the probe, in um. Source: onix-devices 5.4.
func (m Model) contour() [][2]float64 {
	if m == V1 {
		return [][2]float64{{0, 155}, {35, 0}, {70, 155}, {70, 9770}, {0, 9770}, {0, 155}}
	}
	const (
		width, shoulder = 70, 155
		shankEnd        = 10000
		top             = 10155
	)
	last := float64(200 + 250*(m.Shanks()-1) + width)
	outline := [][2]float64{{200, top}, {200, shankEnd}}
	for shank := range m.Shanks() {
		left := float64(200 + 250*shank)
		if shank > 0 {
			outline = append(outline, [2]float64{left, shankEnd})
		}
		outline = append(outline, [2]float64{left, shoulder}, [2]float64{left + width/2, 0}, [2]float64{left + width, shoulder}, [2]float64{left + width, shankEnd})
	}
	return append(outline, [2]float64{last, top}, [2]float64{200, top})
}
