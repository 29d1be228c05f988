package stream

// CodeRange returns the least and greatest code that the ADC of column i
// can give, or that its type can hold; ok is false for columns that do not hold
// 16-bit codes. An unsigned code whose zero lies at a power of two goes as far
// up as down.
//
// Source: onix-devices 3.17 (10 bits of Neuropixels 1.0), 9.3 (offsets).
func (s Stream) CodeRange(i int) (least, greatest int64, ok bool) {
	c := &s.Columns[i]
	switch c.Type {
	case Int16:
		return -1 << 15, 1<<15 - 1, true
	case Uint16:
		if c.Scale != 0 && c.Offset == float64(int64(c.Offset)) && c.Offset >= 1<<8 && c.Offset <= 1<<15 && int64(c.Offset)&(int64(c.Offset)-1) == 0 {
			return 0, 2*int64(c.Offset) - 1, true
		}
		if group, _, _ := groupOf(c.Name); group == "AP" || group == "LFP" {
			return 0, neuropixelsOneCodes - 1, true
		}
		return 0, 1<<16 - 1, true
	}
	return 0, 0, false
}

// neuropixelsOneCodes is how many codes the 10-bit ADCs of Neuropixels 1.0
// have.
const neuropixelsOneCodes = 1 << 10
