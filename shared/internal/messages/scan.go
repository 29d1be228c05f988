package messages

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// How the scan works. Since Arrow 0.15 a message begins with FFFFFFFF and the
// length of its metadata. So a word of 8 bytes, masked, excludes nearly every
// place where none begins; what is left is compared with the flatbuffer's first
// tables, then parsed whole, then against the schema, and at last against its
// own body: a place is a message only if all of it is valid. Writers put messages
// at multiples of 8, but where bytes were taken out or put in they are no
// longer there: every place is tried.

const (
	// markerMask and marker: the bytes FF FF FF FF and a length that is a
	// multiple of 8 below MaxMetadataBytes, as one little-endian word.
	markerMask = uint64((MaxMetadataBytes-1)^0xFFFFFFFF|7)<<32 | 0xFFFFFFFF
	marker     = uint64(0xFFFFFFFF)

	scanWindow  = 1 << 20 // bytes a read, and of memory
	firstWindow = 8 << 10 // of the first read: the next message may be near
	// scanAhead is how far after the last place of a window the window
	// reaches: the root of a message lies in it.
	scanAhead = 4 << 10
)

// A scanner looks for messages where nothing says that one begins.
type scanner struct {
	readAt func(p []byte, off int64) error
	size   int64 // of the file

	// accept decides whether a well-formed message is one of this file.
	accept func(m *Message) (bool, error)
	// budget is how many bytes of metadata may still be parsed on
	// suspicion, so that no file makes the same bytes be read over and
	// over. Below 0, the scan has given up.
	budget *int64

	window []byte
	at     int64 // where the scan is
}

// next returns the first message that begins in [from, to) and is accepted, or
// nil.
//
// In each window it looks at multiples of 8 first. That is five times as fast,
// and the other places need to be tried only before the message that was found
// there. So every byte is read once: what a killed recorder leaves of a batch may
// be a hundred megabytes.
func (s *scanner) next(from, to int64) (*Message, error) {
	to = min(to, s.size-16)
	step := int64(firstWindow)
	for s.at = from; s.at < to; step = min(4*step, scanWindow) {
		s.at &^= 7
		places := min(step, to-s.at) // where a message may begin
		s.window = grown(s.window, min(places+scanAhead, s.size-s.at))
		if err := s.readAt(s.window, s.at); err != nil {
			return nil, err
		}
		lo := int(max(0, from-s.at))
		first, err := s.pass(lo, places, nextAligned)
		if err != nil || *s.budget < 0 {
			return nil, err
		}
		before := places
		if first != nil {
			before = first.At - s.at
		}
		m, err := s.pass(lo, before, nextMarker)
		if err != nil {
			return nil, err
		}
		if m == nil {
			m = first
		}
		if m != nil || *s.budget < 0 {
			return m, nil
		}
		s.at += places
	}
	return nil, nil
}

// pass tries the places of the window from lo on, and below places, that next
// names.
func (s *scanner) pass(lo int, places int64, next func(p []byte, from int) int) (*Message, error) {
	for i := next(s.window, lo); i >= 0 && int64(i) < places; i = next(s.window, i+1) {
		if !plausible(s.window[i:]) {
			continue
		}
		m, err := s.messageAt(s.window, i)
		if err != nil || *s.budget < 0 {
			return nil, err
		}
		if m == nil {
			continue
		}
		if ok, err := s.accept(m); ok || err != nil {
			return m, err
		}
	}
	return nil, nil
}

// isMarker reports whether p begins with a marker and a length above 0: that
// would be an end mark.
func isMarker(p []byte) bool {
	w := binary.LittleEndian.Uint64(p)
	return w&markerMask == marker && w != marker
}

// nextAligned returns the first multiple of 8, from or more, at which p holds
// a marker, or -1.
func nextAligned(p []byte, from int) int {
	i := (from + 7) &^ 7
	for ; i+64 <= len(p); i += 64 {
		q := (*[64]byte)(p[i:])
		if binary.LittleEndian.Uint64(q[0:])&markerMask != marker &&
			binary.LittleEndian.Uint64(q[8:])&markerMask != marker &&
			binary.LittleEndian.Uint64(q[16:])&markerMask != marker &&
			binary.LittleEndian.Uint64(q[24:])&markerMask != marker &&
			binary.LittleEndian.Uint64(q[32:])&markerMask != marker &&
			binary.LittleEndian.Uint64(q[40:])&markerMask != marker &&
			binary.LittleEndian.Uint64(q[48:])&markerMask != marker &&
			binary.LittleEndian.Uint64(q[56:])&markerMask != marker {
			continue
		}
		for k := 0; k < 64; k += 8 {
			if isMarker(q[k:]) {
				return i + k
			}
		}
	}
	for ; i+8 <= len(p); i += 8 {
		if isMarker(p[i:]) {
			return i
		}
	}
	return -1
}

// nextMarker returns the first i >= from at which p holds a marker, or -1.
//
// Every four bytes FF in a row hold one at 3 modulo 4 of the words that the
// loop looks at; these begin at 7 modulo 8, so that it is the low byte of an
// int16, which is seldom FF, while the high byte of every other small sample
// is.
func nextMarker(p []byte, from int) int {
	const low, ones, high = 0x7F7F7F7F7F7F7F7F, 0x0101010101010101, 0x8080808080808080
	i := from
	for ; i < 7 && i+8 <= len(p); i++ {
		if isMarker(p[i:]) {
			return i
		}
	}
	for i = max(7, (i+1)&^15-1); i+32 <= len(p); i += 16 {
		q := (*[32]byte)(p[i:])
		w, x := binary.LittleEndian.Uint64(q[0:]), binary.LittleEndian.Uint64(q[8:])
		if w>>56 != 0xFF && byte(w>>24) != 0xFF && x>>56 != 0xFF && byte(x>>24) != 0xFF {
			continue
		}
		y := binary.LittleEndian.Uint64(q[16:])
		if w&x&y == 1<<64-1 {
			continue // a marker ends in a byte that is not FF
		}
		// A bit for every byte that is FF, then for every four of them.
		f, g, h := (w&low+ones)&w&high, (x&low+ones)&x&high, (y&low+ones)&y&high
		f &= f>>8 | g<<56
		f &= f>>16 | (g&(g>>8))<<48
		g &= g>>8 | h<<56
		g &= g>>16 | (h&(h>>8))<<48
		if f|g == 0 {
			continue
		}
		for k := max(0, from-i); k < 16; k++ {
			if isMarker(q[k:]) {
				return i + k
			}
		}
	}
	for i = max(i, from); i+8 <= len(p); i++ {
		if isMarker(p[i:]) {
			return i
		}
	}
	return -1
}

// plausible looks at the first tables after the marker with which p begins:
// the root, its list of fields, and the kind of message. It says yes where
// the latter two are after the end of p.
//
// Source: FlatBuffers internals ("Tables"); Message.fbs for the fields:
// version, header type, header, bodyLength, custom_metadata.
func plausible(p []byte) bool {
	length := uint64(binary.LittleEndian.Uint32(p[4:]))
	if length < 16 || len(p) < 16 {
		return false
	}
	p = p[8:]
	root := uint64(binary.LittleEndian.Uint32(p))
	if root < 4 || root%4 != 0 || root > length-4 || root > scanAhead-16 {
		return false // builders write back to front: the root comes first
	}
	if root+4 > uint64(len(p)) {
		return false // the file ends here
	}
	fields := int64(root) - int64(int32(binary.LittleEndian.Uint32(p[root:])))
	if fields < 4 || fields%2 != 0 || uint64(fields) > length-4 {
		return false
	}
	if fields+10 > int64(len(p)) {
		return true
	}
	if n := binary.LittleEndian.Uint16(p[fields:]); n < 10 || n > 64 || n%2 != 0 {
		return false
	}
	version, kind, header := int16(0), byte(0), binary.LittleEndian.Uint16(p[fields+8:])
	at := func(slot int64) uint64 { // 0: absent
		if offset := uint64(binary.LittleEndian.Uint16(p[fields+4+2*slot:])); offset > 0 {
			return root + offset
		}
		return 0
	}
	if i := at(0); i > 0 {
		if i+2 > uint64(len(p)) {
			return true
		}
		version = int16(binary.LittleEndian.Uint16(p[i:]))
	}
	if i := at(1); i > 0 {
		if i >= uint64(len(p)) {
			return true
		}
		kind = p[i]
	}
	return header > 0 && version >= arrowipc.V4 && version <= arrowipc.V5 &&
		kind >= byte(arrowipc.SchemaHeader) && kind <= byte(arrowipc.RecordBatchHeader)
}

// messageAt parses the message after the marker at p[i], which is byte s.at+i
// of the file; nil if there is none.
func (s *scanner) messageAt(p []byte, i int) (*Message, error) {
	at, length := s.at+int64(i), int64(binary.LittleEndian.Uint32(p[i+4:]))
	if length > s.size-at-8 {
		return nil, nil
	}
	if *s.budget -= length; *s.budget < 0 {
		return nil, nil
	}
	metadata := p[min(i+8, len(p)):]
	if int64(len(metadata)) < length {
		metadata = make([]byte, length)
		if err := s.readAt(metadata, at+8); err != nil {
			return nil, err
		}
	}
	m, err := arrowipc.ParseMessage(metadata[:length])
	if err != nil || m.BodyLength%8 != 0 || m.BodyLength > maxBody {
		return nil, nil
	}
	return &Message{Message: m, At: at, Prefix: 8, Length: 8 + length}, nil
}
