package recovery

import (
	"errors"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// An InPlace says how to make a file whole in place: keep its first Keep
// bytes and put Append after them. What is there now is to be saved first,
// so that it can be undone.
type InPlace struct {
	Keep   int64
	Append []byte
}

// ErrMoves is why a file cannot be made whole in place.
var ErrMoves = errors.New("recording: bytes would have to move: recover into another file")

// InPlace returns how to make the file whole in place.
//
// It returns an error that wraps ErrMoves if that is not possible: the file is
// a stream or does not begin with ARROW1, or bytes are missing in its middle so
// that a batch is at an offset that Arrow does not allow.
func (p *Plan) InPlace() (InPlace, error) { return p.inPlace, p.inPlaceErr }

// planInPlace is plan for the same file: bytes in the middle that are not intact
// stay, and the footer does not list them.
func (rc *recoverer) planInPlace(p *Plan) {
	if rc.Stream || !rc.Magic || rc.Base > 0 || rc.SchemaOdd || rc.salvage != nil {
		p.inPlaceErr = ErrMoves
		return
	}
	keep := max(arrowipc.HeaderLength, rc.SchemaEnd)
	var pad int64
	var batches []arrowipc.Block
	dictionaries := []arrowipc.Block{}
	for i := range rc.list {
		e := &rc.list[i]
		if !e.kept() {
			continue
		}
		if e.At%8 != 0 || e.mended || e.Odd {
			p.inPlaceErr = ErrMoves
			return
		}
		pad = e.Pad
		keep = e.At + int64(e.MetaLength) + e.BodyLength - pad
		if e.Kind == messages.Dictionary {
			dictionaries = append(dictionaries, e.Block())
		} else {
			batches = append(batches, e.Block())
		}
	}
	p.inPlace = InPlace{Keep: keep, Append: appendEnd(make([]byte, pad), &arrowipc.Footer{Version: rc.Version, Schema: *rc.schema, Dictionaries: dictionaries, Batches: batches, Metadata: rc.metadata()})}
}

// checkEarlier decodes, where only headers were looked at, the batches before
// the last if that one is not intact: a crash hurts the end.
func (rc *recoverer) checkEarlier() error {
	for i := len(rc.list) - 1; i >= 0; i-- {
		e := &rc.list[i]
		if e.Kind == messages.Dictionary {
			return nil
		}
		if e.Kind != messages.Batch {
			continue
		}
		if e.checked {
			return nil
		}
		rc.last = body.ClockSpan{} // only what it shows of itself
		m, err := rc.messageOf(rc.checker, &e.Verdict)
		if err != nil {
			return err
		}
		c, err := rc.checker.Check(rc.schema, m)
		var bad *body.NotIntactError
		switch {
		case err == nil:
			e.clock = c.Clock
			e.mended = rc.mend(i, c.Fixes)
			rc.suspect(i, &e.Verdict, &c, i+1 < len(rc.list) && rc.list[i+1].Kind == messages.Loss)
			return nil
		case !errors.As(err, &bad):
			return err
		}
		e.Verdict = rc.notIntact(&e.Verdict, bad)
	}
	return nil
}
