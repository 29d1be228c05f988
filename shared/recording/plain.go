package recording

import "strings"

// PlainText is the text of an error for people: without the names of the
// packages that it came through, each before a colon.
func PlainText(err error) string {
	lines := strings.Split(err.Error(), "\n") // of errors that were joined
	for i, line := range lines {
		parts := strings.Split(line, ": ")
		kept := parts[:0]
		for k, part := range parts {
			if k < len(parts)-1 && packages[part] {
				continue
			}
			kept = append(kept, part)
		}
		lines[i] = strings.Join(kept, ": ")
	}
	return strings.Join(lines, "\n")
}

// packages are the names that errors begin with: those of this folder, and of
// the recorder.
var packages = map[string]bool{"recording": true, "recovery": true, "export": true, "stream": true, "messages": true, "body": true,
	"array": true, "arrowipc": true, "pace": true, "engine": true,
	"acquire": true, "device": true, "headstage": true, "liboni": true, "neuropixels": true, "oni": true, "recorder": true, "rig": true, "serdes": true, "sim": true, "store": true}
