package engine

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

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

// What one engine finds is told to the other by the page, which has ticks of many digits
// as text.
func TestFindingsWithTicksOfManyDigitsGoFromEngineToEngine(t *testing.T) {
	args := ProvedArgs{Stream: "s", Findings: []recording.Finding{{Reason: `a "clock_after":"5" gap`, ClockBefore: 1_774_745_998_123_456_789, ClockAfter: math.MaxUint64, Count: 1}, {Reason: "another", ClockBefore: 5, Count: 1}}}
	text, err := json.Marshal(map[string]any{"stream": args.Stream, "findings": args.Findings})
	if err != nil {
		t.Fatal(err)
	}
	var got ProvedArgs
	if err := json.Unmarshal(WithDigits(text), &got); err != nil || !reflect.DeepEqual(got, args) {
		t.Errorf("%+v, %v, want %+v", got, err, args)
	}
}

// A table of many such ticks takes no more than a pass over it for each name.
func TestManyTicksOfManyDigits(t *testing.T) {
	text := []byte("[" + strings.Repeat(`{"clock_first":1774745998123456789,"clock_last":1774745998123456790},`, 30_000) + "{}]")
	if got := WithDigits(text); len(got) != len(text)+4*30_000 || !json.Valid(got) {
		t.Errorf("%d bytes of %d", len(got), len(text))
	}
}
