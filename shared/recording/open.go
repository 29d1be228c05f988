package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

const (
	// tailBytes is what the first read of a file's end asks for: the whole
	// footer of a recording of minutes.
	tailBytes = 64 << 10
	// trailerBytes are the footer's length and the magic at the end.
	trailerBytes = int64(arrowipc.TrailerLength)
	// paddedHeader is where arrow-rs puts the first message: it pads the magic to
	// its alignment.
	paddedHeader = 64
)

// openFooter reads the footer. ok is false if there is none that can be read;
// what is wrong with it then is a finding.
func (r *Reader) openFooter(head []byte) (ok bool, err error) {
	if r.size < arrowipc.HeaderLength+trailerBytes {
		return false, nil
	}
	tailAt := max(0, r.size-tailBytes)
	tail, err := r.readAt(tailAt, r.size-tailAt, &r.read.Metadata)
	if err != nil {
		return false, err
	}
	trailer := tail[int64(len(tail))-trailerBytes:]
	if !bytes.HasSuffix(trailer, []byte(arrowipc.Magic)) {
		return false, nil
	}
	length := int64(int32(binary.LittleEndian.Uint32(trailer)))
	at := r.size - trailerBytes - length
	if length <= 0 || at < arrowipc.HeaderLength {
		r.find(Finding{Offset: r.size - trailerBytes, Length: trailerBytes, Batch: -1, Severity: "error",
			Reason: fmt.Sprintf("the footer claims %d bytes, which are not there", length)})
		return false, nil
	}
	raw := tail[:int64(len(tail))-trailerBytes]
	if at >= tailAt {
		raw = raw[at-tailAt:]
	} else {
		more, err := r.readAt(at, tailAt-at, &r.read.Metadata)
		if err != nil {
			return false, err
		}
		raw = append(more, raw...)
	}
	f, err := arrowipc.ParseFooter(raw)
	if err != nil {
		r.find(Finding{Offset: at, Length: r.size - at, Batch: -1, Severity: "error", Reason: err.Error()})
		return false, nil
	}
	if err := r.setSchema(&f.Schema, f.Version); err != nil {
		return false, err
	}
	r.footer, r.end = true, at
	r.batches = make([]batchState, len(f.Batches))
	for i, b := range f.Batches {
		r.batches[i] = batchState{offset: b.Offset, metaLength: b.MetaLength, bodyLength: b.BodyLength}
	}
	r.starts = append(r.starts, 0)
	r.dictionaries.footer(f)
	r.metadata = f.Metadata
	r.findUnlisted(f, head)
	return true, nil
}

// walkFile looks for the first message of a file without a footer and walks.
func (r *Reader) walkFile(head []byte) error {
	at := int64(arrowipc.HeaderLength)
	if len(head) == paddedHeader && r.size > paddedHeader && len(bytes.Trim(head[at:], "\x00")) == 0 {
		at = paddedHeader
	}
	return r.walk(at)
}

// walk reads message after message from at, header by header. Where one does
// not hold it says in a finding what is there instead and goes on behind.
func (r *Reader) walk(at int64) error {
	r.starts = append(r.starts, 0)
	r.budget, r.suspicion = 2*r.size+1<<16, 16*r.size+1<<26
	first, framing := true, 0 // bytes before the metadata; 0: not known yet
	guess := int64(4096)
	for n := 0; ; n++ {
		if n%64 == 0 {
			if err := r.step(at); err != nil {
				return err
			}
		}
		m, metaLength, stop, err := r.readMessage(at, guess, framing)
		if err != nil {
			return err
		}
		if first {
			first, framing = false, stop.prefix
			if next, err := r.takeUnframed(at, stop); err != nil {
				return err
			} else if next >= 0 {
				at, framing = next, 0
				continue
			}
			next, err := r.takeSchema(at, metaLength, m, stop)
			if err != nil {
				return err
			}
			at = next
			continue
		}
		if stop.reason == "" {
			guess = metaLength + 8
			next := int64(0)
			if next, stop = r.takeMessage(at, metaLength, m); stop.reason == "" {
				at = next
				continue
			}
		}
		next, err := r.resync(at, stop, framing == 4)
		if err != nil || next < 0 {
			return err
		}
		at = next
	}
}

// takeMessage takes over what one message tells and returns where the next one
// begins.
func (r *Reader) takeMessage(at, metaLength int64, m *arrowipc.Message) (next int64, stop stopped) {
	if m.Header == arrowipc.SchemaHeader {
		return 0, stopped{reason: "a second schema begins here", damaged: true}
	}
	bodyAt := at + metaLength
	end := m.Batch.DataEnd()
	if m.Header == arrowipc.RecordBatchHeader {
		i := len(r.batches)
		b := batchState{offset: at, metaLength: int32(metaLength), bodyLength: m.BodyLength}
		h, err := r.checkHeader(&b, m)
		switch {
		case err != nil:
			return 0, stopped{reason: err.Error(), damaged: true}
		case h == nil || end > r.size-bodyAt:
			return 0, stopped{reason: fmt.Sprintf("the file ends inside batch %d: %d of its %d bytes are there", i, r.size-bodyAt, m.BodyLength), lostRows: m.Batch.Length, isBatch: true}
		}
		r.batches = append(r.batches, b)
		r.starts = append(r.starts, r.starts[i]+b.rows)
		r.headers.put(i, h)
	} else if end > r.size-bodyAt {
		return 0, stopped{reason: "the file ends inside a dictionary"}
	} else {
		r.dictionaries.message(at, metaLength, m)
	}
	return bodyAt + min(m.BodyLength, r.size-bodyAt), stopped{} // of the last batch only padding may be missing
}

// takeSchema opens the file by the first message of a walk, and returns where
// the next one begins.
func (r *Reader) takeSchema(at, metaLength int64, m *arrowipc.Message, stop stopped) (next int64, err error) {
	whole := stop.reason == "" && m.Header == arrowipc.SchemaHeader && m.BodyLength <= r.size-at-metaLength
	other := r.open.SchemaFrom
	switch {
	case whole:
		return at + metaLength + m.BodyLength, r.setSchema(m.Schema, m.Version)
	case other != nil:
		r.find(Finding{Offset: at, Length: 0, Batch: -1, Severity: "warning", Reason: "no schema in front of the batches: taken from another file"})
		return at, r.setSchema(&other.schema, other.version)
	case stop.end || stop.reason != "" && !stop.damaged:
		if r.format == "stream" {
			return 0, fmt.Errorf("%w (an Arrow stream that ends before its schema)", ErrNoSchema)
		}
		return 0, ErrNoSchema
	case stop.reason != "" && r.format == "stream":
		return 0, ErrNotArrow
	case stop.reason != "":
		return 0, &CorruptError{Offset: at, Batch: -1, Err: fmt.Errorf("%w: the schema cannot be read: %s", ErrDamaged, stop.reason)}
	case m.Header != arrowipc.SchemaHeader:
		return 0, &CorruptError{Offset: at, Batch: -1, Err: fmt.Errorf("%w: a batch stands where the schema should", ErrDamaged)}
	}
	return 0, &CorruptError{Offset: at, Batch: -1, Err: ErrBounds}
}

// resync goes on where a walk stopped at at: at the next message that the scan
// finds, of which only header and bounds are looked at. What lies between is a
// finding. next is -1 if there is none.
func (r *Reader) resync(at int64, stop stopped, legacy bool) (next int64, err error) {
	begin, last := at, len(r.batches)-1
	if last >= 0 && !stop.end && r.suspicion >= 0 {
		begin = r.batches[last].offset + 8 // bytes may be missing in the batch before
	}
	if stop.end { // a footer behind the mark proves it; what is behind that was there before
		end, err := trailerBehind(r.readInto, r.size, at+8)
		if err != nil {
			return -1, err
		}
		if end >= 0 || r.size-at <= 8 {
			begin = r.size
		}
	}
	begin = max(begin, r.resynced+1) // what was found there did not hold
	var hit *message
	if !legacy && begin < r.size {
		if hit, err = r.scan(begin); err != nil {
			return -1, err
		}
	}
	if hit == nil {
		r.endWalk(at, stop)
		return -1, nil
	}
	f := Finding{Offset: at, Length: hit.at - at, Batch: -1, Severity: "error", LostRows: -1, Reason: stop.reason}
	if hit.at < at {
		b := &r.batches[last]
		f = Finding{Offset: b.offset, Length: hit.at - b.offset, Batch: -1, Severity: "error", LostRows: b.rows,
			Reason: fmt.Sprintf("%d of the bytes of a batch are missing: the next message begins before it ends", at-hit.at)}
		r.batches, r.starts = r.batches[:last], r.starts[:last+1]
		r.headers.drop(last)
	}
	r.find(f)
	r.dictionaries.gaps = append(r.dictionaries.gaps, f.Offset)
	r.resynced = hit.at
	return hit.at, nil
}

// readInto fills p from off while the file is opened.
func (r *Reader) readInto(p []byte, off int64) error {
	if err := r.step(off); err != nil {
		return err
	}
	return r.readFull(p, off, &r.read.Metadata)
}

// scan returns the first message from from on that fits the schema and lies
// inside the file, or nil.
func (r *Reader) scan(from int64) (*message, error) {
	s := scanner{size: r.size, budget: &r.budget}
	s.readAt = func(p []byte, off int64) error {
		r.suspicion -= int64(len(p))
		return r.readInto(p, off)
	}
	s.accept = func(m *message) (bool, error) {
		return m.Header != arrowipc.SchemaHeader && fits(&r.schema, m) && m.dataEnd() <= r.size, nil
	}
	return s.next(from, r.size)
}

// stopped says why a walk ends at a message.
type stopped struct {
	prefix   int // bytes before the metadata, also when the walk goes on
	reason   string
	damaged  bool // else: the end is missing, nothing that is there is wrong
	end      bool // the end mark, or the end of the file between messages
	isBatch  bool
	lostRows int64
}

// readMessage reads the metadata of the message at off. guess is how many
// bytes it may have. Without a message there, stop has a reason.
func (r *Reader) readMessage(off, guess int64, framing int) (m *arrowipc.Message, metaLength int64, stop stopped, err error) {
	rest := r.size - off
	if rest == 0 {
		return nil, 0, stopped{reason: "the file ends without end mark and footer", end: true}, nil
	}
	p, err := r.readAt(off, min(rest, max(guess, 8)), &r.read.Metadata)
	if err != nil {
		return nil, 0, stop, err
	}
	prefix, length, err := arrowipc.ParsePrefix(p)
	stop.prefix = prefix
	if err == nil && prefix == 4 && rest < 8 && length != 0 || err != nil && rest < 8 {
		return nil, 0, stopped{reason: fmt.Sprintf("the file ends inside the first %d bytes of a message", rest)}, nil
	}
	metaLength = int64(prefix) + int64(length)
	switch {
	case err != nil:
		return nil, 0, stopped{reason: err.Error(), damaged: true}, nil
	case length == 0 && (prefix == 8 || framing == 4 && !r.zerosFrom(off)):
		return nil, 0, stopped{prefix: prefix, reason: "the footer is missing", end: true}, nil
	case length == 0:
		return nil, 0, stopped{reason: "zeros where a message should begin", damaged: true}, nil
	case length > maxMetadataBytes || prefix == 4 && (length > 1<<24 || framing == 8):
		return nil, 0, stopped{reason: fmt.Sprintf("no message begins here: it would have %d bytes of metadata", length), damaged: true}, nil
	case metaLength > rest:
		return nil, 0, stopped{reason: fmt.Sprintf("the file ends inside the metadata of a message: %d of %d bytes are there", rest, metaLength)}, nil
	}
	if metaLength > int64(len(p)) {
		more, err := r.readAt(off+int64(len(p)), metaLength-int64(len(p)), &r.read.Metadata)
		if err != nil {
			return nil, 0, stop, err
		}
		p = append(p, more...)
	}
	m, err = arrowipc.ParseMessage(p[prefix:metaLength])
	if err != nil {
		return nil, 0, stopped{prefix: prefix, reason: err.Error(), damaged: true}, nil
	}
	return m, metaLength, stop, nil
}

// zerosFrom reports whether the file holds 16 or more bytes from off on and
// the first 64 of them are zeros: a preallocated or lost tail.
func (r *Reader) zerosFrom(off int64) bool {
	p, err := r.readAt(off, min(64, r.size-off), &r.read.Metadata)
	return err == nil && len(p) >= 16 && len(bytes.Trim(p, "\x00")) == 0
}

func (r *Reader) endWalk(at int64, stop stopped) {
	f := Finding{Offset: at, Length: r.size - at, Batch: -1, Severity: "warning", Reason: stop.reason, LostRows: stop.lostRows, BeforeRow: r.starts[len(r.starts)-1]}
	switch {
	case stop.end && r.format == "stream" && (f.Length == 8 || stop.prefix == 4 && f.Length == 4):
		r.footer = true // the end mark is all that a stream has
		return
	case stop.end:
		f.Severity = "info"
	case stop.damaged:
		f.Severity, f.LostRows = "error", -1
	case !stop.isBatch:
		f.LostRows = -1
	}
	if stop.isBatch {
		f.Batch = len(r.batches)
	}
	r.find(f)
}

// findUnlisted looks for room between schema, blocks and footer in which
// messages may lie that the footer does not list. head is the file's begin.
func (r *Reader) findUnlisted(f *arrowipc.Footer, head []byte) {
	blocks := sortedBlocks(f)
	first := r.end
	if len(blocks) > 0 {
		first = blocks[0].Offset
	}
	end := int64(-1) // where the message before ends; -1: unknown
	if prefix, length, err := arrowipc.ParsePrefix(head[arrowipc.HeaderLength:]); err == nil && length > 0 && int64(length) < r.end-int64(prefix)-arrowipc.HeaderLength {
		if len(blocks) == 0 || blocks[0].Offset != arrowipc.HeaderLength { // some writers leave the schema to the footer
			end = arrowipc.HeaderLength + int64(prefix) + int64(length)
		}
		if prefix == 4 && r.unframedBefore(f, first) {
			end = first
		}
	}
	for _, b := range append(blocks, arrowipc.Block{Offset: r.end}) {
		if end >= 0 && b.Offset-end > 2*bodyAlign {
			r.find(Finding{Offset: end, Length: b.Offset - end, Batch: -1, Severity: "error", LostRows: -1,
				Reason: fmt.Sprintf("%d bytes between messages that the footer does not list", b.Offset-end)})
		}
		length := int64(b.MetaLength)
		if b.BodyLength > r.end || b.Offset > r.end-length-b.BodyLength {
			end = -1 // outside the file; found when its header is read
			continue
		}
		end = max(end, b.Offset+length+b.BodyLength)
	}
}

// find keeps a finding; one a batch.
func (r *Reader) find(f Finding) {
	if f.Batch >= 0 && f.Batch < len(r.batches) {
		if r.batches[f.Batch].found {
			return
		}
		r.batches[f.Batch].found = true
	}
	f.Reason = plainReason(f.Reason)
	r.findings = append(r.findings, f)
}

// corrupt keeps damage of a batch as a finding and returns it as the error.
func (r *Reader) corrupt(batch int, offset int64, cause error) error {
	b := &r.batches[batch]
	if !errors.Is(cause, ErrBounds) && !errors.Is(cause, ErrDamaged) {
		cause = fmt.Errorf("%w: %w", ErrDamaged, cause)
	}
	lost := int64(-1)
	if b.checked {
		lost = b.rows
	}
	length := max(0, min(r.end-b.offset, int64(b.metaLength)+min(b.bodyLength, r.end)))
	r.find(Finding{Offset: b.offset, Length: length, Batch: batch, Severity: "error", Reason: cause.Error(), LostRows: lost})
	return &CorruptError{Offset: offset, Batch: batch, Err: cause}
}
