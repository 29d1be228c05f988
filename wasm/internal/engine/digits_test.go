package engine

import "testing"

func TestTicksOfManyDigitsAreText(t *testing.T) {
	for in, want := range map[string]string{
		`{"clock_first":9007199254740992,"clock_last":9007199254740993}`:              `{"clock_first":9007199254740992,"clock_last":"9007199254740993"}`,
		`[{"clock_before":18446744073709551615,"clock_after":0,"reason":"x"}]`:        `[{"clock_before":"18446744073709551615","clock_after":0,"reason":"x"}]`,
		`{"reason":"\"clock_after\":9007199254740993","duration_ticks":12}`:           `{"reason":"\"clock_after\":9007199254740993","duration_ticks":12}`,
		`{"start":1774745998000000000,"duration_ticks":1774745998000000001,"rows":5}`: `{"start":1774745998000000000,"duration_ticks":"1774745998000000001","rows":5}`,
		`{"clock_first":`: `{"clock_first":`,
		``:                ``,
	} {
		if got := string(WithDigits([]byte(in))); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}
