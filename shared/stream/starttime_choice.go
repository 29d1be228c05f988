package stream

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// StartTimeStem begins the names of start-time CSVs.
const StartTimeStem = "start-time"

// IsStartTime reports whether a name is that of a start-time CSV.
func IsStartTime(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, StartTimeStem) && strings.HasSuffix(name, ".csv")
}

// startsBefore is how long before the first frame of a recording the start-time
// CSV of its run may have been written.
const startsBefore = time.Hour

// ChooseStartTime returns which of the start-time CSVs beside a file, by their
// names, is that of its run: the one with its suffix; of suffixes that are times
// the nearest earlier one, up to an hour; or the only one there is. words say
// which was taken where the suffix differs, or why none was; "" if nothing is
// there, or nothing is to be said.
func ChooseStartTime(file string, beside []string) (name, words string) {
	var csvs []string
	for _, b := range beside {
		if IsStartTime(b) {
			csvs = append(csvs, b)
		}
	}
	if len(csvs) == 0 {
		return "", ""
	}
	suffixes := suffixesOf(file)
	for _, suffix := range suffixes {
		for _, csv := range csvs {
			if startTimeSuffix(csv) == suffix {
				return csv, ""
			}
		}
	}
	var nearest time.Duration
	for _, suffix := range suffixes {
		began, ok := suffixTime(suffix)
		if !ok {
			continue
		}
		for _, csv := range csvs {
			written, ok := suffixTime(startTimeSuffix(csv))
			if before := began.Sub(written); ok && before >= 0 && before <= startsBefore && (name == "" || before < nearest) {
				name, nearest = csv, before
			}
		}
		if name != "" {
			return name, fmt.Sprintf("%s is of %s earlier, and the nearest: it gives the clock", name, nearest)
		}
	}
	if len(csvs) == 1 {
		return csvs[0], fmt.Sprintf("%s has another suffix, and is the only one: it gives the clock", csvs[0])
	}
	return "", fmt.Sprintf("none of the %d start-time CSVs beside it has its suffix (%s, ...): none is taken", len(csvs), csvs[0])
}

// suffixesOf returns what may be the suffix of a stream's file, the most specific
// first, and last none: "probe_2026-05-18T21_50_05.arrow" has several, for streams
// and suffixes may have underscores. The number of a part, as in
// "heartbeat_0_001.arrow", is no suffix.
func suffixesOf(file string) []string {
	base := path.Base(strings.ReplaceAll(file, "\\", "/"))
	base = strings.TrimSuffix(base, path.Ext(base))
	var list []string
	add := func(base string) {
		for i := 0; i < len(base); i++ {
			if base[i] == '_' && i+1 < len(base) {
				list = append(list, base[i+1:])
			}
		}
	}
	add(base)
	if i := len(base) - len("_000"); i > 0 && base[i] == '_' && strings.Trim(base[i+1:], "0123456789") == "" {
		add(base[:i])
	}
	return append(list, "")
}

func startTimeSuffix(csv string) string {
	stem := csv[:len(csv)-len(".csv")]
	return strings.TrimPrefix(stem[len(StartTimeStem):], "_")
}

// suffixTime reads a suffix that is a time, as both writers have it: to seconds,
// or with a fraction.
func suffixTime(suffix string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15_04_05", "2006-01-02T15-04-05", "20060102T150405", "2006-01-02_15-04-05"} {
		if len(suffix) < len(layout) {
			continue
		}
		rest := suffix[len(layout):]
		t, err := time.Parse(layout, suffix[:len(layout)])
		if err == nil && strings.Trim(rest, "_-.0123456789") == "" {
			return t, true
		}
	}
	return time.Time{}, false
}
