package rig

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/oniscope/oniscope/hardware/device"
)

// What is wrong with a rig file, with line, key and what is possible, in words
// that do not speak of the program.

// explain puts file and line before a message of the YAML package, and
// leaves its picture of the source out.
func (r *Rig) explain(err error) error {
	y := yaml.Error(nil)
	if !errors.As(err, &y) || y.GetToken() == nil || y.GetToken().Position == nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	at := y.GetToken()
	message, _, _ := strings.Cut(y.GetMessage(), "\n")
	message = plainer(message)
	unknown, wrong, large, node := (*yaml.UnknownFieldError)(nil), (*yaml.TypeError)(nil), (*yaml.OverflowError)(nil), (*yaml.UnexpectedNodeTypeError)(nil)
	switch {
	case errors.As(err, &unknown):
		message = fmt.Sprintf("unknown key %q", at.Value) + meant(at.Value, keys())
	case errors.As(err, &wrong):
		message = unfit(at, wrong.DstType)
	case errors.As(err, &large):
		message = unfit(at, large.DstType)
	case errors.As(err, &node):
		want := wantedNode(node.Expected)
		if slices.Contains(headstages(), at.Value) {
			want = "keys and values, as in {headstage: " + at.Value + "}"
		}
		message = fmt.Sprintf("%s%s: want %s", keyBefore(at), shown(at), want)
	}
	return fmt.Errorf("%s:%d: %s", r.File, at.Position.Line, message)
}

// unfit says that a value is not what its key takes.
func unfit(at *token.Token, wants reflect.Type) string {
	switch at.Type {
	case token.SequenceStartType, token.SequenceEntryType:
		return fmt.Sprintf("%swant %s, not a list", keyBefore(at), wanted(wants))
	case token.MappingStartType, token.MappingValueType:
		return fmt.Sprintf("%swant %s, not keys and values", keyBefore(at), wanted(wants))
	}
	return fmt.Sprintf("%s%s: want %s", keyBefore(at), shown(at), wanted(wants))
}

// twice is what the YAML package says of a key that is there twice.
var twice = regexp.MustCompile(`^mapping key (".*") already defined at \[(\d+):\d+\]`)

// plainer says what the YAML package means.
func plainer(message string) string {
	if m := twice.FindStringSubmatch(message); m != nil {
		return m[1] + " is there twice, first in line " + m[2]
	}
	for _, m := range []struct{ theirs, ours string }{
		{"found character '\t'", "a tab; indent with spaces"},
		{"could not find end character of", "a quotation mark is missing at the end of a text"},
		{"could not find flow mapping end token", "a } is missing"},
		{"could not find flow sequence end token", "a ] is missing"},
		{"mapping value is not allowed in this context", "no key can be here: look at the indentation, and put a text with a colon in quotation marks"},
	} {
		if strings.Contains(message, m.theirs) {
			return m.ours
		}
	}
	return message
}

// unmarshal reads a node into a struct. Keys that the struct does not have are
// errors, and so are fractions where whole numbers are wanted, which the YAML
// package cuts off.
func unmarshal(node ast.Node, to any) error {
	if err := yaml.NodeToValue(node, to, yaml.Strict()); err != nil {
		return err
	}
	if f, t := fraction(node, reflect.TypeOf(to)); f != nil {
		return &yaml.TypeError{DstType: t, SrcType: reflect.TypeFor[float64](), Token: f.GetToken()}
	}
	return nil
}

// fraction returns a number in a node that has a fraction although t is whole
// there, and what is wanted instead; nil if there is none.
func fraction(node ast.Node, t reflect.Type) (*ast.FloatNode, reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if anchor, ok := node.(*ast.AnchorNode); ok {
		node = anchor.Value
	}
	switch n := node.(type) {
	case *ast.FloatNode:
		if whole := reflect.Int <= t.Kind() && t.Kind() <= reflect.Uint64; whole && n.Value != math.Trunc(n.Value) {
			return n, t
		}
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
			for _, one := range n.Values {
				if f, t := fraction(one, t.Elem()); f != nil {
					return f, t
				}
			}
		}
	case ast.MapNode:
		for it := n.MapRange(); it.Next(); {
			if value := valueType(t, it.Key().GetToken().Value); value != nil {
				if f, t := fraction(it.Value(), value); f != nil {
					return f, t
				}
			}
		}
	}
	return nil, nil
}

// valueType is the type of what a key of a struct or map takes, nil if that
// reads itself, or there is no such key.
func valueType(t reflect.Type, key string) reflect.Type {
	switch t.Kind() {
	case reflect.Map:
		return t.Elem()
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			switch name, options, _ := strings.Cut(f.Tag.Get("yaml"), ","); {
			case options == "inline":
				if value := valueType(f.Type, key); value != nil {
					return value
				}
			case name == key:
				return f.Type
			}
		}
	}
	return nil
}

// A placedError knows the line of what it is about.
type placedError struct {
	line int
	err  error
}

func (e *placedError) Error() string { return e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

// at is where a value is, for messages: "rig.yaml:3".
func (r *Rig) at(keys ...string) string {
	if line := r.line(keys...); line > 0 {
		return fmt.Sprintf("%s:%d", r.File, line)
	}
	return r.File
}

// line is that of the last of some keys, each below the one before, as far as
// they are there; 0 if none is.
func (r *Rig) line(keys ...string) (line int) {
	node := r.body
	for _, key := range keys {
		entries, ok := node.(ast.MapNode)
		if !ok {
			return line
		}
		node = nil
		for it := entries.MapRange(); it.Next(); {
			if at := it.Key().GetToken(); at.Value == key {
				line, node = at.Position.Line, it.Value()
			}
		}
	}
	return line
}

// keyBefore is the key that a value belongs to, "seed: ", as far as its line
// says.
func keyBefore(value *token.Token) string {
	for t := value.Prev; t != nil && t.Position != nil && t.Position.Line == value.Position.Line; t = t.Prev {
		if t.Type == token.MappingValueType && t.Prev != nil {
			return t.Prev.Value + ": "
		}
	}
	return ""
}

// shown is a value as the file has it.
func shown(t *token.Token) string {
	if origin := strings.TrimSpace(t.Origin); origin != "" {
		return origin
	}
	return t.Value
}

// wanted says what a key takes.
func wanted(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, 0 or more"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list, as in [1, 2, 3]"
	case reflect.Pointer:
		return wanted(t.Elem())
	}
	return "keys and values, as in {key: value}"
}

func wantedNode(t ast.NodeType) string {
	if t == ast.SequenceType {
		return "a list, as in [1, 2, 3]"
	}
	return "keys and values, as in {key: value}"
}

// keys are all keys that a rig file may have, but those of devices.
func keys() []string {
	all := fieldKeys(reflect.TypeFor[Rig](), fieldKeys(reflect.TypeFor[Port](), fieldKeys(reflect.TypeFor[Writer](), []string{"enable"})))
	for _, k := range device.Kinds() {
		all = fieldKeys(reflect.TypeOf(k.Settings()).Elem(), all)
	}
	return all
}

// fieldKeys adds those of a struct.
func fieldKeys(t reflect.Type, to []string) []string {
	for i := range t.NumField() {
		switch name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); {
		case options == "inline" && t.Field(i).Type.Kind() == reflect.Struct:
			to = fieldKeys(t.Field(i).Type, to)
		case name != "" && name != "-":
			to = append(to, name)
		}
	}
	return to
}

// culprit is the line of the one key of a device without which its settings
// would be possible: 0 if it is not one key alone.
func culprit(kind *device.Kind, node ast.Node) int {
	entries, ok := node.(ast.MapNode)
	if !ok {
		return 0
	}
	for it := entries.MapRange(); it.Next(); {
		one := it.KeyValue()
		own, err := decodeDevice(one, kind.Settings(), &Device{Enable: true})
		if err == nil && kind.Check(own) != nil {
			return one.Key.GetToken().Position.Line
		}
	}
	return 0
}
