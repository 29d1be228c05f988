package recording

import (
	"errors"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// An InPlace says how to make a file whole where it stands: keep its first Keep
// bytes and put Append behind them. What stands there now is to be saved first,
// so that it can be undone.
type InPlace struct {
	Keep   int64
	Append []byte
}

// ErrMoves is why a file cannot be made whole where it stands.
var ErrMoves = errors.New("recording: bytes would have to move: recover into another file (-o)")

// InPlace returns how to make the file whole where it stands.
//
// It returns an error that wraps ErrMoves if that is not possible: the file is
// a stream or does not begin with ARROW1, or bytes are missing in its middle so
// that batches stand where Arrow wants none.
func (p *Plan) InPlace() (InPlace, error) { return p.inPlace, p.inPlaceErr }

// planInPlace is plan for the same file: bytes in the middle that do not hold
// stay, and the footer does not list them.
func (rc *recoverer) planInPlace(p *Plan) {
	if rc.stream || !rc.magic || rc.salvage != nil {
		p.inPlaceErr = ErrMoves
		return
	}
	keep := max(arrowipc.HeaderLength, rc.schemaEnd)
	var pad int64
	var batches []arrowipc.Block
	dictionaries := []arrowipc.Block{}
	for i := range rc.kept {
		k := &rc.kept[i]
		if k.block.Offset%8 != 0 {
			p.inPlaceErr = ErrMoves
			return
		}
		pad = k.pad
		keep = k.block.Offset + int64(k.block.MetaLength) + k.block.BodyLength - pad
		if k.dictionary {
			dictionaries = append(dictionaries, k.block)
		} else {
			batches = append(batches, k.block)
		}
	}
	p.inPlace = InPlace{Keep: keep, Append: appendTail(make([]byte, pad), rc.version, rc.schema, dictionaries, batches, rc.metadata())}
}

// decodeLast decodes the last batch of a file of which only the headers were
// looked at, and the one before if it does not hold: a crash hurts the end.
func (rc *recoverer) decodeLast() error {
	rc.scattered = false
	defer func() { rc.scattered = true }()
	for n := len(rc.kept) - 1; n >= 0 && !rc.kept[n].dictionary; n-- {
		k := rc.kept[n]
		m, _, err := rc.messageAt(k.block.Offset)
		if err != nil {
			return err
		}
		c, err := rc.checkBody(m)
		var bad *reasonError
		if err == nil {
			rc.kept[n].clock = c.clock
			rc.rows -= k.rows
			rc.index--
			rc.clock = clockSpan{} // only what it shows of itself
			rc.suspect(m, c)
			rc.rows += k.rows
			rc.index++
			return nil
		} else if !errors.As(err, &bad) {
			return err
		}
		rc.kept = rc.kept[:n]
		rc.rows -= k.rows
		rc.index--
		rc.lose(m.at, m.end()-k.pad-m.at, true, k.rows, bad.Error())
	}
	return nil
}

// clocksAround reads the Clock of the batches beside the findings, where only
// headers were looked at.
func (rc *recoverer) clocksAround(i int) {
	if !rc.o.HeadersOnly || i < 0 || i >= len(rc.kept) || rc.kept[i].clock.ok || rc.kept[i].dictionary {
		return
	}
	clock := tickField(rc.schema, "Clock")
	if clock < 0 {
		return
	}
	m, _, err := rc.messageAt(rc.kept[i].block.Offset)
	if err != nil || m == nil {
		return // it was there a moment ago; the report does without
	}
	if c, err := rc.checker.check(rc, rc.schema, m, clock); err == nil {
		rc.kept[i].clock = c.clock
	}
}
