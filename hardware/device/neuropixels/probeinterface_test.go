package neuropixels_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

// TestAProbeFileThatWasWrittenIsReadBack: for every model and bank, with all
// electrodes and with those that are connected.
func TestAProbeFileThatWasWrittenIsReadBack(t *testing.T) {
	for _, m := range models {
		for _, name := range m.Banks() {
			want, err := m.Bank(name, m.Shanks()-1)
			if err != nil {
				t.Fatal(err)
			}
			for _, all := range []bool{true, false} {
				got, err := neuropixels.ParseProbe(m, neuropixels.FormatProbe(m, want, all, map[string]string{"serial_number": "1"}))
				if err != nil || got != want {
					t.Errorf("%s, bank %s, all %v: %v; the same selection: %v", m.Name(), name, all, err, got == want)
				}
			}
		}
	}
}

// TestAProbeFileHasWhatItsReadersAsk: every list is as long as the contacts, and
// the numbers are those of onix-devices 5.4.
func TestAProbeFileHasWhatItsReadersAsk(t *testing.T) {
	for _, m := range models {
		s, err := m.Bank("A", 0)
		if err != nil {
			t.Fatal(err)
		}
		for all, contacts := range map[bool]int{true: m.Contacts(), false: neuropixels.Channels} {
			var f struct {
				Specification, Version string
				Probes                 []struct {
					NDim        int                  `json:"ndim"`
					Annotations map[string]string    `json:"annotations"`
					Positions   [][]float64          `json:"contact_positions"`
					Axes        [][][]float64        `json:"contact_plane_axes"`
					Shapes      []string             `json:"contact_shapes"`
					Params      []map[string]float64 `json:"contact_shape_params"`
					Contour     [][]float64          `json:"probe_planar_contour"`
					Channels    []int                `json:"device_channel_indices"`
					IDs         []string             `json:"contact_ids"`
					Shanks      []string             `json:"shank_ids"`
				}
			}
			if err := json.Unmarshal(neuropixels.FormatProbe(m, s, all, nil), &f); err != nil {
				t.Fatal(err)
			}
			p := f.Probes[0]
			if f.Specification != "probeinterface" || f.Version != "0.2.21" || len(f.Probes) != 1 || p.NDim != 2 || p.Annotations["name"] != m.Name() || p.Annotations["manufacturer"] != "IMEC" {
				t.Errorf("%s: head %q %q %+v", m.Name(), f.Specification, f.Version, p.Annotations)
			}
			for what, n := range map[string]int{"positions": len(p.Positions), "axes": len(p.Axes), "shapes": len(p.Shapes), "params": len(p.Params), "channels": len(p.Channels), "ids": len(p.IDs), "shanks": len(p.Shanks)} {
				if n != contacts {
					t.Errorf("%s, all %v: %d %s, want %d", m.Name(), all, n, what, contacts)
				}
			}
			connected := 0
			for _, ch := range p.Channels {
				if ch >= 0 {
					connected++
				}
			}
			if connected != neuropixels.Channels || p.Shapes[0] != "square" || p.Params[0]["width"] != 12 {
				t.Errorf("%s: %d connected, shape %s %v", m.Name(), connected, p.Shapes[0], p.Params[0])
			}
			if first, last := p.Contour[0], p.Contour[len(p.Contour)-1]; first[0] != last[0] || first[1] != last[1] {
				t.Errorf("%s: the contour is not closed: %v to %v", m.Name(), first, last)
			}
		}
	}
}

// TestProbeFilesOfProbeinterfaceAreRead: its electrodes are called "e12" and "s0e12", and
// lie where ours do but for a shift of all.
func TestProbeFilesOfProbeinterfaceAreRead(t *testing.T) {
	for name, m := range map[string]neuropixels.Model{"NP1010": neuropixels.V1, "NP2014": neuropixels.V2Four} {
		file, err := os.ReadFile("../../../testdata/probes/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := neuropixels.ParseProbe(m, file); err != nil || got != bank(t, m, "A") {
			t.Errorf("%s: %v; bank A: %v", name, err, got == bank(t, m, "A"))
		}
	}
}

func TestAProbeFileOfAnotherProbeIsRefused(t *testing.T) {
	bankA := bank(t, neuropixels.V1, "A")
	full := string(neuropixels.FormatProbe(neuropixels.V1, bankA, true, nil))
	connected := string(neuropixels.FormatProbe(neuropixels.V1, bankA, false, nil))
	four := string(neuropixels.FormatProbe(neuropixels.V2Four, bank(t, neuropixels.V2Four, "A"), false, nil))
	replace := func(text, old, new string) string {
		changed := strings.Replace(text, old, new, 1)
		if changed == text {
			t.Fatalf("%q is not in the file", old)
		}
		return changed
	}
	for name, c := range map[string]struct {
		m    neuropixels.Model
		text string
		want error // nil if the file is right
	}{
		"as written":                   {neuropixels.V1, full, nil},
		"names of SpikeInterface":      {neuropixels.V1, strings.ReplaceAll(connected, `"contact_ids":["0","1",`, `"contact_ids":["e0","e1",`), nil},
		"numbers instead of texts":     {neuropixels.V1, strings.ReplaceAll(connected, `"contact_ids":["0","1",`, `"contact_ids":[0,1,`), nil},
		"shank and electrode":          {neuropixels.V2Four, replace(four, `"contact_ids":["0",`, `"contact_ids":["s0e0",`), nil},
		"an electrode of which shank":  {neuropixels.V2Four, replace(four, `"contact_ids":["0",`, `"contact_ids":["e0",`), neuropixels.ErrProbe},
		"a shank that is not there":    {neuropixels.V2Four, replace(four, `"contact_ids":["0",`, `"contact_ids":["s4e0",`), neuropixels.ErrProbe},
		"another model":                {neuropixels.V2Single, full, neuropixels.ErrProbe},
		"another model, connected":     {neuropixels.V2Single, connected, neuropixels.ErrProbe},
		"a position":                   {neuropixels.V1, replace(full, "[27,170]", "[27,150]"), neuropixels.ErrProbe},
		"a position without y":         {neuropixels.V1, replace(full, "[59,170]", "[59]"), neuropixels.ErrProbe},
		"rounded a little":             {neuropixels.V1, strings.ReplaceAll(connected, ",170]", ",170.25]"), nil},
		"a channel of another":         {neuropixels.V1, replace(full, `"device_channel_indices":[0,1,2,`, `"device_channel_indices":[0,2,1,`), neuropixels.ErrSelection},
		"one not connected":            {neuropixels.V1, replace(full, `"device_channel_indices":[0,1,2,`, `"device_channel_indices":[0,-1,2,`), neuropixels.ErrSelection},
		"a channel less":               {neuropixels.V1, replace(full, `"device_channel_indices":[0,1,2,`, `"device_channel_indices":[0,1,`), neuropixels.ErrProbe},
		"another specification":        {neuropixels.V1, replace(full, `"probeinterface"`, `"other"`), neuropixels.ErrProbe},
		"millimetres":                  {neuropixels.V1, replace(full, `"um"`, `"mm"`), neuropixels.ErrProbe},
		"no JSON":                      {neuropixels.V1, full[:100], neuropixels.ErrProbe},
		"empty":                        {neuropixels.V1, "", neuropixels.ErrProbe},
		"an empty object":              {neuropixels.V1, "{}", neuropixels.ErrProbe},
		"two probes":                   {neuropixels.V1, replace(full, `"probes":[`, `"probes":[{},`), neuropixels.ErrProbe},
		"an electrode beyond the last": {neuropixels.V1, replace(connected, `"contact_ids":["0",`, `"contact_ids":["960",`), neuropixels.ErrProbe},
	} {
		_, err := neuropixels.ParseProbe(c.m, []byte(c.text))
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func FuzzProbe(f *testing.F) {
	s, err := neuropixels.V1.Bank("B", 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(neuropixels.FormatProbe(neuropixels.V1, s, false, nil), uint8(0))
	f.Add([]byte(`{"specification":"probeinterface","probes":[{"contact_positions":[[0,0]],"device_channel_indices":[0],"contact_ids":["s0e0"]}]}`), uint8(2))
	f.Fuzz(func(t *testing.T, file []byte, model uint8) {
		m := models[int(model)%len(models)]
		got, err := neuropixels.ParseProbe(m, file)
		if err != nil {
			return
		}
		for ch, e := range got {
			if m.Channel(e) != ch {
				t.Errorf("channel %d has electrode %d of channel %d", ch, e, m.Channel(e))
			}
		}
	})
}
