package picture

import (
	"encoding/json"
	"fmt"
	"image/color"
	"os"
	"slices"
	"strconv"
	"testing"
)

// ramp.json has the colours of channels from the top of the page to the bottom;
// web/test/colour.test.js compares the page's with it.
func TestTheRampIsThePages(t *testing.T) {
	text, err := os.ReadFile("../../../testdata/colours/ramp.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		A, B    string
		Colours []string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 10 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		got := rampOf(len(c.Colours), parse(t, c.A), parse(t, c.B))
		slices.Reverse(got)
		for i, colour := range got {
			if hex := fmt.Sprintf("#%02x%02x%02x", colour.R, colour.G, colour.B); hex != c.Colours[i] {
				t.Errorf("channel %d of %d from %s to %s: %s, on the page %s", i, len(got), c.A, c.B, hex, c.Colours[i])
			}
		}
	}
}

func parse(t *testing.T, hex string) color.NRGBA {
	v, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	return rgb(uint32(v))
}
