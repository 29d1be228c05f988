package stream

import (
	"strconv"
	"strings"
)

// Label says what people call a column, which signal it belongs to, and which
// channel of it: "SpikeDataCh117" and "SpikeData117" give "AP 117", "AP", 117.
// Columns of structures belong together: "Gravity_X" gives "Gravity X",
// "Gravity", -1. For all others the group is the label and channel is -1.
func Label(name string) (label, group string, channel int) {
	stem := strings.TrimRight(name, "0123456789")
	if digits := name[len(stem):]; digits != "" && stem != "" {
		if n, err := strconv.Atoi(digits); err == nil {
			signal, known := channelled(strings.TrimSuffix(stem, "Ch"))
			if !known {
				signal, known = channelled(stem)
			}
			if !known && strings.HasSuffix(stem, "Ch") && len(stem) > len("Ch") {
				signal, known = strings.TrimSuffix(stem, "Ch"), true
			}
			if known {
				return signal + " " + strconv.Itoa(n), signal, n
			}
		}
	}
	if i, ok := bySignal[name]; ok && !signalTable[i].Channels && !signalTable[i].Members {
		word := signalTable[i].Label
		return word, word, -1
	}
	if parent, member, ok := strings.Cut(name, "_"); ok && parent != "" && member != "" {
		parent = spaced(parent)
		return parent + " " + strings.ReplaceAll(member, "_", " "), parent, -1
	}
	return name, name, -1
}

// channelled is the label of a signal that has one column a channel.
func channelled(member string) (label string, ok bool) {
	i, ok := bySignal[member]
	if !ok || !signalTable[i].Channels {
		return "", false
	}
	return signalTable[i].Label, true
}

// spaced puts a space before each inner capital: "EulerAngle", "Euler angle".
func spaced(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
