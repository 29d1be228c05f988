//go:build linux

package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/vectors"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// The reader, recovery and verification must see one file. These tests damage
// files of every writer and codec and hold what the three say of each against
// each other; what is right is the business of others.

// agreeCases is how many damaged files are looked at; ONISCOPE_AGREE says
// another number.
const agreeCases = 2000

// A mutation changes a file as disks, copies and programs do.
var mutations = []struct {
	name string
	do   func(data []byte, f *campaignFile, r *rand.Rand) []byte
}{
	{"cut", func(data []byte, _ *campaignFile, r *rand.Rand) []byte { return data[:r.IntN(len(data))] }},
	{"bytes removed", func(data []byte, _ *campaignFile, r *rand.Rand) []byte {
		at := r.IntN(len(data))
		n := min(someLength(r), len(data)-at)
		return slices.Delete(data, at, at+n)
	}},
	{"bytes inserted", func(data []byte, _ *campaignFile, r *rand.Rand) []byte {
		at, from := r.IntN(len(data)), r.IntN(len(data))
		more := bytes.Clone(data[from:min(len(data), from+someLength(r))])
		if r.IntN(2) == 0 {
			for i := range more {
				more[i] = byte(r.Uint32())
			}
		}
		return slices.Insert(data, at, more...)
	}},
	{"bits", func(data []byte, _ *campaignFile, r *rand.Rand) []byte {
		for range 1 + r.IntN(4) {
			data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		}
		return data
	}},
	{"zeroed blocks", func(data []byte, _ *campaignFile, r *rand.Rand) []byte {
		at := r.IntN(len(data)) &^ 511
		clear(data[at:min(len(data), at+512<<r.IntN(4))])
		return data
	}},
	{"header bytes", func(data []byte, f *campaignFile, r *rand.Rand) []byte {
		m := f.meta[r.IntN(len(f.meta))]
		for range 1 + r.IntN(3) {
			data[m.from+r.Int64N(m.to-m.from)] = byte(r.Uint32())
		}
		return data
	}},
}

func someLength(r *rand.Rand) int {
	return []int{1 + r.IntN(7), 8, 64, 64 * (1 + r.IntN(8)), 1 + r.IntN(4096)}[r.IntN(5)]
}

// mutate is case n of a file, always the same.
func mutate(f *campaignFile, n int) (name string, data []byte) {
	r := rand.New(rand.NewPCG(20261128, uint64(n)))
	data = bytes.Clone(f.data)
	if n%(len(mutations)+1) == len(mutations) {
		for range 2 {
			m := mutations[r.IntN(len(mutations))]
			if len(data) == 0 || m.name == "header bytes" && len(data) != len(f.data) {
				continue
			}
			name, data = name+m.name+", ", m.do(data, f, r)
		}
		return name + "mixed", data
	}
	m := mutations[n%(len(mutations)+1)]
	return m.name, m.do(data, f, r)
}

func TestReaderRecoveryAndVerificationAgree(t *testing.T) {
	cases := agreeCases
	if s := os.Getenv("ONISCOPE_AGREE"); s != "" {
		cases, _ = strconv.Atoi(s)
	}
	cases /= fewer(10)
	files := campaignFiles(t)
	kinds := map[string]int{}
	failed := 0
	for n := range cases {
		f := files[n%len(files)]
		name, data := mutate(f, n)
		for _, wrong := range disagreements(f, data, n) {
			kind, _, _ := strings.Cut(wrong, ":")
			kinds[kind]++
			failed++
			if kinds[kind] <= 15 {
				t.Errorf("case %d, %s, %s: %s", n, f.name, name, wrong)
			}
		}
	}
	if failed > 0 {
		t.Errorf("%d disagreements in %d cases: %v", failed, cases, kinds)
	}
}

// disagreements lists what the three say differently of a file.
func disagreements(f *campaignFile, data []byte, seed int) (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	src := bytes.NewReader(data)
	size := int64(len(data))
	stream := strings.Contains(f.name, "stream")

	r, openErr := recording.NewReader(src, size)
	plan, err := recovery.Examine(context.Background(), src, size, &recovery.Options{Stream: stream})
	if openErr != nil {
		if err == nil && plan.Report.RowsRecovered > 0 {
			say("open: %v; recovery keeps %d rows", openErr, plan.Report.RowsRecovered)
		}
		return list
	}
	var kept [][][]string
	if err == nil {
		out, err := recording.NewReader(plan.Output(src), plan.Size())
		if err != nil {
			return append(list, fmt.Sprintf("output: %v", err))
		}
		if kept, err = batchRows(out, nil); err != nil {
			return append(list, fmt.Sprintf("output: %v", err))
		}
	}
	read, _ := batchRows(r, nil)
	// What no program could hold is shown, and neither copied nor recovered.
	if !errors.Is(err, recording.ErrUnsupported) && !slices.EqualFunc(slices.Concat(read...), slices.Concat(kept...), slices.Equal[[]string]) {
		say("rows: %d batches %d rows are read, %d batches %d rows recovered (%v)", len(read), len(slices.Concat(read...)), len(kept), len(slices.Concat(kept...)), err)
	}

	// With some columns at least these rows, equal in them.
	random := rand.New(rand.NewPCG(1, uint64(seed)))
	var columns []int
	for c := range r.Stream().Columns {
		if random.IntN(2) == 0 {
			columns = append(columns, c)
		}
	}
	if r2, err := recording.NewReader(src, size); err == nil && len(columns) > 0 {
		some, _ := batchRows(r2, columns)
		at := 0
		for _, rows := range read {
			want := project(rows, columns)
			for at < len(some) && !slices.EqualFunc(some[at], want, slices.Equal[[]string]) {
				at++
			}
			if at == len(some) {
				say("projection: with columns %v a batch is missing that is there with all", columns)
				break
			}
			at++
		}
	}

	// What info says is a part of what verify says; recover says the same facts.
	fresh, err2 := recording.NewReader(src, size)
	if err2 != nil {
		return append(list, fmt.Sprintf("open: once it opens, then %v", err2))
	}
	verified := map[string]bool{}
	misled := false // info follows the Clock of a batch of which verify knows better
	facts := map[string]int{}
	failedVerify := error(nil)
	lostInside, lostInAll := int64(0), int64(0) // rows; of a file without its end the last batch was never whole
	for f, err := range recovery.Verify(context.Background(), src, size, nil) {
		if err != nil {
			failedVerify = err
			break
		}
		if f.BeforeRow < 0 || f.LostRows < -1 {
			say("verify: %+v", f)
		}
		verified[fmt.Sprintf("%s %d %s", f.Severity, f.Offset, f.Reason)] = true
		misled = misled || f.Severity == recording.SeverityError && strings.HasPrefix(f.Reason, "column ")
		facts[fmt.Sprintf("%s %d", f.Severity, f.Offset)]++
		if f.Severity == recording.SeverityError && !strings.HasPrefix(f.Reason, "gap: ") {
			lostInAll += max(0, f.LostRows)
			if f.BeforeRow < int64(len(slices.Concat(read...))) {
				lostInside += max(0, f.LostRows)
			}
		}
	}
	if lost, err := lostOfAll(src, size); failedVerify == nil && err == nil && (lost < lostInside || lost > lostInAll) {
		say("lost: an excerpt of all rows says %d, verify %d, %d of them not at the end", lost, lostInAll, lostInside)
	}
	info, err3 := testdata.Info(fresh)
	if err3 == nil {
		for _, f := range info.Findings {
			clock := strings.HasPrefix(f.Reason, "gap: ") || strings.Contains(f.Reason, "Clock")
			if clock && (facts[fmt.Sprintf("%s %d", recording.SeverityError, f.Offset)] > 0 || misled) {
				continue // in a batch that is damaged where info does not read
			}
			if said := fmt.Sprintf("%s %d %s", f.Severity, f.Offset, f.Reason); !verified[said] {
				say("info: %q is not among verify's %q", said, sortedKeys(verified))
			}
		}
	}
	report := recovery.Report{}
	if refused, ok := err.(*recovery.Error); ok {
		report = refused.Report
	} else if err == nil {
		report = plan.Report
	}
	said := map[string]bool{}
	for _, f := range report.Findings {
		if f.BeforeRow < 0 || f.LostRows < -1 {
			say("recover: %+v", f)
		}
		fact := fmt.Sprintf("%s %d %s", f.Severity, f.Offset, f.Reason)
		if !verified[fact] {
			fact, _, _ = cutLast(fact, ": ") // what is done about it
		}
		if said[fact] = true; !verified[fact] {
			say("recover: %d %q is not a fact of verify's %q (%v)", f.Offset, f.Reason, sortedKeys(verified), failedVerify)
		}
	}
	for fact := range verified {
		if strings.Contains(fact, " suspect: ") && failedVerify == nil {
			if !said[fact] {
				say("verify: %q is not a fact of recover's %q", fact, sortedKeys(said))
			}
			if report.Outcome == recovery.Lossless {
				say("recover: lossless with %q", fact)
			}
		}
	}
	return list
}

// lostOfAll reads all rows and returns how many are lost, as an excerpt says.
func lostOfAll(src io.ReaderAt, size int64) (rows int64, err error) {
	r, err := recording.NewReader(src, size)
	if err != nil {
		return 0, err
	}
	x, err := r.Select(context.Background(), recording.Selection{})
	if err != nil {
		return 0, err
	}
	for _, err := range x.Batches(context.Background()) {
		if corrupt := (*recording.CorruptError)(nil); err != nil && !errors.As(err, &corrupt) {
			return 0, err
		}
	}
	_, rows = x.Lost()
	return rows, nil
}

// cutLast cuts a text before the last sep in it.
func cutLast(text, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(text, sep); i >= 0 {
		return text[:i], text[i+len(sep):], true
	}
	return text, "", false
}

// batchRows reads what can be read, batch by batch: the cells of each row.
func batchRows(r *recording.Reader, columns []int) (list [][][]string, err error) {
	for i := 0; i < r.NumBatches(); i++ {
		b, e := r.ReadBatch(i, columns)
		if e != nil {
			err = e
			continue
		}
		rows := make([][]string, b.Rows)
		for k := range rows {
			for c := range b.Columns {
				rows[k] = append(rows[k], cellBits(&b.Columns[c], k))
			}
		}
		list = append(list, rows)
	}
	return list, err
}

// cellBits gives the bits of a value, or what it shows where it is nested.
func cellBits(v *recording.Vector, row int) string {
	switch {
	case v.Valid != nil && v.Valid[row] == 0:
		return "null"
	case vectors.Array(v) != nil:
		return string(vectors.Array(v).AppendText(nil, row))
	}
	w := len(v.Data) / v.Len
	return string(v.Data[row*w : (row+1)*w])
}

func project(rows [][]string, columns []int) [][]string {
	out := make([][]string, len(rows))
	for i, row := range rows {
		for _, c := range columns {
			out[i] = append(out[i], row[c])
		}
	}
	return out
}
