package recording

// PeekBatch is ReadBatch for who does not need row numbers: it reads no header
// but that of batch i, so that a look into the middle of a long recording costs
// what a look at its beginning does. Start of the batch is -1 unless the
// headers before it have been read already.
func (r *Reader) PeekBatch(i int, columns []int) (*Batch, error) {
	h, err := r.header(i)
	if err != nil {
		return nil, err
	}
	start := int64(-1)
	if i < len(r.starts)-1 {
		start = r.starts[i]
	}
	b, err := r.readRows(i, 0, 0, h.batch.Length, columns)
	if err != nil {
		return nil, err
	}
	b.Start = start
	return b, nil
}

// ClockEnds returns the Clock of the first and of the last row of batch i,
// reading no more than its header and these two values where the column is
// plain. It returns a *CorruptError if they cannot be had.
func (r *Reader) ClockEnds(i int) (first, last uint64, err error) {
	ends, err := r.clockEnds(i)
	return ends[0], ends[1], err
}

// Format returns "file" or "stream".
func (r *Reader) Format() string { return r.format }
