package messages

import (
	"fmt"
	"strings"
)

// A Fact is what a front reports of a verdict.
type Fact struct {
	Placed
	Offset, Length int64
	Severity       Severity
	Reason         string
	Remedy         string // what a recovery does about it; "": nothing
	Count          int
	LastOffset     int64
}

// doubted is what a plain batch is suspect of that no message follows.
const doubted = "suspect: no message follows this batch: if bytes are missing in it, its last values are those of others"

// Facts are what is to be reported of a verdict at its place among the rows:
// nothing of a message that is where it should be.
func Facts(v *Verdict, p *Placed) (list []Fact) {
	if !v.Speaks() {
		return nil
	}
	f := Fact{Placed: *p, Offset: v.At, Length: v.Length, Severity: v.Severity, Reason: Plain(v.Reason), Remedy: v.Remedy, Count: max(1, v.Count), LastOffset: max(v.At, v.Last)}
	if v.Doubted {
		doubt := f
		doubt.Severity, doubt.Reason, doubt.Remedy, doubt.LostRows = Warning, doubted, "", 0
		list = append(list, doubt)
	}
	if v.Kind == Loss || v.Kind == Note {
		list = append(list, f)
	}
	return list
}

// The texts of causes that every reason has, and that people need not read.
const (
	BoundsText  = "a length or offset does not fit"
	DamagedText = "contents are not consistent"
)

var noise = strings.NewReplacer("arrowipc: ", "", "recording: ", "", BoundsText+": ", "", DamagedText+": ", "")

// Plain takes the names of packages out of the text of an error.
func Plain(text string) string { return noise.Replace(text) }

// Counted writes a number of things as people do.
func Counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
