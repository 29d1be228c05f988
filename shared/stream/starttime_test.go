package stream

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseStartTimeReadsEveryShape(t *testing.T) {
	stamp := time.Date(2026, 11, 21, 9, 24, 2, 210944000, time.UTC)
	want := StartTime{stamp, 250e6, 8192, 2048}
	const (
		when    = "2026-11-21T04:24:02.2109440-05:00"
		nine    = "100,250000000,1960,32,4,4,4,8192,2048"
		members = "Value.SystemClockHz,Value.AcquisitionClockHz,Value.MaxReadFrameSize,Value.MaxWriteFrameSize,Value.DeviceTable.Count,Value.DeviceTable.Keys.Count,Value.DeviceTable.Values.Count,Value.BlockReadSize,Value.BlockWriteSize"
	)
	for name, text := range map[string]string{
		"shape A":                         "Timestamp,Value.AcquisitionClockHz,Value.BlockReadSize,Value.BlockWriteSize\n" + when + ",250000000,8192,2048\n",
		"shape A with CRLF":               "Timestamp,Value.AcquisitionClockHz,Value.BlockReadSize,Value.BlockWriteSize\r\n" + when + ",250000000,8192,2048\r\n",
		"shape A without header":          when + ",250000000,8192,2048\n",
		"our own header":                  StartTimeHeader + "\n2026-11-21T09:24:02.2109440+00:00,250000000,8192,2048\n",
		"our own, as CSV writes it":       string(want.CSV()),
		"shape B, time first":             "Timestamp," + members + "\n" + when + "," + nine + "\n",
		"shape B, time last":              members + ",Timestamp\n" + nine + "," + when + "\n",
		"shape B, time last, no header":   nine + "," + when + "\n",
		"shape B, time first, no header":  when + "," + nine,
		"byte order mark and empty lines": "\ufeff\n\n" + when + ",250000000,8192,2048\n\n",
		"a comment in front":              "# written by hand\n" + when + ", 250000000, 8192, 2048\n",
		"time without an offset":          "2026-11-21T09:24:02.2109440,250000000,8192,2048\n",
	} {
		got, err := ParseStartTime([]byte(text))
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
}

func TestParseStartTimeRefusesWhatItCannotRead(t *testing.T) {
	const when = "2026-11-21T04:24:02.2109440-05:00"
	for name, c := range map[string]struct{ text, want string }{
		"empty":                   {"", "no data line"},
		"header only":             {StartTimeHeader + "\n", "no data line"},
		"five columns, no header": {when + ",1,2,3,4\n", "neither the 4 nor the 10 columns"},
		"no time":                 {"250000000,8192,2048\n", "no time stamp"},
		"no clock rate":           {when + ",0,8192,2048\n", "no acquisition clock rate"},
		"negative rate":           {when + ",-250000000,8192,2048\n", "neither a number nor a time"},
		"huge rate under a name":  {"Timestamp,AcquisitionClockHz\n" + when + ",99999999999999999999\n", "AcquisitionClockHz"},
		"a word as time":          {"Timestamp,AcquisitionClockHz\nyesterday,250000000\n", "Timestamp"},
		"a large file":            {strings.Repeat("x", maxStartTimeBytes+1), "more than"},
	} {
		got, err := ParseStartTime([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || got != (StartTime{}) {
			t.Errorf("%s: got %+v, %v, want an error with %q", name, got, err, c.want)
		}
	}
	if _, err := ParseStartTime(nil); !errors.Is(err, ErrStartTimeEmpty) {
		t.Errorf("got %v", err)
	}
}

func TestStartTimeCSVIsWhatTheLoadersExpect(t *testing.T) {
	s := StartTime{time.Date(2026, 11, 21, 4, 24, 2, 210944012, time.FixedZone("", -5*3600)), 250e6, 8192, 2048}
	const want = "# Timestamp,AcquisitionClockHz,BlockReadSize,BlockWriteSize\n2026-11-21T09:24:02.2109440+00:00,250000000,8192,2048\n"
	if got := string(s.CSV()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParseStartTime(f *testing.F) {
	f.Add([]byte(StartTime{AcqClockHz: 1}.CSV()))
	f.Add([]byte("1,2,3,4,5,6,7,8,9,2026-11-21T04:24:02.2109440-05:00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseStartTime(data)
		if err != nil {
			return
		}
		back, err := ParseStartTime(s.CSV())
		if y := s.Time.Year(); y < 0 || y > 9999 {
			return
		}
		if err != nil || back.AcqClockHz != s.AcqClockHz || back.Time.Sub(s.Time).Abs() >= 100*time.Nanosecond {
			t.Errorf("%+v became %+v, %v", s, back, err)
		}
	})
}
