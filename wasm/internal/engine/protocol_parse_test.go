package engine

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// A protocol is what a .d.ts file declares.
type protocol struct {
	interfaces map[string]map[string]field
	aliases    map[string]string // type X = ...
	names      map[reflect.Type]string
}

// A field of an interface: its type as written.
type field struct {
	text     string
	optional bool
}

var (
	quoted   = regexp.MustCompile(`"[^"]*"`)
	comments = regexp.MustCompile(`(?s)/\*.*?\*/`)
	headers  = regexp.MustCompile(`export (interface|type) (\w+)(?: =)?\s`)
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readProtocol(t *testing.T) *protocol {
	t.Helper()
	p := parseProtocol(read(t, "../../../web/src/protocol.d.ts") + read(t, "../../../web/src/facts.d.ts"))
	for name, value := range crossing {
		p.names[reflect.TypeOf(value)] = name
	}
	return p
}

// parseProtocol reads exported interfaces and types; fields end with ";".
func parseProtocol(text string) *protocol {
	p := &protocol{map[string]map[string]field{}, map[string]string{}, map[reflect.Type]string{}}
	text = comments.ReplaceAllString(text, " ")
	heads := headers.FindAllStringSubmatchIndex(text, -1)
	for i, h := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		name, body := text[h[4]:h[5]], strings.TrimSpace(text[h[1]:end])
		if text[h[2]:h[3]] == "type" {
			p.aliases[name] = strings.TrimSuffix(body, ";")
			continue
		}
		fields := map[string]field{}
		for _, part := range splitFields(strings.TrimSuffix(strings.TrimPrefix(body, "{"), "}")) {
			key, kind, ok := strings.Cut(part, ":")
			key, kind = strings.TrimSpace(key), strings.Join(strings.Fields(kind), " ")
			if ok {
				fields[strings.TrimSuffix(key, "?")] = field{kind, strings.HasSuffix(key, "?")}
			}
		}
		p.interfaces[name] = fields
	}
	return p
}

// splitFields splits at the semicolons outside brackets.
func splitFields(body string) (parts []string) {
	depth, from := 0, 0
	for i, c := range body {
		switch c {
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth--
		case ';':
			if depth == 0 {
				parts, from = append(parts, body[from:i]), i+1
			}
		}
	}
	return append(parts, body[from:])
}
