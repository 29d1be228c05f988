// Package fronts holds one table of selections, and the recordings that they
// are made on, so that tests can ask every front of the program the same
// question: the command line, the engine of the page and the library itself.
//
// Neither front can import the other. The engine's tests run the table through
// the engine and through the binary and compare what comes out.
package fronts

import (
	"encoding/json"
	"strconv"
)

// A Case is one selection and what it means. Rows and batches are half open;
// nil and "" mean that the selection does not say.
type Case struct {
	Name       string // a sentence
	File       string // of Files
	Start, End *int64
	From, To   string // seconds
	FromStart  bool
	Segment    int    // 0: all
	Batches    string // a:b
	Columns    []string
	Unique     bool
	ClockHz    uint64 // given with the file; 0: nothing

	Want Want
}

// A Want is what every front has to answer.
type Want struct {
	Start, End int64    // rows of the recording that are meant
	Rows       int64    // that are written
	Columns    []string // names, in order
	Lost       int64    // rows
	Findings   int      // how many there are
	Error      string   // the refusal, whole, without the name of the file; "": none
	Kind       string   // of the refusal, as the page names it
}

// Args are the flags of the command line that mean the selection.
func (c *Case) Args() []string {
	var args []string
	add := func(flag, value string) { args = append(args, flag+"="+value) }
	if c.Start != nil {
		add("--start", strconv.FormatInt(*c.Start, 10))
	}
	if c.End != nil {
		add("--end", strconv.FormatInt(*c.End, 10))
	}
	if c.From != "" {
		add("--from", c.From)
	}
	if c.To != "" {
		add("--to", c.To)
	}
	if c.FromStart {
		args = append(args, "--from-start")
	}
	if c.Segment != 0 {
		add("--segment", strconv.Itoa(c.Segment))
	}
	if c.Batches != "" {
		add("--batches", c.Batches)
	}
	for _, name := range c.Columns {
		add("--columns", name)
	}
	if c.ClockHz > 0 {
		add("--clock-hz", strconv.FormatUint(c.ClockHz, 10))
	}
	if c.Unique {
		args = append(args, "--unique")
	}
	return args
}

// Request is what the page sends to the engine for the selection, without the
// stream: the members of SliceArgs.
func (c *Case) Request() map[string]any {
	r := map[string]any{}
	if c.Start != nil {
		r["start"] = *c.Start
	}
	if c.End != nil {
		r["end"] = *c.End
	}
	if c.From != "" {
		r["from"] = json.Number(c.From)
	}
	if c.To != "" {
		r["to"] = json.Number(c.To)
	}
	if c.FromStart {
		r["from_start"] = true
	}
	if c.Segment != 0 {
		r["segment"] = c.Segment
	}
	if c.Batches != "" {
		r["batches"] = c.Batches
	}
	if c.Columns != nil {
		r["columns"] = c.Columns
	}
	if c.Unique {
		r["unique"] = true
	}
	return r
}
