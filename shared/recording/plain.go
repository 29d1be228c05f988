package recording

import "strings"

// PlainText is the text of an error for people: without the names of the
// packages that it came through, each before a colon.
func PlainText(err error) string {
	parts := strings.Split(err.Error(), ": ")
	kept := parts[:0]
	for i, part := range parts {
		if i < len(parts)-1 && packages[part] {
			continue
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, ": ")
}

// packages are the names that errors begin with.
var packages = map[string]bool{"recording": true, "recovery": true, "export": true, "stream": true, "messages": true, "body": true,
	"array": true, "arrowipc": true, "pace": true, "engine": true}
