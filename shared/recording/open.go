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

// walk reads message after message from at, header by header, up to the first
// that does not hold, and says in a finding what is there instead.
func (r *Reader) walk(at int64) error {
	r.starts = append(r.starts, 0)
	first := true
	guess := int64(4096)
	legacy := false
	for {
		m, metaLength, stop, err := r.readMessage(at, guess, legacy)
		if err != nil {
			return err
		}
		if first {
			if err := r.takeSchema(at, metaLength, m, stop); err != nil {
				return err
			}
			legacy = stop.prefix == 4
			first = false
			at += metaLength + m.BodyLength
			continue
		}
		if stop.reason != "" {
			r.endWalk(at, stop)
			return nil
		}
		guess = metaLength + 8
		bodyAt := at + metaLength
		if m.Header == arrowipc.SchemaHeader {
			r.endWalk(at, stopped{reason: "a second schema begins here", damaged: true})
			return nil
		}
		end := m.Batch.DataEnd()
		if m.Header == arrowipc.RecordBatchHeader {
			i := len(r.batches)
			b := batchState{offset: at, metaLength: int32(metaLength), bodyLength: m.BodyLength}
			h, err := r.checkHeader(&b, m)
			switch {
			case err != nil:
				r.endWalk(at, stopped{reason: err.Error(), damaged: true})
				return nil
			case h == nil || end > r.size-bodyAt:
				r.endWalk(at, stopped{reason: fmt.Sprintf("the file ends inside batch %d: %d of its %d bytes are there", i, r.size-bodyAt, m.BodyLength), lostRows: m.Batch.Length, isBatch: true})
				return nil
			}
			r.batches = append(r.batches, b)
			r.starts = append(r.starts, r.starts[i]+b.rows)
			r.headers.put(i, h)
		} else if end > r.size-bodyAt {
			r.endWalk(at, stopped{reason: "the file ends inside a dictionary"})
			return nil
		}
		at = min(r.size, bodyAt+min(m.BodyLength, r.size-bodyAt)) // of the last batch only padding may be missing
	}
}

// takeSchema opens the file by the first message of a walk.
func (r *Reader) takeSchema(at, metaLength int64, m *arrowipc.Message, stop stopped) error {
	switch {
	case stop.end || stop.reason != "" && !stop.damaged:
		if r.format == "stream" {
			return fmt.Errorf("%w (an Arrow stream that ends before its schema)", ErrNoSchema)
		}
		return ErrNoSchema
	case stop.reason != "" && r.format == "stream":
		return ErrNotArrow
	case stop.reason != "":
		return &CorruptError{Offset: at, Batch: -1, Err: fmt.Errorf("%w: the schema cannot be read: %s", ErrDamaged, stop.reason)}
	case m.Header != arrowipc.SchemaHeader:
		return &CorruptError{Offset: at, Batch: -1, Err: fmt.Errorf("%w: a batch stands where the schema should", ErrDamaged)}
	case m.BodyLength > r.size-at-metaLength:
		return &CorruptError{Offset: at, Batch: -1, Err: ErrBounds}
	}
	return r.setSchema(m.Schema, m.Version)
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
func (r *Reader) readMessage(off, guess int64, legacy bool) (m *arrowipc.Message, metaLength int64, stop stopped, err error) {
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
	case length == 0 && (prefix == 8 || legacy && !r.zerosFrom(off)):
		return nil, 0, stopped{reason: "the footer is missing", end: true}, nil
	case length == 0:
		return nil, 0, stopped{reason: "zeros where a message should begin", damaged: true}, nil
	case length > maxMetadataBytes || prefix == 4 && length > 1<<24:
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
		return nil, 0, stopped{reason: err.Error(), damaged: true}, nil
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
	case stop.end && r.format == "stream" && f.Length == 8:
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
	end := int64(-1) // where the message before ends; -1: unknown
	if prefix, length, err := arrowipc.ParsePrefix(head[arrowipc.HeaderLength:]); err == nil && length > 0 && int64(length) < r.end-int64(prefix)-arrowipc.HeaderLength {
		if len(blocks) == 0 || blocks[0].Offset != arrowipc.HeaderLength { // some writers leave the schema to the footer
			end = arrowipc.HeaderLength + int64(prefix) + int64(length)
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
