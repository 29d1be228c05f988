package dataset

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// hours cuts rows where the hour of wall time changes: start_utc plus Clock.
func hours(ctx context.Context, x *recording.Excerpt) ([]part, error) {
	r := x.Reader()
	s := r.Stream()
	began, err := time.Parse(time.RFC3339Nano, s.StartUTC)
	if err != nil || s.AcqClockHz == 0 {
		return nil, errors.New("the hour is not known: that takes the time of the start and the rate of the clock; say --start-time FILE (and --clock-hz), or --partition stream alone")
	}
	clock, ok := s.Clock()
	if !ok {
		return nil, errors.New("the hour is not known: there is no column Clock of 64-bit integers; say --partition stream alone")
	}
	clocks, err := r.Select(ctx, recording.Selection{})
	if err == nil {
		clocks, err = clocks.With([]int{clock})
	}
	if err != nil {
		return nil, err
	}
	w := wall{began, s.StartClock, s.AcqClockHz}
	parts := []part{}
	for _, rows := range x.Ranges() {
		if parts, err = hoursOf(ctx, clocks, w, rows, parts); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// hoursOf appends the parts of some rows.
func hoursOf(ctx context.Context, clocks *recording.Excerpt, w wall, rows recording.Range, parts []part) ([]part, error) {
	r := clocks.Reader()
	for row := rows.Start; row < rows.End; {
		i, err := r.BatchAt(row)
		if err != nil {
			return nil, err
		}
		_, next, err := r.BatchRange(i)
		if err != nil {
			return nil, err
		}
		ticks, err := clockOf(ctx, clocks, row)
		var corrupt *recording.CorruptError
		switch {
		case err == nil:
			hour := w.time(ticks).Truncate(time.Hour)
			border, err := w.ticks(hour.Add(time.Hour))
			if err == nil {
				// Where Clock does not rise, the batch is what is sure.
				var found int64
				if found, err = rowFrom(ctx, r, border, row); found > row {
					next = found
				}
			}
			if err != nil {
				return nil, err
			}
			parts = append(parts, part{row, min(next, rows.End), hour.Format(hourLayout)})
		case errors.As(err, &corrupt) && len(parts) > 0: // lost rows stay with those before them
			parts[len(parts)-1].end = min(next, rows.End)
		case errors.As(err, &corrupt):
			parts = append(parts, part{row, min(next, rows.End), w.began.UTC().Truncate(time.Hour).Format(hourLayout)})
		default:
			return nil, err
		}
		row = parts[len(parts)-1].end
	}
	return parts, nil
}

// rowFrom returns the first row after a given one with Clock >= ticks; where
// there is none, the number of rows, or the row at which Clock begins anew.
func rowFrom(ctx context.Context, r *recording.Reader, ticks uint64, row int64) (int64, error) {
	before, err := r.Select(ctx, recording.Selection{Time: &recording.TickRange{To: ticks}})
	if err != nil {
		return row, ignoreRange(err)
	}
	for _, rows := range before.Ranges() {
		if rows.Start <= row && row < rows.End {
			return rows.End, nil
		}
	}
	return row, nil
}

// ignoreRange passes over that no row has the times asked for.
func ignoreRange(err error) error {
	var outside *recording.RangeError
	if errors.As(err, &outside) {
		return nil
	}
	return err
}

// clockOf returns the Clock of a row.
func clockOf(ctx context.Context, clocks *recording.Excerpt, row int64) (uint64, error) {
	for b, err := range clocks.Within(recording.Range{Start: row, End: row + 1}).Batches(ctx) {
		if err != nil {
			return 0, err
		}
		if ticks := recording.Values[uint64](&b.Columns[0]); len(ticks) == 1 {
			return ticks[0], nil
		}
	}
	return 0, fmt.Errorf("the Clock of row %d cannot be read", row)
}

// A wall converts ticks into wall time and back.
type wall struct {
	began time.Time
	clock uint64 // ticks at that time
	hz    uint64
}

// time returns when the clock was at so many ticks.
func (w wall) time(ticks uint64) time.Time {
	n := new(big.Int).Sub(new(big.Int).SetUint64(ticks), new(big.Int).SetUint64(w.clock))
	seconds, rest := new(big.Int).DivMod(n, new(big.Int).SetUint64(w.hz), new(big.Int))
	nanos := rest.Div(rest.Mul(rest, big.NewInt(1e9)), new(big.Int).SetUint64(w.hz))
	return time.Unix(w.began.Unix()+seconds.Int64(), int64(w.began.Nanosecond())+nanos.Int64()).UTC()
}

// ticks returns the first tick that is not before a time.
func (w wall) ticks(at time.Time) (uint64, error) {
	d := new(big.Int).Mul(big.NewInt(at.Unix()-w.began.Unix()), big.NewInt(1e9))
	d.Add(d, big.NewInt(int64(at.Nanosecond()-w.began.Nanosecond())))
	d.Mul(d, new(big.Int).SetUint64(w.hz))
	whole, rest := new(big.Int).DivMod(d, big.NewInt(1e9), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	if whole.Add(whole, new(big.Int).SetUint64(w.clock)); !whole.IsUint64() {
		return 0, fmt.Errorf("the clock has no tick for %s", at.Format(time.RFC3339))
	}
	return whole.Uint64(), nil
}
