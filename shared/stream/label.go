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
	group, member, channel := groupOf(name)
	switch {
	case channel >= 0:
		return group + " " + strconv.Itoa(channel), group, channel
	case member != "":
		return group + " " + strings.ReplaceAll(member, "_", " "), group, -1
	}
	return group, group, -1
}

// groupOf is Label without the label, which there are hundreds of; member is the
// part of a structure.
func groupOf(name string) (group, member string, channel int) {
	end := len(name)
	for end > 0 && '0' <= name[end-1] && name[end-1] <= '9' {
		end--
	}
	stem := name[:end]
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
				return signal, "", n
			}
		}
	}
	if i, ok := bySignal[name]; ok && !signalTable[i].Channels && !signalTable[i].Members {
		return signalTable[i].Label, "", -1
	}
	if parent, member, ok := strings.Cut(name, "_"); ok && parent != "" && member != "" {
		return spaced(parent), member, -1
	}
	return name, "", -1
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
