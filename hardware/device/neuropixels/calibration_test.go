package neuropixels_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
)

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(calibration + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestCalibrationFilesAreRead(t *testing.T) {
	adcs, err := neuropixels.ParseADCs([]byte(read(t, "V1_ADCCalibration.csv")))
	if err != nil {
		t.Fatal(err)
	}
	if want := (neuropixels.ADC{CompP: 1, CompN: 3, Slope: 1, Coarse: 1, Fine: 2, Cfix: 1, Offset: 8, Threshold: 391}); adcs.Serial != 18194819542 || adcs.ADCs[1] != want {
		t.Errorf("serial %d, ADC 1 %+v, want %+v", adcs.Serial, adcs.ADCs[1], want)
	}
	v1 := []byte(read(t, "V1_gainCalValues.csv"))
	for _, c := range []struct {
		gainAP, gainLFP int
		ap, lfp         float64
	}{{1000, 50, 0.97, 1.0273}, {50, 3000, 1.01, 0.99}, {3000, 125, 1.08, 0.92}} {
		g, err := neuropixels.ParseGainsV1(v1, c.gainAP, c.gainLFP)
		if err != nil || g.AP != c.ap || g.LFP != c.lfp || g.Serial != 18194819542 {
			t.Errorf("gains %d and %d: got %+v, %v; want %v and %v", c.gainAP, c.gainLFP, g, err, c.ap, c.lfp)
		}
	}
	for name, want := range map[string]float64{"V2A_gainCalValues.csv": 0.97, "V2B_gainCalValues.csv": 1.0413} {
		g, err := neuropixels.ParseGainsV2([]byte(read(t, name)))
		if err != nil || g.AP != want || g.LFP != 0 || g.Serial != 20097907811 {
			t.Errorf("%s: got %+v, %v; want %v", name, g, err, want)
		}
	}
}

// TestWhatIsNoCalibrationIsRefused: each changes one thing of a file that is right.
func TestWhatIsNoCalibrationIsRefused(t *testing.T) {
	adcs, v1, v2 := read(t, "V1_ADCCalibration.csv"), read(t, "V1_gainCalValues.csv"), read(t, "V2A_gainCalValues.csv")
	replace := func(text, old, new string) string {
		changed := strings.Replace(text, old, new, 1)
		if changed == text {
			t.Fatalf("%q is not in the file", old)
		}
		return changed
	}
	parseADCs := func(text string) error { _, err := neuropixels.ParseADCs([]byte(text)); return err }
	parseV1 := func(text string) error { _, err := neuropixels.ParseGainsV1([]byte(text), 1000, 50); return err }
	parseV2 := func(text string) error { _, err := neuropixels.ParseGainsV2([]byte(text)); return err }
	for name, c := range map[string]struct {
		parse func(string) error
		text  string
		want  string // in the message; "" if the file is right
	}{
		"CRLF":                             {parseADCs, strings.ReplaceAll(adcs, "\n", "\r\n"), ""},
		"spaces":                           {parseADCs, replace(adcs, "1,1,3,1", "1, 1 ,3,1"), ""},
		"no end of line":                   {parseADCs, strings.TrimRight(adcs, "\n"), ""},
		"empty lines at the end":           {parseADCs, adcs + "\n\r\n", ""},
		"a byte order mark":                {parseADCs, "\xEF\xBB\xBF" + adcs, ""},
		"empty":                            {parseADCs, "", "line 1 is"},
		"no serial number":                 {parseADCs, strings.SplitN(adcs, "\n", 2)[1], "line 1 is"},
		"a serial number with a point":     {parseADCs, replace(adcs, "18194819542", "1.5"), "line 1 is"},
		"a line missing":                   {parseADCs, replace(adcs, "1,1,3,1,1,2,1,8,391\n", ""), "32 lines, want 33"},
		"a line too many":                  {parseADCs, adcs + "32,0,0,0,0,0,0,0,0\n", "34 lines, want 33"},
		"another ADC":                      {parseADCs, replace(adcs, "\n1,1,3", "\n2,1,3"), "line 3 begins with"},
		"a field missing":                  {parseADCs, replace(adcs, "1,1,3,1,1,2,1,8,391", "1,1,3,1,1,2,1,8"), "line 3 has 8 fields"},
		"CompP of 32":                      {parseADCs, replace(adcs, "1,1,3,1,1,2,1,8,391", "1,32,3,1,1,2,1,8,391"), `line 3: CompP is "32"`},
		"Coarse of 4":                      {parseADCs, replace(adcs, "1,1,3,1,1,2,1,8,391", "1,1,3,1,4,2,1,8,391"), `line 3: Coarse is "4"`},
		"a negative threshold":             {parseADCs, replace(adcs, "1,1,3,1,1,2,1,8,391", "1,1,3,1,1,2,1,8,-1"), "line 3: Threshold"},
		"a fraction":                       {parseADCs, replace(adcs, "1,1,3,1,1,2,1,8,391", "1,1,3,1,1,2,1,8,3.5"), "line 3: Threshold"},
		"gains for ADCs":                   {parseADCs, v1, "961 lines, want 33"},
		"a reference contact":              {parseV1, replace(v1, "\n1,1.01,1.02,1.03,1.04,0.97", "\n1,1.01,1.02,1.03,1.04,1.0"), ""},
		"1.0: two corrections":             {parseV1, replace(v1, "\n1,1.01,1.02,1.03,1.04,0.97", "\n1,1.01,1.02,1.03,1.04,0.96"), "line 3: a correction of 0.96"},
		"1.0: a reference contact and two": {parseV1, replace(replace(v1, "\n1,1.01,1.02,1.03,1.04,0.97", "\n1,1.01,1.02,1.03,1.04,0.96"), "\n2,1.01,1.02,1.03,1.04,0.97", "\n2,1.01,1.02,1.03,1.04,1"), "line 3"},
		"1.0: not a number":                {parseV1, replace(v1, "\n1,1.01,1.02,1.03,1.04,0.97", "\n1,1.01,1.02,1.03,1.04,NaN"), "line 3"},
		"1.0: a decimal comma":             {parseV1, strings.ReplaceAll(v1, ".", ","), "fields, want 17"},
		"2.0: all one":                     {parseV2, strings.ReplaceAll(v2, "0.97", "1"), ""},
		"2.0: infinite":                    {parseV2, replace(v2, "\n1,0.97", "\n1,Inf"), "line 3"},
		"2.0: zero":                        {parseV2, strings.ReplaceAll(v2, "0.97", "0"), "line 2"},
		"2.0: hexadecimal":                 {parseV2, replace(v2, "\n1,0.97", "\n1,0x1p0"), "line 3"},
		"2.0: a file of a 1.0 probe":       {parseV2, v1, "961 lines, want 385"},
		"too many bytes":                   {parseV2, strings.Repeat("1", 2<<20), "too many"},
	} {
		err := c.parse(c.text)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!errors.Is(err, neuropixels.ErrCalibration) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
	if _, err := neuropixels.ParseGainsV1([]byte(v1), 100, 50); !errors.Is(err, neuropixels.ErrSetting) {
		t.Errorf("a gain that no probe has: %v", err)
	}
}

func FuzzCalibration(f *testing.F) {
	for _, name := range []string{"V1_ADCCalibration.csv", "V2A_gainCalValues.csv"} {
		f.Add([]byte(read(f, name)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, err := neuropixels.ParseADCs(file); err == nil {
			s, _ := neuropixels.V1.Bank("A", 0)
			if _, err := (&neuropixels.SetupV1{Electrodes: s, Reference: neuropixels.Tip, GainAP: 50, GainLFP: 50, ADC: c}).Chains(); err != nil {
				t.Errorf("a calibration that was accepted makes no shift registers: %v", err)
			}
		}
		if g, err := neuropixels.ParseGainsV2(file); err == nil && !(g.AP > 0 && g.AP < 16) {
			t.Errorf("correction %v", g.AP)
		}
		_, _ = neuropixels.ParseGainsV1(file, 1000, 50)
	})
}
