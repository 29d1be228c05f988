package recording_test

import (
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

func TestASummarySaysHowManyRowsAreMissing(t *testing.T) {
	gap := func(n int64) recording.Finding {
		return recording.Finding{Severity: recording.SeverityError, Reason: "gap: about some rows", LostRows: n}
	}
	var gaps []recording.Finding
	for i := range 310 {
		n := int64(2)
		if i < 265 {
			n = 3
		}
		gaps = append(gaps, gap(n))
	}
	lost := recording.Finding{Severity: recording.SeverityError, Reason: "zeros", LostRows: 40}
	for want, c := range map[string]struct {
		list []recording.Finding
		rows int64
	}{
		"": {[]recording.Finding{{Severity: recording.SeverityWarning, Reason: "the end mark is missing"}}, 10},
		"885 of 5 000 rows missing in 310 gaps (17.7 %)":                                          {gaps, 4115},
		"40 of 200 rows lost by damage in 1 place (20 %); 1 of 200 rows missing in 1 gap (0.5 %)": {[]recording.Finding{lost, gap(1)}, 159},
		"an unknown number of rows lost in 1 place":                                               {[]recording.Finding{{Severity: recording.SeverityError, LostRows: -1}}, 7},
	} {
		if got := recording.Summarize(c.list, c.rows); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
