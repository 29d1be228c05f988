package engine

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/oniscope/oniscope/shared/recording"
)

// tickFields are the names of ticks in answers, which may have more digits than the
// numbers of JavaScript. Others that may be as large are counts of bytes or rows of
// files that nobody has, or are no integers here either.
var tickFields = [][]byte{[]byte(`"clock_first":`), []byte(`"clock_last":`), []byte(`"clock_before":`), []byte(`"clock_after":`), []byte(`"duration_ticks":`), []byte(`"start_clock":`), []byte(`"last_clock":`)}

// WithDigits puts ticks that a number of JavaScript does not have exactly into quotes, in
// the JSON of an answer: they are text there, digit for digit.
func WithDigits(text []byte) []byte {
	return eachTick(text, func(value []byte) []byte {
		if n, err := strconv.ParseUint(string(value), 10, 64); err != nil || n <= recording.ExactTicks {
			return value
		}
		return []byte(`"` + string(value) + `"`)
	})
}

// withoutDigits takes the quotes away again, in what the page gives back of an answer.
func withoutDigits(text []byte) []byte {
	return eachTick(text, func(value []byte) []byte {
		digits := bytes.Trim(value, `"`)
		if _, err := strconv.ParseUint(string(digits), 10, 64); err != nil {
			return value
		}
		return digits
	})
}

// eachTick has every tick in JSON changed.
func eachTick(text []byte, change func(value []byte) []byte) []byte {
	for _, field := range tickFields {
		var out []byte
		left := text
		for {
			i := bytes.Index(left, field)
			if i < 0 {
				break
			}
			i += len(field)
			n := bytes.IndexAny(left[i:], ",}]")
			if n < 0 {
				break
			}
			out = append(append(out, left[:i]...), change(left[i:i+n])...)
			left = left[i+n:]
		}
		if out != nil {
			text = append(out, left...)
		}
	}
	return text
}

// UnmarshalJSON takes findings as the page had them from another engine.
func (a *ProvedArgs) UnmarshalJSON(text []byte) error {
	type plain ProvedArgs
	return json.Unmarshal(withoutDigits(text), (*plain)(a))
}
