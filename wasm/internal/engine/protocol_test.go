package engine

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// crossing are the structs that pass between the page and the engine, by their
// names in web/src/protocol.d.ts.
var crossing = map[string]any{
	"BrokenRows":   BrokenRows{},
	"ClockArgs":    ClockArgs{},
	"GainArgs":     GainArgs{},
	"ClockInfo":    ClockInfo{},
	"ColumnInfo":   ColumnInfo{},
	"CoverageSpan": CoverageSpan{},
	"EngineError":  ErrorReply{},
	"EngineState":  State{},
	"Envelope":     Envelope{},
	"EnvelopeArgs": EnvelopeArgs{},
	"Finding":      recording.Finding{},
	"GroupInfo":    GroupInfo{},
	"GrowArgs":     GrowArgs{},
	"Grown":        Grown{},
	"OpenArgs":     OpenArgs{},
	"OpenProgress": OpenProgress{},

	"OpenGrowingArgs": OpenGrowingArgs{},
	"OpenKnownArgs":   OpenArgs{},
	"Overview":        Overview{},
	"OverviewArgs":    OverviewArgs{},
	"ProvedArgs":      ProvedArgs{},
	"Range":           recording.Range{},
	"RecoverArgs":     RecoverArgs{},
	"RecoverReport":   recovery.Report{},
	"RowArgs":         RowArgs{},
	"Segment":         recording.Segment{},
	"WrittenSegment":  export.Segment{},
	"SliceArgs":       SliceArgs{},
	"SliceProgress":   SliceProgress{},
	"SliceReport":     SliceReport{},
	"StartTime":       StartTime{},
	"StartTimeArgs":   StartTimeArgs{},
	"ChooseArgs":      ChooseArgs{},
	"Chosen":          Chosen{},
	"StreamArgs":      StreamArgs{},
	"TilesArgs":       StreamArgs{},
	"VerifyArgs":      VerifyArgs{},
	"StreamInfo":      StreamInfo{},
	"Limits":          Limits{},
	"Stretch":         StretchInfo{},
	"Table":           Table{},
	"TableArgs":       TableArgs{},
	"ValuesArgs":      ValuesArgs{},
	"VerifyReport":    VerifyReport{},
}

// pageOnly are interfaces and fields that no Go struct has: typed arrays and
// Blobs, which the bridge adds, and the page's own side.
var pageOnly = []string{"EngineClient", "Working", "Values", "SliceResult", "RecoverResult", "OpenArgs.source", "OpenGrowingArgs.source", "Known", "OpenKnownArgs.source", "OpenKnownArgs.known"}

func TestProtocolDeclaresWhatTheEngineSends(t *testing.T) {
	page := readProtocol(t)
	for name, value := range crossing {
		fields, ok := page.interfaces[name]
		if !ok {
			t.Errorf("protocol.d.ts has no interface %s", name)
			continue
		}
		for _, drift := range page.compare(name, reflect.TypeOf(value), fields) {
			t.Error(drift)
		}
	}
	for name := range page.interfaces {
		if _, ok := crossing[name]; !ok && !slices.Contains(pageOnly, name) {
			t.Errorf("protocol.d.ts: %s is compared with no Go struct", name)
		}
	}
}

func TestEveryKindOfDriftIsSeen(t *testing.T) {
	type inner struct {
		A int `json:"a"`
	}
	type sent struct {
		Name   string    `json:"name"`
		Count  *float64  `json:"count"`
		Maybe  *int64    `json:"maybe,omitempty"`
		Inners []inner   `json:"inners"`
		Grid   [][]*bool `json:"grid"`
		Data   []float32 `json:"-" page:"data"`
		hidden int
	}
	_ = sent{hidden: 1}
	right := "name: string; count: number | null; maybe?: number; inners: Inner[]; grid: (boolean | null)[][]; data: Float32Array;"
	for change, want := range map[string]string{
		"":                                              "",
		"name: string; -> ":                             "name",
		"name: string; -> name: number;":                "name",
		"name: string; -> name?: string;":               "name",
		"name: string; -> nom: string;":                 "nom",
		"number | null -> number":                       "count",
		"number | null -> string | null":                "count",
		"maybe?: -> maybe: ":                            "maybe",
		"Inner[] -> Outer[]":                            "inners",
		"Inner[] -> Inner":                              "inners",
		"(boolean | null)[][] -> boolean[][]":           "grid",
		"Float32Array -> Float64Array":                  "data",
		"Float32Array; -> Float32Array; extra: number;": "extra",
	} {
		text := right
		if from, to, ok := strings.Cut(change, " -> "); ok {
			text = strings.Replace(text, from, to, 1)
		}
		page := parseProtocol("export interface Inner { a: number }\nexport interface Outer { b: number }\nexport interface Sent { " + text + " }\n")
		page.names = map[reflect.Type]string{reflect.TypeFor[inner](): "Inner"}
		drifts := strings.Join(page.compare("Sent", reflect.TypeFor[sent](), page.interfaces["Sent"]), "\n")
		if (drifts == "") != (want == "") || !strings.Contains(drifts, "Sent."+want) && want != "" {
			t.Errorf("%q: %q", change, drifts)
		}
	}
}

func TestWordsThatCrossAreTheSameOnBothSides(t *testing.T) {
	page := readProtocol(t)
	severities := []string{}
	for _, s := range []recording.Severity{recording.SeverityInfo, recording.SeverityWarning, recording.SeverityError} {
		severities = append(severities, s.String())
	}
	kinds := []string{}
	for _, kind := range stream.SignalKinds {
		kinds = append(kinds, string(kind))
	}
	for place, want := range map[string][]string{
		"Severity":              severities,
		"SignalKind":            kinds,
		"SliceFormat":           sliceFormats,
		"Compression":           {"keep", "none", "zstd", "lz4"},
		"StreamInfo.state":      {string(recording.Complete), string(recording.Unfinished), string(recording.Damaged), string(recording.BeingWritten)},
		"RecoverReport.outcome": {string(recovery.Lossless), string(recovery.Suspect), string(recovery.Lossy), string(recovery.Failed)},
	} {
		text := page.aliases[place]
		if name, field, ok := strings.Cut(place, "."); ok {
			text = page.interfaces[name][field].text
		}
		got := quoted.FindAllString(text, -1)
		for i := range got {
			got[i] = strings.Trim(got[i], `"`)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s is %q in protocol.d.ts, %q in Go", place, got, want)
		}
	}
	for _, name := range page.literals("Compression") {
		if _, err := codecOf("slice", name); err != nil {
			t.Error(err)
		}
	}
}

func TestProtocolNamesEveryErrorAndRequest(t *testing.T) {
	page := readProtocol(t)
	var names []string
	for _, pattern := range []string{"errors.go", "../../*_js.go", "../../../web/src/engine.js"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, m := range regexp.MustCompile(`"(\w+Error)"`).FindAllStringSubmatch(read(t, file), -1) {
				names = append(names, m[1])
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if got := page.literals("ErrorName"); !slices.Equal(got, names) {
		t.Errorf("errors %q in protocol.d.ts, %q in the code", got, names)
	}

	var ops []string
	bridge, err := filepath.Glob("../../*_js.go") // of both engines
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range bridge {
		for _, m := range regexp.MustCompile(`(?m)^\t+"(\w+)": +(?:plain\(|with\(|openGrowing,)`).FindAllStringSubmatch(read(t, file), -1) {
			ops = append(ops, m[1])
		}
	}
	ops = append(ops, "cancel")
	slices.Sort(ops)
	var asked []string
	for _, m := range regexp.MustCompile(`op: "(\w+)"`).FindAllStringSubmatch(page.aliases["Request"], -1) {
		asked = append(asked, m[1])
	}
	slices.Sort(asked)
	if !slices.Equal(ops, asked) {
		t.Errorf("requests %q in protocol.d.ts, %q in the bridge", asked, ops)
	}
}

// literals are the strings of a type that is a choice of strings, sorted.
func (p *protocol) literals(alias string) (list []string) {
	for _, q := range quoted.FindAllString(p.aliases[alias], -1) {
		list = append(list, strings.Trim(q, `"`))
	}
	slices.Sort(list)
	return list
}

// compare returns in which fields an interface is not what a struct is as JSON.
func (p *protocol) compare(name string, t reflect.Type, fields map[string]field) (drifts []string) {
	args := strings.HasSuffix(name, "Args") // a pointer to what must be given tells whether it was
	seen := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() {
			continue
		}
		key, options, _ := strings.Cut(cmp.Or(f.Tag.Get("page"), f.Tag.Get("json")), ",")
		seen[key] = true
		declared, ok := fields[key]
		if !ok {
			drifts = append(drifts, fmt.Sprintf("%s.%s: in Go only", name, key))
			continue
		}
		kind, optional := f.Type, strings.Contains(options, "omitempty")
		if declared.optional != optional {
			drifts = append(drifts, fmt.Sprintf("%s.%s: optional is %v in protocol.d.ts, %v in Go", name, key, declared.optional, optional))
		}
		if kind.Kind() == reflect.Pointer && (args || optional) {
			kind = kind.Elem()
		}
		want := p.typeOf(kind)
		if f.Tag.Get("page") != "" {
			want = map[reflect.Kind]string{reflect.Float32: "Float32Array", reflect.Float64: "Float64Array"}[kind.Elem().Kind()]
		}
		if declared.text == "Ticks" || withDigits(key) { // a number, or its digits
			if declared.text != "Ticks" || !withDigits(key) || want != "number" {
				drifts = append(drifts, fmt.Sprintf("%s.%s: %s in protocol.d.ts, with digits in Go: %v", name, key, declared.text, withDigits(key)))
			}
			continue
		}
		if got := p.plain(declared.text); got != want && !(got == "object" && kind.Kind() == reflect.Struct) {
			drifts = append(drifts, fmt.Sprintf("%s.%s: %s in protocol.d.ts, %s in Go", name, key, declared.text, want))
		}
	}
	for key := range fields {
		if !seen[key] && !slices.Contains(pageOnly, name+"."+key) {
			drifts = append(drifts, fmt.Sprintf("%s.%s: in protocol.d.ts only", name, key))
		}
	}
	return drifts
}

// withDigits reports whether a field crosses as text where a number has not every digit.
func withDigits(key string) bool {
	return slices.ContainsFunc(tickFields, func(field []byte) bool { return string(field) == fmt.Sprintf("%q:", key) })
}

// plain writes choices of strings as string.
func (p *protocol) plain(text string) string {
	for range 3 { // a choice may name others
		for alias, body := range p.aliases {
			text = regexp.MustCompile(`\b`+alias+`\b`).ReplaceAllLiteralString(text, body)
		}
	}
	text = quoted.ReplaceAllString(strings.TrimLeft(text, "| "), "string")
	parts := []string{}
	for _, part := range strings.Split(text, "|") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " | ")
}

// typeOf is how a Go type is written in TypeScript.
func (p *protocol) typeOf(t reflect.Type) string {
	if t == reflect.TypeFor[json.RawMessage]() {
		return "string | number"
	}
	if name, ok := p.names[t]; ok {
		return name
	}
	if t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return "string"
	}
	grouped := func(element reflect.Type) string {
		text := p.typeOf(element)
		if strings.Contains(text, "|") && !strings.HasSuffix(text, "]") {
			return "(" + text + ")"
		}
		return text
	}
	switch k := t.Kind(); {
	case k == reflect.String:
		return "string"
	case k == reflect.Bool:
		return "boolean"
	case k >= reflect.Int && k <= reflect.Float64:
		return "number"
	case k == reflect.Pointer:
		return p.typeOf(t.Elem()) + " | null"
	case k == reflect.Slice:
		return grouped(t.Elem()) + "[]"
	case k == reflect.Array:
		return "[" + strings.TrimSuffix(strings.Repeat(grouped(t.Elem())+", ", t.Len()), ", ") + "]"
	case k == reflect.Map:
		return "Record<" + p.typeOf(t.Key()) + ", " + p.typeOf(t.Elem()) + ">"
	}
	return t.String()
}
