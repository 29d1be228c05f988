package stream

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

func TestParseStartTimeReadsEveryShape(t *testing.T) {
	stamp := time.Date(2026, 11, 21, 9, 24, 2, 210944000, time.UTC)
	want := StartTime{Time: stamp, AcqClockHz: 250e6, BlockReadSize: 8192, BlockWriteSize: 2048}
	const (
		when    = "2026-11-21T04:24:02.2109440-05:00"
		nine    = "100,250000000,1960,32,4,4,4,8192,2048"
		members = "Value.SystemClockHz,Value.AcquisitionClockHz,Value.MaxReadFrameSize,Value.MaxWriteFrameSize,Value.DeviceTable.Count,Value.DeviceTable.Keys.Count,Value.DeviceTable.Values.Count,Value.BlockReadSize,Value.BlockWriteSize"
	)
	for name, text := range map[string]string{
		"shape A":                         "Timestamp,Value.AcquisitionClockHz,Value.BlockReadSize,Value.BlockWriteSize\n" + when + ",250000000,8192,2048\n",
		"shape A with CRLF":               "Timestamp,Value.AcquisitionClockHz,Value.BlockReadSize,Value.BlockWriteSize\r\n" + when + ",250000000,8192,2048\r\n",
		"shape A with CR":                 "Timestamp,Value.AcquisitionClockHz,Value.BlockReadSize,Value.BlockWriteSize\r" + when + ",250000000,8192,2048\r",
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
		"a word as rate":          {"Timestamp,AcquisitionClockHz\n" + when + ",fast\n", `line 2: column AcquisitionClockHz: "fast" is no whole number`},
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

// Two starts in one file: one is taken, and which one is said.
func TestOfTwoStartsTheTakenOneIsSaid(t *testing.T) {
	const first, second = "2026-05-18T21:50:02Z,250000000,8192,2048\n", "2026-05-19T08:00:00Z,125000000,8192,2048\n"
	for text, note := range map[string]string{
		StartTimeHeader + "\n" + first:                                   "",
		StartTimeHeader + "\n" + first + "\n\n" + first:                  "",
		StartTimeHeader + "\n" + first + second:                          "line 3 says something else; line 2 is taken",
		StartTimeHeader + "\n" + first + StartTimeHeader + "\n" + second: "line 4 says something else; line 2 is taken",
		first + "made by a script\n":                                     "",
	} {
		s, err := ParseStartTime([]byte(text))
		if err != nil || s.AcqClockHz != 250_000_000 || s.Time.Day() != 18 || s.Note != note {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}

func TestStartTimeCSVIsWhatTheLoadersExpect(t *testing.T) {
	s := StartTime{time.Date(2026, 11, 21, 4, 24, 2, 210944012, time.FixedZone("", -5*3600)), 250e6, 8192, 2048, ""}
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

// What spreadsheets of other countries make of a start-time CSV.
func TestParseStartTimeReadsWhatSpreadsheetsWrite(t *testing.T) {
	const (
		head = "Timestamp,Value.AcquisitionClockHz,Value.BlockReadSize,Value.BlockWriteSize"
		line = "2026-05-18T21:50:02.1234567+02:00,250000000,8192,2048"
	)
	exact := time.Date(2026, 5, 18, 19, 50, 2, 123456700, time.UTC)
	minute := time.Date(2026, 5, 18, 21, 50, 0, 0, time.UTC)
	semicolons := strings.ReplaceAll(head+"\n"+line, ",", ";")
	sixteen := func(text string, big, mark bool) string {
		var p []byte
		units := utf16.Encode([]rune(text))
		if mark {
			units = append([]uint16{0xfeff}, units...)
		}
		for _, u := range units {
			if big {
				p = append(p, byte(u>>8), byte(u))
			} else {
				p = append(p, byte(u), byte(u>>8))
			}
		}
		return string(p)
	}
	for name, c := range map[string]struct {
		text string
		time time.Time
	}{
		"carriage returns":               {head + "\r\n" + line + "\r\n", exact},
		"semicolons":                     {semicolons, exact},
		"tabs":                           {strings.ReplaceAll(semicolons, ";", "\t"), exact},
		"quotes":                         {`"` + strings.ReplaceAll(strings.ReplaceAll(head+"\n"+line, ",", `","`), "\n", "\"\n\"") + `"`, exact},
		"filled up with empty cells":     {strings.ReplaceAll(semicolons, "\n", ";;;\n") + ";;;\n;;;;;;\n", exact},
		"a separator named in front":     {"sep=;\r\n" + semicolons, exact},
		"a decimal comma":                {head + "\n2026-05-18T21:50:02,1234567+02:00,250000000,8192,2048\n", exact},
		"a decimal comma without header": {"2026-05-18T21:50:02,1234567+02:00,250000000,8192,2048\n", exact},
		"a decimal comma, semicolons":    {strings.ReplaceAll(head, ",", ";") + "\n2026-05-18T21:50:02,1234567+02:00;250000000;8192;2048\n", exact},
		"names as MATLAB makes them":     {strings.ReplaceAll(head, ".", "_") + "\n18-May-2026 19:50:02.1234567,250000000,8192,2048\n", exact},
		"bars":                           {strings.ReplaceAll(head+"\n2026-05-18T21:50:02.1234567+02:00,250000000,8192,2048\n", ",", "|"), exact},
		"single quotes":                  {head + "\n'2026-05-18T21:50:02.1234567+02:00','250000000','8192','2048'\n", exact},
		"an offset without a colon":      {head + "\n2026-05-18T21:50:02.1234567+0200,250000000,8192,2048\n", exact},
		"Latin-1":                        {strings.ReplaceAll(head, ",", ";") + "\n2026-05-18T21:50:02.1234567+02:00;250\xa0000\xa0000;8\xa0192;2048\n", exact},
		"scientific":                     {head + "\r\n2026-05-18T21:50:02.1234567+02:00,2.5E+08,8192,2048\r\n", exact},
		"scientific with decimal commas": {head + "\r\n2026-05-18T21:50:02,1234567+02:00,2,5E+08,8,192E+03,2048\r\n", exact},
		"thousands with points":          {strings.ReplaceAll(head, ",", ";") + "\n2026-05-18T21:50:02.1234567+02:00;250.000.000;8.192;2.048\n", exact},
		"thousands in quotes":            {head + "\n2026-05-18T21:50:02.1234567+02:00,\"250,000,000\",\"8,192\",\"2,048\"\n", exact},
		"thousands with spaces":          {strings.ReplaceAll(head, ",", ";") + "\n2026-05-18T21:50:02.1234567+02:00;250\u00a0000\u00a0000;8 192;2\u202f048\n", exact},
		"UTF-16":                         {sixteen(head+"\r\n"+line+"\r\n", false, true), exact},
		"UTF-16, big endian":             {sixteen(head+"\r\n"+line+"\r\n", true, true), exact},
		"UTF-16 without a mark":          {sixteen(head+"\r\n"+line+"\r\n", false, false), exact},
		"a byte-order mark":              {"\xef\xbb\xbf" + head + "\n" + line + "\n", exact},
		"Excel in the United States":     {head + "\r\n5/18/2026 21:50,250000000,8192,2048\r\n", minute},
		"Excel with a half day":          {head + "\r\n5/18/2026 9:50 PM,250000000,8192,2048\r\n", minute},
		"Excel in Germany":               {strings.ReplaceAll(head, ",", ";") + "\r\n18.05.2026 21:50;250000000;8192;2048\r\n", minute},
		"Excel in Britain":               {head + "\r\n18/05/2026 21:50,250000000,8192,2048\r\n", minute},
		"Excel in Japan":                 {head + "\r\n2026/5/18 21:50,250000000,8192,2048\r\n", minute},
		"a space for the T":              {head + "\n2026-05-18 21:50:02.1234567+02:00,250000000,8192,2048\n", exact},
	} {
		want := StartTime{Time: c.time, AcqClockHz: 250e6, BlockReadSize: 8192, BlockWriteSize: 2048}
		if got, err := ParseStartTime([]byte(c.text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
	for date, note := range map[string]string{
		"5/6/2026 21:50":  `line 2: "5/6/2026 21:50" may be 6 May 2026 or 5 June 2026`,
		"18. Mai, abends": `line 2: "18. Mai, abends" is no time`,
	} {
		got, err := ParseStartTime([]byte(strings.ReplaceAll(head, ",", ";") + "\n" + date + ";250000000;8192;2048\n"))
		if err != nil || got.AcqClockHz != 250e6 || !got.Time.IsZero() || !strings.HasPrefix(got.Note, note) {
			t.Errorf("%s: %+v, %v", date, got, err)
		}
	}
}
