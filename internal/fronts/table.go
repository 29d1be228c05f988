package fronts

func row(n int64) *int64 { return &n }

// columns of the plain recordings.
var (
	allColumns = []string{"SpikeData0", "SpikeData1", "LfpData0", "Clock"}
	hasRows    = "the recording has rows 0 to 600, seconds 10 to 10.0599"
	hasSeconds = "the recording has seconds 10 to 10.0599, rows 0 to 600"
)

// Cases are the selections. Rows of the recordings are 0 to 600, at 10 s to
// 10.0599 s, in batches of 100.
func Cases() []Case {
	return []Case{
		{Name: "everything", File: "plain", Want: Want{End: 600, Rows: 600, Columns: allColumns}},
		{Name: "rows inside a batch", File: "plain", Start: row(10), End: row(20), Want: Want{Start: 10, End: 20, Rows: 10, Columns: allColumns}},
		{Name: "rows over borders of batches", File: "plain", Start: row(150), End: row(450), Want: Want{Start: 150, End: 450, Rows: 300, Columns: allColumns}},
		{Name: "rows to the end", File: "plain", Start: row(590), Want: Want{Start: 590, End: 600, Rows: 10, Columns: allColumns}},
		{Name: "rows from the beginning", File: "plain", End: row(7), Want: Want{End: 7, Rows: 7, Columns: allColumns}},
		{Name: "no rows, inside", File: "plain", Start: row(33), End: row(33), Want: Want{Start: 33, End: 33, Columns: allColumns}},
		{Name: "no rows, at the end", File: "plain", Start: row(600), End: row(600), Want: Want{Start: 600, End: 600, Columns: allColumns}},
		{Name: "rows beyond the end", File: "plain", Start: row(590), End: row(601), Want: Want{Error: "rows 590 to 601: " + hasRows, Kind: "RangeError"}},
		{Name: "rows that begin beyond the end", File: "plain", Start: row(601), Want: Want{Error: "rows 601 to the end: " + hasRows, Kind: "RangeError"}},
		{Name: "rows before the first", File: "plain", Start: row(-1), Want: Want{Error: "rows -1 to the end: " + hasRows, Kind: "RangeError"}},
		{Name: "rows that end before they begin", File: "plain", Start: row(20), End: row(10), Want: Want{Error: "rows 20 to 10: " + hasRows, Kind: "RangeError"}},
		{Name: "all rows of a recording without any", File: "empty", Want: Want{Columns: allColumns}},
		{Name: "no rows of a recording without any", File: "empty", Start: row(0), End: row(0), Want: Want{Columns: allColumns}},
		{Name: "a row of a recording without any", File: "empty", Start: row(0), End: row(1), Want: Want{Error: "rows 0 to 1: the recording has rows 0 to 0", Kind: "RangeError"}},

		{Name: "seconds", File: "plain", From: "10.01", To: "10.02", Want: Want{Start: 100, End: 200, Rows: 100, Columns: allColumns}},
		{Name: "seconds between two rows", File: "plain", From: "10.00005", To: "10.00015", Want: Want{Start: 1, End: 2, Rows: 1, Columns: allColumns}},
		{Name: "seconds to the tick", File: "plain", From: "10.000100004", To: "10.0002", Want: Want{Start: 2, End: 2, Columns: allColumns}},
		{Name: "seconds that floating point rounds", File: "plain", From: "10.0023", To: "10.0029", Want: Want{Start: 23, End: 29, Rows: 6, Columns: allColumns}},
		{Name: "seconds to the end", File: "plain", From: "10.059", Want: Want{Start: 590, End: 600, Rows: 10, Columns: allColumns}},
		{Name: "seconds from the beginning", File: "plain", To: "10.001", Want: Want{End: 10, Rows: 10, Columns: allColumns}},
		{Name: "seconds around the recording", File: "plain", From: "0", To: "60", Want: Want{End: 600, Rows: 600, Columns: allColumns}},
		{Name: "an empty range of seconds", File: "plain", From: "10.03", To: "10.03", Want: Want{Start: 300, End: 300, Columns: allColumns}},
		{Name: "seconds before the recording", File: "plain", From: "1", To: "2", Want: Want{Error: "seconds 1 to 2: " + hasSeconds, Kind: "RangeError"}},
		{Name: "seconds after the recording", File: "plain", From: "11", To: "12", Want: Want{Error: "seconds 11 to 12: " + hasSeconds, Kind: "RangeError"}},
		{Name: "seconds after the recording, to the end", File: "plain", From: "5000", Want: Want{Error: "seconds 5000 to the end: " + hasSeconds, Kind: "RangeError"}},
		{Name: "seconds that end before they begin", File: "plain", From: "10.02", To: "10.01", Want: Want{Error: "seconds 10.02 to 10.01: " + hasSeconds, Kind: "RangeError"}},
		{Name: "seconds without a rate", File: "norate", From: "10", Want: Want{Error: "seconds: the rate of the acquisition clock is not known", Kind: "ClockError"}},
		{Name: "seconds by a Clock of int64", File: "int64clock", From: "10.01", To: "10.02", Want: Want{Start: 100, End: 200, Rows: 100, Columns: allColumns}},
		{Name: "seconds without a Clock", File: "noclock", From: "10.01", Want: Want{Error: "seconds: there is no column Clock of 64-bit integers", Kind: "ClockError"}},
		{Name: "seconds by a Clock of float64", File: "floatclock", From: "10.01", Want: Want{Error: "seconds: there is no column Clock of 64-bit integers", Kind: "ClockError"}},
		{Name: "everything with a Clock of float64", File: "floatclock", Want: Want{End: 600, Rows: 600, Columns: allColumns}},
		{Name: "seconds over gaps", File: "gaps", From: "10.02", To: "10.05", Want: Want{Start: 200, End: 400, Rows: 200, Columns: allColumns}},
		{Name: "seconds that begin in a gap", File: "gaps", From: "10.05", To: "10.15", Want: Want{Start: 400, End: 460, Rows: 60, Columns: allColumns}},
		{Name: "seconds where the clock restarts", File: "restart", From: "10.01", To: "10.02", Want: Want{Start: 100, End: 500, Rows: 200, Columns: allColumns}},
		{Name: "seconds of the second segment", File: "restart", From: "10.01", To: "10.02", Segment: 2, Want: Want{Start: 400, End: 500, Rows: 100, Columns: allColumns}},
		{Name: "all of a segment", File: "restart", Segment: 2, Want: Want{Start: 300, End: 600, Rows: 300, Columns: allColumns}},
		{Name: "the only segment", File: "gaps", Segment: 1, Want: Want{End: 600, Rows: 600, Columns: allColumns}},
		{Name: "a segment that is not there", File: "restart", Segment: 3, Want: Want{Error: "segment 3: the recording has segments 1 to 2", Kind: "RangeError"}},
		{Name: "a second segment of a clock that rises", File: "plain", Segment: 2, Want: Want{Error: "segment 2: the recording has one, seconds 10 to 10.0599, rows 0 to 600", Kind: "RangeError"}},
		{Name: "seconds that a segment has not", File: "restart", From: "11", To: "12", Segment: 2, Want: Want{Error: "seconds 11 to 12: segment 2 has seconds 10 to 10.0299, rows 300 to 600", Kind: "RangeError"}},
		{Name: "a segment of a recording without a Clock", File: "noclock", Segment: 1, Want: Want{Error: "seconds: there is no column Clock of 64-bit integers", Kind: "ClockError"}},
		{Name: "seconds from the first row on", File: "plain", From: "0", To: "0.01", FromStart: true, Want: Want{End: 100, Rows: 100, Columns: allColumns}},
		{Name: "seconds from the first row on, over a restart", File: "restart", From: "0.02", To: "0.04", FromStart: true, Want: Want{Start: 200, End: 400, Rows: 200, Columns: allColumns}},
		{Name: "seconds from the first row of a segment on", File: "restart", From: "0.02", FromStart: true, Segment: 1, Want: Want{Start: 200, End: 300, Rows: 100, Columns: allColumns}},
		{Name: "seconds from the first row on, beyond the end", File: "plain", From: "1", FromStart: true, Want: Want{Error: "seconds 1 to the end: the recording has seconds 0 to 0.06 from its first row on, rows 0 to 600", Kind: "RangeError"}},
		{Name: "rows where the clock restarts", File: "restart", Start: row(290), End: row(310), Want: Want{Start: 290, End: 310, Rows: 20, Columns: allColumns}},

		{Name: "batches", File: "plain", Batches: "1:3", Want: Want{Start: 100, End: 300, Rows: 200, Columns: allColumns}},
		{Name: "batches to the end", File: "plain", Batches: "5:", Want: Want{Start: 500, End: 600, Rows: 100, Columns: allColumns}},
		{Name: "no batches", File: "plain", Batches: "3:3", Want: Want{Start: 300, End: 300, Columns: allColumns}},
		{Name: "batches beyond the end", File: "plain", Batches: "4:7", Want: Want{Error: "batches 4 to 7: the recording has batches 0 to 6", Kind: "RangeError"}},

		{Name: "columns in the order asked for", File: "plain", End: row(5), Columns: []string{"Clock", "SpikeData1", "SpikeData0"}, Want: Want{End: 5, Rows: 5, Columns: []string{"Clock", "SpikeData1", "SpikeData0"}}},
		{Name: "a glob in the order of the file", File: "plain", End: row(5), Columns: []string{"Clock", "*Data?"}, Want: Want{End: 5, Rows: 5, Columns: []string{"Clock", "SpikeData0", "SpikeData1", "LfpData0"}}},
		{Name: "a column named twice comes once", File: "plain", End: row(5), Columns: []string{"LfpData0", "L*", "LfpData0"}, Want: Want{End: 5, Rows: 5, Columns: []string{"LfpData0"}}},
		{Name: "a column that does not exist", File: "plain", Columns: []string{"Cock"}, Want: Want{Error: "columns Cock: no column matches; did you mean Clock?", Kind: "ColumnError"}},
		{Name: "a glob that matches nothing", File: "plain", Columns: []string{"Q*"}, Want: Want{Error: "columns Q*: no column matches", Kind: "ColumnError"}},
		{Name: "a glob that is not valid", File: "plain", Columns: []string{"[q"}, Want: Want{Error: `columns [q: it is no pattern: a [ wants its ] with something between, and a \ a character after it`, Kind: "ColumnError"}},
		{Name: "all columns where a name is doubled", File: "doubled", End: row(5), Want: Want{End: 5, Rows: 5, Columns: []string{"xx", "xx#2", "a*", "ab", "Clock"}}},
		{Name: "the second column of a name", File: "doubled", End: row(5), Columns: []string{"xx#2"}, Want: Want{End: 5, Rows: 5, Columns: []string{"xx#2"}}},
		{Name: "the first column of a name", File: "doubled", End: row(5), Columns: []string{"xx#1"}, Want: Want{End: 5, Rows: 5, Columns: []string{"xx"}}},
		{Name: "a name that two columns have", File: "doubled", End: row(5), Columns: []string{"xx"}, Want: Want{Error: "columns xx: 2 columns have this name, xx and xx#2; ask for xx#1 or xx#2", Kind: "ColumnError"}},
		{Name: "a glob takes both columns of a name", File: "doubled", End: row(5), Columns: []string{"x*"}, Want: Want{End: 5, Rows: 5, Columns: []string{"xx", "xx#2"}}},
		{Name: "a name that looks like a glob", File: "doubled", End: row(5), Columns: []string{"a*"}, Want: Want{End: 5, Rows: 5, Columns: []string{"a*"}}},

		{Name: "a slower signal at its own rate", File: "plain", Unique: true, Want: Want{End: 600, Rows: 150, Columns: []string{"LfpData0", "Clock"}}},
		{Name: "a slower signal in the order asked for", File: "plain", Unique: true, Columns: []string{"Clock", "LfpData0"}, Start: row(10), End: row(30), Want: Want{Start: 10, End: 30, Rows: 5, Columns: []string{"Clock", "LfpData0"}}},
		{Name: "nothing is slower", File: "doubled", Unique: true, Want: Want{Error: "none of these columns is slower than its rows, so unique values are all values", Kind: "EngineError"}},

		{Name: "everything around a hole", File: "hole", Want: Want{End: 500, Rows: 500, Columns: allColumns, Lost: 100, Findings: 1}},
		{Name: "rows before a hole", File: "hole", Start: row(100), End: row(150), Want: Want{Start: 100, End: 150, Rows: 50, Columns: allColumns}},
		{Name: "rows up to a hole", File: "hole", Start: row(100), End: row(200), Want: Want{Start: 100, End: 200, Rows: 100, Columns: allColumns}},
		{Name: "seconds over a hole", File: "hole", From: "10.01", To: "10.04", Want: Want{Start: 100, End: 300, Rows: 200, Columns: allColumns, Lost: 100, Findings: 1}},
		{Name: "seconds that end in a hole", File: "hole", From: "10.01", To: "10.025", Want: Want{Start: 100, End: 200, Rows: 100, Columns: allColumns, Findings: 1}},
		{Name: "seconds that end in a hole of a file without footer", File: "hole-cut", From: "10.01", To: "10.025", Want: Want{Start: 100, End: 200, Rows: 100, Columns: allColumns, Findings: 1}},
		{Name: "everything around a hole of a file without footer", File: "hole-cut", Want: Want{End: 500, Rows: 500, Columns: allColumns, Lost: 100, Findings: 1}},
		{Name: "seconds that end where bytes were removed", File: "removed-cut", To: "10.021", Want: Want{End: 200, Rows: 200, Columns: allColumns, Findings: 1}},
		{Name: "rows up to where bytes were removed", File: "removed-cut", End: row(200), Want: Want{End: 200, Rows: 200, Columns: allColumns}},
		// What was cut off had not been recorded whole: the file is unfinished, not damaged.
		{Name: "seconds that end in a batch that was cut", File: "cut", From: "10.035", To: "10.042", Want: Want{Start: 350, End: 400, Rows: 50, Columns: allColumns}},
		{Name: "everything of a file that was cut", File: "cut", Want: Want{End: 400, Rows: 400, Columns: allColumns}},
		{Name: "seconds after what was cut", File: "cut", From: "10.041", To: "10.042", Want: Want{Error: "seconds 10.041 to 10.042: the recording has seconds 10 to 10.0399, rows 0 to 400", Kind: "RangeError"}},
	}
}
