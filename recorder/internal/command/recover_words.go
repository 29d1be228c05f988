package command

import (
	"fmt"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// reportRecovered prints what was recovered; tail is where the end of a file
// that was recovered in place is saved.
func (a *app) reportRecovered(plan *recovery.Plan, tail string) error {
	r := &plan.Report
	if a.json {
		with := struct {
			*recovery.Report
			Tail string `json:"tail,omitempty"`
		}{r, tail}
		if err := a.writeJSON(with); err != nil {
			return err
		}
	} else {
		switch {
		case plan.Complete && r.Outcome == recovery.Suspect:
			fmt.Fprintf(a.stdout, "%s has its end and every batch, and is copied as it is; some rows look wrong, which no recovery can mend\n", r.Input)
		case plan.Complete:
			fmt.Fprintf(a.stdout, "%s is complete; there was nothing to recover\n", r.Input)
		}
		fmt.Fprintf(a.stdout, "%s  %s: %s in %s recovered, %s lost, %d bytes skipped\n",
			r.Output, r.Outcome, plural(r.RowsRecovered, "row"), plural(r.BatchesRecovered, "batch"), plural(r.BatchesLost, "batch"), r.BytesSkipped)
		if summary := recording.Summarize(r.Findings, r.RowsRecovered); summary != "" {
			fmt.Fprintf(a.stdout, "  %s\n", summary)
		}
		a.eachFinding(a.stdout, r.Findings, func(f *recording.Finding) { a.printFinding(f, r.AcqClockHz) })
		if len(r.ColumnsLeftOut) > 0 {
			fmt.Fprintf(a.stdout, "  columns left out: %s\n", shortened(r.ColumnsLeftOut))
		}
		if tail != "" {
			fmt.Fprintf(a.stdout, "  what was cut off is saved in %s; to take this back: oniscope recover %s --undo\n", tail, r.Output)
		}
	}
	switch r.Outcome {
	case recovery.Lossless:
		return nil
	case recovery.Suspect:
		return lossf("%s: every row is kept, but some look wrong: see the findings", r.Input)
	}
	return lossf("%s: recovered with losses: %s lost, %d bytes skipped", r.Input, plural(r.BatchesLost, "batch"), r.BytesSkipped)
}

// printFinding lists the bytes of a finding, and of a loss its rows and
// seconds, or ticks where the rate is not known.
func (a *app) printFinding(d *recording.Finding, clockHz uint64) {
	fmt.Fprintf(a.stdout, "  %s: byte %d, %d bytes: %s%s\n", d.Severity, d.Offset, d.Length, d.Reason, repeated(d))
	if d.Severity != recording.SeverityError {
		return
	}
	rows := "an unknown number of rows"
	if d.LostRows >= 0 {
		rows = fmt.Sprintf("%d rows", d.LostRows)
	}
	moment := func(ticks uint64) string {
		if clockHz == 0 {
			return fmt.Sprintf("tick %d", ticks)
		}
		return fmt.Sprintf("%.6f s", stream.Seconds(ticks, float64(clockHz)))
	}
	when := ""
	switch {
	case d.ClockBefore > 0 && d.ClockAfter > 0:
		when = fmt.Sprintf(", between %s and %s", moment(d.ClockBefore), moment(d.ClockAfter))
	case d.ClockBefore > 0:
		when = fmt.Sprintf(", after %s", moment(d.ClockBefore))
	case d.ClockAfter > 0:
		when = fmt.Sprintf(", before %s", moment(d.ClockAfter))
	}
	fmt.Fprintf(a.stdout, "    lost after %d kept rows: %s%s\n", d.BeforeRow, rows, when)
}

// shortened lists names, of many the first and the last.
func shortened(names []string) string {
	if len(names) > 8 {
		names = append(append([]string{}, names[:4]...), fmt.Sprintf("... (%d)", len(names)-5), names[len(names)-1])
	}
	return strings.Join(names, ", ")
}
