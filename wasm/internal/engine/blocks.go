package engine

import (
	"context"

	"github.com/oniscope/oniscope/shared/recording"
)

// The engine goes over a recording block by block. A block is a batch, or, where
// batches have very many rows, a stretch of one: of a batch of gigabytes only the rows
// that are looked at are read, and never more of a column than a block at once.

// blockRows are the rows of a stretch, of compressed batches blockRowsPacked: these are
// decoded from their beginning on. Batches of up to fewBlocks times as many rows are not
// cut. Changed by tests.
var blockRows, blockRowsPacked int64 = 1 << 18, 1 << 20

const fewBlocks = 4

// maxCut bounds how many batches are looked at for whether they are to be cut.
const maxCut = 1 << 12

// cut divides the batches into blocks, if some have very many rows.
func (s *openStream) cut(ctx context.Context) error {
	s.blocks = nil
	each := blockRows
	if s.compressed {
		each = blockRowsPacked
	}
	if s.reader.NumBatches() > maxCut || s.mostRows() <= fewBlocks*each {
		return nil
	}
	if err := s.reader.Index(ctx, nil); err != nil {
		return err
	}
	// Whole values of slower signals, and whole bytes of truth values.
	whole := int64(8)
	for _, stride := range s.strides {
		if stride < 1<<10 && whole%int64(stride) != 0 {
			whole *= int64(stride)
		}
		if whole > each/8 {
			whole = 8
			break
		}
	}
	each -= each % whole
	for i := range s.reader.NumBatches() {
		start, end, err := s.reader.BatchRange(i)
		if err != nil && !damaged(err) {
			return err
		}
		rows := end - start
		if err != nil || rows <= fewBlocks*each {
			s.blocks = append(s.blocks, recording.BatchRows{Batch: i})
			continue
		}
		for from := int64(0); from < rows; from += each {
			s.blocks = append(s.blocks, recording.BatchRows{Batch: i, From: from, To: min(rows, from+each)})
		}
	}
	s.perBatch = float64(each)
	return nil
}

// mostRows is how many rows the largest batch has; if not all are known, the first.
func (s *openStream) mostRows() int64 {
	most := int64(s.perBatch)
	if _, exact := s.reader.Rows(); !exact {
		return most
	}
	for i := range s.reader.NumBatches() {
		if start, end, err := s.reader.BatchRange(i); err == nil {
			most = max(most, end-start)
		}
	}
	return most
}

// numBlocks is how many blocks there are.
func (s *openStream) numBlocks() int {
	if s.blocks == nil {
		return s.reader.NumBatches()
	}
	return len(s.blocks)
}

// rowsIn says which rows of which batch a block is.
func (s *openStream) rowsIn(block int) recording.BatchRows {
	if s.blocks == nil {
		return recording.BatchRows{Batch: block}
	}
	return s.blocks[block]
}

func (s *openStream) rowsOfAll(blocks []int) []recording.BatchRows {
	list := make([]recording.BatchRows, len(blocks))
	for k, b := range blocks {
		list[k] = s.rowsIn(b)
	}
	return list
}

// blockRange is which rows of the recording a block has; the caller holds s.mu.
func (s *openStream) blockRange(block int) (start, end int64, err error) {
	in := s.rowsIn(block)
	if start, end, err = s.reader.BatchRange(in.Batch); err != nil || in.To == 0 {
		return start, end, err
	}
	return start + in.From, start + in.To, nil
}

// exactRows is how many rows a block has; the caller holds s.mu.
func (s *openStream) exactRows(block int) (int, error) {
	in := s.rowsIn(block)
	if in.To > 0 {
		return int(in.To - in.From), nil
	}
	rows, err := s.reader.RowsOf(in.Batch)
	return int(rows), err
}

// isCut reports whether a block is a stretch of a compressed batch: to read it, the
// column is decoded from its beginning, or from where that ended last.
func (s *openStream) isCut() bool { return s.blocks != nil && s.compressed }

// blockEnds is the Clock of the first and of the last row of a block; the caller holds
// s.mu. Where a Clock is decoded from its beginning, those of all blocks are kept.
func (s *openStream) blockEnds(block int) (first, last uint64, err error) {
	in := s.rowsIn(block)
	if in.To == 0 {
		return s.reader.ClockEnds(in.Batch)
	}
	if s.ends == nil {
		s.ends = map[int]endsOfBlock{}
	}
	if _, ok := s.ends[block]; !ok {
		wanted := []int{block}
		if s.compressed {
			wanted = wanted[:0]
			for b := range s.blocks {
				if s.blocks[b].Batch == in.Batch {
					wanted = append(wanted, b)
				}
			}
		}
		for _, b := range wanted {
			if err := s.readBlockEnds([]int{b}); err != nil {
				return 0, 0, err
			}
		}
	}
	e := s.ends[block]
	return e.first, e.last, e.err
}

// An endsOfBlock is the Clock of its first and of its last row.
type endsOfBlock struct {
	first, last uint64
	err         error // damage
}

func (s *openStream) readBlockEnds(blocks []int) error {
	ends, errs, err := s.reader.PeekClockEnds(s.rowsOfAll(blocks))
	if err != nil {
		return err
	}
	for k, b := range blocks {
		if errs[k] != nil && !damaged(errs[k]) {
			return errs[k]
		}
		s.ends[b] = endsOfBlock{ends[k][0], ends[k][1], errs[k]}
	}
	return nil
}

// loadBlockEnds reads together what blockEnds is going to be asked for; the caller
// holds s.mu.
func (s *openStream) loadBlockEnds(blocks []int) error {
	if s.blocks == nil {
		return s.reader.LoadClockEnds(blocks)
	}
	if s.clock < 0 || s.compressed {
		return nil
	}
	if s.ends == nil {
		s.ends = map[int]endsOfBlock{}
	}
	var cut, whole []int
	for _, b := range blocks {
		if in := s.blocks[b]; in.To == 0 {
			whole = append(whole, in.Batch)
		} else if _, ok := s.ends[b]; !ok {
			cut = append(cut, b)
		}
	}
	if err := s.reader.LoadClockEnds(whole); err != nil {
		return err
	}
	return s.readBlockEnds(cut)
}

// batchBroken is why a batch could not be read, if it could not.
func (s *openStream) batchBroken(batch int) error {
	if s.blocks == nil {
		return s.broken[batch]
	}
	for block, err := range s.broken {
		if s.rowsIn(block).Batch == batch {
			return err
		}
	}
	return nil
}

// peek reads a column of a block.
func (s *openStream) peek(block, column int) (*recording.Batch, error) {
	list, errs, err := s.reader.Peek([]recording.BatchRows{s.rowsIn(block)}, []int{column}, false)
	if err == nil {
		err = errs[0]
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}
