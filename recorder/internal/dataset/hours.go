package dataset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// hours cuts rows where the hour of wall time changes: start_utc plus Clock, also
// where that begins anew. Rows whose ticks cannot be right, or cannot be read, stay
// with those before them.
func hours(ctx context.Context, x *recording.Excerpt) ([]part, error) {
	s := x.Reader().Stream()
	began, err := time.Parse(time.RFC3339Nano, s.StartUTC)
	if err != nil || s.AcqClockHz == 0 {
		return nil, errors.New("the hour is not known: that takes the time of the start and the rate of the clock; say --start-time FILE (and --clock-hz), or --partition stream alone")
	}
	clock, ok := s.Clock()
	if !ok {
		return nil, errors.New("the hour is not known: there is no column Clock of 64-bit integers; say --partition stream alone")
	}
	times, err := x.Follow(ctx)
	if err != nil {
		return nil, err
	}
	all, err := x.Reader().Select(ctx, recording.Selection{})
	if err == nil {
		all, err = all.With([]int{clock})
	}
	if err != nil {
		return nil, err
	}
	w := wall{began, s.StartClock, s.AcqClockHz}
	start, end := x.Rows()
	parts := []part{{start: start, end: end}}
	var from, to uint64 // ticks of the hour that is going on; 0: none
	bad := times.Bad
	for _, rows := range x.Ranges() {
		for b, err := range all.Within(rows).Batches(ctx) {
			var corrupt *recording.CorruptError
			if errors.As(err, &corrupt) {
				continue
			}
			if err != nil {
				return nil, err
			}
			for i, tick := range recording.Values[uint64](&b.Columns[0]) {
				row := b.Start + int64(i)
				for len(bad) > 0 && bad[0].End <= row {
					bad = bad[1:]
				}
				if from <= tick && tick < to || len(bad) > 0 && bad[0].Start <= row {
					continue
				}
				hour := w.time(tick).Truncate(time.Hour)
				from, to = w.firstTick(hour), w.firstTick(hour.Add(time.Hour))
				last := &parts[len(parts)-1]
				if last.hour != "" {
					last.end = row
					parts = append(parts, part{start: row, end: end})
					last = &parts[len(parts)-1]
				}
				last.hour = hour.Format(hourLayout)
			}
		}
	}
	if last := &parts[len(parts)-1]; last.hour == "" { // of no row
		last.hour = w.began.UTC().Truncate(time.Hour).Format(hourLayout)
	}
	return parts, nil
}

// firstTick is the first that is not before a time; the clock may have none.
func (w wall) firstTick(at time.Time) uint64 {
	switch tick, err := w.ticks(at); {
	case err == nil:
		return tick
	case at.Before(w.began):
		return 0
	}
	return math.MaxUint64
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
