package engine

import (
	"bytes"
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
	for _, field := range tickFields {
		for at := 0; ; {
			i := bytes.Index(text[at:], field)
			if i < 0 {
				break
			}
			at += i + len(field)
			end := at
			for end < len(text) && text[end] >= '0' && text[end] <= '9' {
				end++
			}
			if n, err := strconv.ParseUint(string(text[at:end]), 10, 64); err == nil && n > recording.ExactTicks {
				quoted := append(append([]byte{'"'}, text[at:end]...), '"')
				text = append(text[:at:at], append(quoted, text[end:]...)...)
				end += 2
			}
			at = end
		}
	}
	return text
}
