package engine

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
)

// RangeHeader asks a server for several reads at once: "bytes=0-7,100-199".
func RangeHeader(reads []recording.RangeRead) string {
	var b strings.Builder
	for i, r := range reads {
		b.WriteString([]string{"bytes=", ","}[min(i, 1)])
		b.WriteString(strconv.FormatInt(r.From, 10) + "-" + strconv.FormatInt(r.To-1, 10))
	}
	return b.String()
}

// FillOf fills buffers, one for each part of g, from the answer of a server that was
// asked for the reads of g: a multipart/byteranges (RFC 9110, 14.6), whose ranges may be
// in any order, and joined. It reports whether all bytes are there; if not, the
// buffers may have some.
func (g *Gathering) FillOf(body []byte, to [][]byte) bool {
	var ranges []recording.RangeRead
	var of [][]byte
	for {
		head, rest, ok := bytes.Cut(body, []byte("\r\n\r\n"))
		from, end, found := contentRange(head)
		if !ok || !found || end-from > int64(len(rest)) {
			break
		}
		ranges, of = append(ranges, recording.RangeRead{From: from, To: end}), append(of, rest[:end-from])
		body = rest[end-from:]
	}
	next := 0
	for i := range g.Reads {
		r := &g.Reads[i]
		for j, has := range ranges {
			if has.From <= r.From && has.To >= r.To {
				for _, p := range r.Parts {
					copy(to[next], of[j][p.At-has.From:][:p.Length])
					next++
				}
				break
			}
		}
	}
	return next == len(g.Parts)
}

// contentRange finds "Content-Range: bytes 0-7/1234" among the headers of a part.
func contentRange(headers []byte) (from, end int64, ok bool) {
	_, value, _ := strings.Cut(strings.ToLower(string(headers)), "content-range:")
	from, end, _, ok = ContentRange(strings.TrimSpace(value))
	return from, end, ok
}

// ContentRange reads "bytes 0-7/1234", and what may follow, as 0, 8 and 1234; size is -1
// where the server does not say it.
func ContentRange(value string) (from, end, size int64, ok bool) {
	text, total, _ := strings.Cut(strings.TrimPrefix(value, "bytes "), "/")
	total, _, _ = strings.Cut(total, "\r")
	first, last, _ := strings.Cut(text, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		size = -1
	}
	return from, end + 1, size, err1 == nil && err2 == nil && from >= 0 && end >= from && end < 1<<62
}
