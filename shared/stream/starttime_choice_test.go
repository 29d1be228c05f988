package stream

import (
	"strings"
	"testing"
)

func TestTheStartTimeOfARunIsChosen(t *testing.T) {
	const at = "rhd2164_2026-05-18T21_50_05.arrow"
	for name, c := range map[string]struct {
		file   string
		beside []string
		want   string
		words  string
	}{
		"the same suffix":           {"memory-monitor_0.arrow", []string{"start-time_1.csv", "start-time_0.csv"}, "start-time_0.csv", ""},
		"a suffix with underscores": {at, []string{"start-time_0.csv", "start-time_2026-05-18T21_50_05.csv"}, "start-time_2026-05-18T21_50_05.csv", ""},
		"of a part":                 {"heartbeat_0_001.arrow", []string{"start-time_0.csv", "start-time_7.csv"}, "start-time_0.csv", ""},
		"no suffix":                 {"heartbeat.arrow", []string{"start-time.csv", "start-time_7.csv"}, "start-time.csv", ""},
		"the nearest earlier time":  {at, []string{"start-time_2026-05-18T21_40_00.csv", "start-time_2026-05-18T21_50_02.csv", "start-time_2026-05-18T21_50_09.csv"}, "start-time_2026-05-18T21_50_02.csv", "of 3s earlier, and the nearest"},
		"the only one, of another":  {"x_3.arrow", []string{"start-time_0.csv", "notes.csv"}, "start-time_0.csv", "has another suffix, and is the only one"},
		"several of others":         {"x_3.arrow", []string{"start-time_0.csv", "start-time_1.csv"}, "", "none of the 2 start-time CSVs beside it has its suffix"},
		"times of another day":      {at, []string{"start-time_2026-05-17T21_50_02.csv", "start-time_2026-05-16T21_50_02.csv"}, "", "none of the 2"},
		"none":                      {at, []string{"notes.csv", "x.arrow"}, "", ""},
		"a path":                    {`C:\data\x_0.arrow`, []string{"start-time_0.csv", "start-time_1.csv"}, "start-time_0.csv", ""},
	} {
		got, words := ChooseStartTime(c.file, c.beside)
		if got != c.want || (words == "") != (c.words == "") || !strings.Contains(words, c.words) {
			t.Errorf("%s: %q, %q; want %q, %q", name, got, words, c.want, c.words)
		}
	}
}
