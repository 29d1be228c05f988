package stream

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// How a start-time CSV is read that went through other programs. Excel and its
// kin write semicolons or tabs, quotes, dates and numbers as people of their
// country do, and UTF-16. What a cell means is decided with its column: a rate is
// a whole number however it is written, a date is understood if there is one way
// to understand it.

// csvLines returns the lines of a text that have cells, with their numbers.
func csvLines(data []byte) (lines []csvLine) {
	text := TextFromBytes(data)
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n") // as old programs of the Macintosh end lines
	}
	separator := separatorOf(text)
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(strings.ToLower(line), "sep=") { // of Excel
			continue
		}
		cells := cellsOf(line, separator)
		for len(cells) > 0 && cells[len(cells)-1] == "" { // a spreadsheet fills lines up
			cells = cells[:len(cells)-1]
		}
		if len(cells) > 0 {
			lines = append(lines, csvLine{n, line, cells})
		}
	}
	return lines
}

// A csvLine is one line and its cells, without quotes and spaces around.
type csvLine struct {
	number int // from 1
	text   string
	cells  []string
}

// TextFromBytes makes UTF-8 of what other programs write: without a byte-order
// mark, and of UTF-16 too, which editors of Windows call Unicode.
func TextFromBytes(data []byte) string {
	n := len(data) &^ 1
	var order binary.ByteOrder
	switch {
	case n >= 2 && data[0] == 0xff && data[1] == 0xfe:
		order, data = binary.LittleEndian, data[2:n]
	case n >= 2 && data[0] == 0xfe && data[1] == 0xff:
		order, data = binary.BigEndian, data[2:n]
	case n >= 4 && data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0:
		order = binary.LittleEndian
	case n >= 4 && data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0:
		order = binary.BigEndian
	case !utf8.Valid(data): // Latin-1, as old spreadsheets of western Europe write it
		letters := make([]rune, len(data))
		for i, b := range data {
			letters[i] = rune(b)
		}
		return string(letters)
	default:
		return strings.TrimPrefix(string(data), "\ufeff")
	}
	var units []uint16
	for i := 0; i+2 <= len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}

// separatorOf returns what is between the cells: a tab, a semicolon, a bar or the
// comma, in that order, where it is outside of quotes.
func separatorOf(text string) byte {
	found := byte(',')
	quoted := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\t':
			return c
		case c == ';', c == '|' && found == ',':
			found = c
		}
	}
	return found
}

func cellsOf(line string, separator byte) []string {
	line = strings.TrimSpace(strings.TrimPrefix(line, "#"))
	var cells []string
	cell, quoted := strings.Builder{}, false
	for i := range len(line) {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			cells = append(cells, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			cell.WriteByte(c)
		}
	}
	cells = append(cells, strings.TrimSpace(cell.String()))
	for i, c := range cells {
		if len(c) > 1 && c[0] == '\'' && c[len(c)-1] == '\'' {
			cells[i] = c[1 : len(c)-1]
		}
	}
	return cells
}

// parseWhole reads a whole number as people write it: 250000000, 2.5E+08,
// 2,5e8, 250.000.000, 250 000 000, 250000000.0.
func parseWhole(text string) (uint64, error) {
	bad := func() (uint64, error) { return 0, fmt.Errorf("%q is no whole number", text) }
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n, nil
	}
	s := strings.NewReplacer("\u00a0", "", "\u202f", "", "\u2009", "", " ", "", "'", "", "’", "", "_", "").Replace(text)
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	if n := thousands(mantissa); n != "" && !scientific {
		mantissa = n
	}
	mantissa = strings.ReplaceAll(mantissa, ",", ".")
	if mantissa == "" || strings.Trim(mantissa, "0123456789.") != "" || strings.Count(mantissa, ".") > 1 || scientific && exponent == "" {
		return bad()
	}
	if scientific {
		mantissa += "e" + exponent
	}
	x, err := strconv.ParseFloat(mantissa, 64)
	if err != nil || x < 0 || x >= 1<<53 || x != math.Trunc(x) {
		return bad()
	}
	return uint64(x), nil
}

// thousands takes the marks out of a number that is written in groups of three
// digits: 250.000.000, or 8,192, which is no whole number otherwise. "" means
// that it is none.
func thousands(text string) string {
	for _, mark := range []string{".", ","} {
		groups := strings.Split(text, mark)
		if len(groups) < 2 || len(groups[0]) == 0 || len(groups[0]) > 3 || groups[0][0] == '0' {
			continue
		}
		fit := true
		for i, g := range groups {
			fit = fit && strings.Trim(g, "0123456789") == "" && (i == 0 || len(g) == 3)
		}
		if fit && (len(groups) > 2 || groups[1] != "000") { // 250.000 may be 250
			return strings.Join(groups, "")
		}
	}
	return ""
}

// stampLayouts are times with a date that has one meaning.
var stampLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04",
	"2006/01/02 15:04:05.999999999", "2006/1/2 15:04:05", "2006/1/2 15:04", "2.1.2006 15:04:05.999999999", "2.1.2006 15:04",
	"2.1.2006 15.04.05", "2.1.2006 15.04", "2-Jan-2006 15:04:05.999999999", "2-Jan-2006 15:04", "2 Jan 2006 15:04:05", "Jan 2, 2006 15:04:05", "2.1.06 15:04:05", "2.1.06 15:04",
}

// parseStamp reads the time of the start; known is false where the text is a time
// that may be several, which why says.
func parseStamp(text string) (stamp time.Time, why string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, layout := range stampLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), ""
		}
		if t, err := time.Parse(layout, strings.Replace(text, ",", ".", 1)); err == nil && strings.Contains(layout, ".999") {
			return t.UTC(), ""
		}
	}
	// With slashes or dashes the day may be the first number or the second.
	var found []time.Time
	for _, mark := range []string{"/", "-"} {
		for _, order := range []string{"1" + mark + "2" + mark, "2" + mark + "1" + mark} {
			for _, year := range []string{"2006", "06"} {
				for _, clock := range []string{"15:04:05.999999999", "15:04", "15.04.05", "15.04", "3:04:05 PM", "3:04 PM"} {
					if t, err := time.Parse(order+year+" "+clock, text); err == nil && (len(found) == 0 || !found[0].Equal(t)) {
						found = append(found, t.UTC())
					}
				}
			}
		}
	}
	switch len(found) {
	case 0:
		return time.Time{}, fmt.Sprintf("%q is no time", text)
	case 1:
		return found[0], ""
	}
	return time.Time{}, fmt.Sprintf("%q may be %s or %s", text, found[0].Format("2 January 2006"), found[1].Format("2 January 2006"))
}
