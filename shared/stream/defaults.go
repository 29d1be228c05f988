package stream

import "strings"

// ADC facts of files without metadata, by column name. Source: onix-devices
// 9.3 (unit table), 3.14 (orientation). Gains of Neuropixels 1.0 are not in the names, so AP and
// LFP stay codes; AmplifierData means Rhd/Rhs (0.195 uV) or Neuropixels 2.0,
// distinguished by the columns next to it.
const (
	np1MicrovoltsPerCode  = 1171.875 // at gain 1
	np1MidCode            = 512
	rhdMicrovoltsPerCode  = 0.195
	np2MicrovoltsPerCode  = 3.05176
	betaMicrovoltsPerCode = 0.76294
	auxVoltsPerCode       = 37.4e-6
	dcMillivoltsPerCode   = -19.23
	rhdMidCode            = 32768
	np2MidCode            = 2048
	betaMidCode           = 8192
	dcMidCode             = 512
	lfpStride             = 12 // one LFP value in 12 AP rows; onix-devices 3.17
	neuropixelsOneTitle   = "Neuropixels 1.0"
	neuropixelsTwoTitle   = "Neuropixels 2.0"
	neuropixelsBetaTitle  = "Neuropixels 2.0 beta"
	orientationTitle      = "BNO055 orientation"
	harpTitle             = "Harp clock"
	neuropixelsChannels   = 384
)

// FillIn fills in units, scales and strides that the file does not state but
// whose column names settle, and returns the device's title for people, ""
// when the columns do not show it. What metadata said is never changed.
func (s *Stream) FillIn() (title string) {
	count := s.groups()
	title = titleFromColumns(s, count)
	for i := range s.Columns {
		c := &s.Columns[i]
		group, _, channel := groupOf(c.Name)
		set := func(unit string, scale, offset float64) {
			if c.Unit == "" && c.Scale == 0 {
				c.Unit, c.Scale, c.Offset = unit, scale, offset
			}
		}
		switch {
		case c.Name == ClockName && c.Type.Ticks() && s.AcqClockHz != 0:
			set("s", 1/float64(s.AcqClockHz), 0)
		case c.Name == HubClockName && c.Type.Ticks() && s.HubClockHz != 0:
			set("s", 1/float64(s.HubClockHz), 0)
		case c.Name == "PercentUsed":
			set("%", 1, 0)
		case c.Name == "BytesUsed":
			set("B", 1, 0)
		case strings.HasPrefix(c.Name, "EulerAngle_") && c.Type == Float32:
			set("deg", 1, 0)
		case (strings.HasPrefix(c.Name, "Gravity_") || strings.HasPrefix(c.Name, "Acceleration_")) && c.Type == Float32:
			set("m/s^2", 1, 0)
		case c.Name == "Temperature" && title == orientationTitle:
			set("degC", 1, 0)
		case c.Name == "HarpTime" && title == harpTitle:
			set("s", 1, 0)
		case channel < 0:
		case group == "LFP" && c.Stride == 0 && count["LFP"] >= neuropixelsChannels && count["AP"] > 0: // alone it may be at its own rate
			c.Stride = lfpStride
		case group == "Aux":
			set("V", auxVoltsPerCode, 0)
		case group == "DC":
			set("mV", dcMillivoltsPerCode, dcMidCode)
		case group == "Analog" && (c.Type == Float32 || c.Type == Float64):
			set("V", 1, 0)
		case group == "Amplifier" && title == neuropixelsBetaTitle:
			set("uV", betaMicrovoltsPerCode, betaMidCode)
		case group == "Amplifier" && title == neuropixelsTwoTitle:
			set("uV", np2MicrovoltsPerCode, np2MidCode)
		case group == "Amplifier" && (count["Aux"] > 0 || count["DC"] > 0):
			set("uV", rhdMicrovoltsPerCode, rhdMidCode)
		}
	}
	if s.Device != "" {
		return s.Device
	}
	return title
}

// groups counts the columns of each signal.
func (s *Stream) groups() map[string]int {
	count := map[string]int{}
	for i := range s.Columns {
		group, _, _ := groupOf(s.Columns[i].Name)
		count[group]++
	}
	return count
}

// TakesGain reports whether the unit of a column follows from the gain of its
// amplifier, which names do not show: AP and LFP of Neuropixels 1.0.
func (c *Column) TakesGain() bool {
	group, _, channel := groupOf(c.Name)
	return channel >= 0 && (group == "AP" || group == "LFP") && c.Type.Integer()
}

// SetGain gives the columns of a signal, AP or LFP, the gain that its file does not
// state, and their unit with it. It reports whether there are such columns; where
// the file states a scale, nothing changes.
func (s *Stream) SetGain(group string, gain float64) bool {
	any := false
	for i := range s.Columns {
		c := &s.Columns[i]
		if g, _, _ := groupOf(c.Name); g != group || !c.TakesGain() || c.Unit != "" || c.Scale != 0 {
			continue
		}
		c.Unit, c.Scale, c.Offset, c.Gain = "uV", np1MicrovoltsPerCode/gain, np1MidCode, gain
		any = true
	}
	return any
}

// Title is what people call the device: what the file says, or what the names of
// the columns show; "" when neither does.
func (s Stream) Title() string {
	if s.Device != "" {
		return s.Device
	}
	return titleFromColumns(&s, s.groups())
}

func titleFromColumns(s *Stream, count map[string]int) string {
	has := func(name string) bool { return s.Column(name) >= 0 }
	switch {
	case count["AP"] > 0 && count["LFP"] > 0:
		return neuropixelsOneTitle
	case count["Amplifier"] == neuropixelsChannels && has("FrameCount"):
		return neuropixelsBetaTitle
	case count["Amplifier"] == neuropixelsChannels:
		return neuropixelsTwoTitle
	case count["DC"] > 0:
		return "RHS2116"
	case count["Amplifier"] > 0 && count["Aux"] > 0:
		return "RHD2000"
	case count["Analog"] > 0:
		return "Analog inputs"
	case has("DigitalInputs"):
		return "Digital inputs"
	case has("PercentUsed") || has("BytesUsed"):
		return "Memory monitor"
	case has("HarpTime"):
		return harpTitle
	case has("Quaternion_W"):
		return orientationTitle
	case has("EnvelopeWidth") || has("Position_X"):
		return "TS4231 lighthouse"
	case has("StatusCode"):
		return "Port status"
	case len(s.Columns) == 2 && has("Clock") && has("HubClock"):
		return "Heartbeat"
	}
	if name := strings.TrimSpace(s.Name); name != "" {
		return name
	}
	return ""
}
