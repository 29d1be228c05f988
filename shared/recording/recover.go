package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// How Recover works. The messages of a file say where they end, so it walks
// from one to the next, decodes every batch, and keeps those that hold. Where
// that chain breaks it goes on at the next place at which a message stands: a
// scan of the bytes finds it, or the footer names it, whichever is nearer.
// Footer and messages are claims alike: what validates is believed.

const (
	maxMetadataBytes = 64 << 20 // of one message; a header of 1540 buffers takes 40 kB
	maxPadding       = 64       // behind the last buffer of a body: writers align to 8 or 64
	tailWindow       = 1 << 20  // how far behind a footer rubbish may reach for the footer to be found from the end
	maxCutHeader     = 1 << 20  // bytes at the end that may be the beginning of a header

	// maxFooterBytes is of 24 bytes a batch and the schema: ten million
	// batches of a wide table stay below it.
	maxFooterBytes = 256 << 20
)

// RecoverOptions say what a report calls its files, and let a caller follow
// and end a long recovery.
type RecoverOptions struct {
	Name   string // of the input
	Output string // of the output

	// SchemaFrom is another file of the same stream: its schema is taken if
	// this one has none that can be read, neither in front nor in a footer.
	SchemaFrom *Reader
	// HeadersOnly believes bodies that lie inside the file, without reading
	// them: only the last batch, which a crash hurts, is decoded. The cost is
	// that of the headers.
	HeadersOnly bool
	// Salvage names the columns of which rows are wanted of a last batch that
	// the end of the file cuts: names, globs, or "all".
	Salvage []string
	// Stream makes the output an Arrow stream: only that can hold a dictionary
	// that is replaced in the middle.
	Stream bool

	// Yield is called every few megabytes, and between batches, which may be
	// thousands of times a second: it looks at the clock itself. An error
	// ends the recovery, which returns it.
	Yield func() error
	// Progress tells how many bytes of the input have been examined.
	Progress func(done, total int64)
}

// Recover examines every byte of a file and plans a whole one from what is
// intact in it.
//
// It returns a *RecoverError if nothing is, and the error itself if reading or
// Yield failed. r is never written to. Memory is bounded by the largest
// column of one batch.
//
// Source: spec "Words with exact meaning"; FORMAT.md says what counts as
// intact.
func Recover(r io.ReaderAt, size int64, o RecoverOptions) (*Plan, error) {
	rc := newRecoverer(r, size, o)
	err := rc.examine()
	if err == nil && o.HeadersOnly {
		err = rc.decodeLast()
	}
	if err != nil {
		return nil, rc.failed(err)
	}
	return rc.plan()
}

func newRecoverer(r io.ReaderAt, size int64, o RecoverOptions) *recoverer {
	rc := &recoverer{r: r, size: size, o: o, budget: 2*size + 1<<16, suspicion: 16*size + 1<<26, dictionaries: map[int64]int64{},
		report: Report{Input: o.Name, Output: o.Output, Damage: []Finding{}}}
	rc.scattered = o.HeadersOnly
	rc.scanner = scanner{readAt: rc.readWindow, size: size, accept: rc.accept, budget: &rc.budget}
	return rc
}

// examine judges every byte.
func (rc *recoverer) examine() error {
	if err := rc.findEnds(); err != nil {
		return err
	}
	if len(rc.o.Salvage) > 0 {
		if _, err := rc.wantedColumns(); err != nil {
			return err
		}
	}
	if err := rc.laterDictionaries(); err != nil {
		return err
	}
	if err := rc.walk(); err != nil {
		return err
	}
	before := len(rc.findings)
	err := rc.tail()
	for i := before; i < len(rc.findings); i++ {
		rc.findings[i].end = true
	}
	return err
}

// A recoverer is one run of Recover.
type recoverer struct {
	r    io.ReaderAt
	size int64
	o    RecoverOptions

	magic     bool             // the file begins with it
	stream    bool             // it is an Arrow stream
	unframed  bool             // the schema in front stands without marker and length
	replaced  bool             // a dictionary is replaced in the middle
	blind     bool             // bytes are lost that may have been a dictionary
	doubted   bool             // that was told
	said      bool             // why the search ended was told
	schema    *arrowipc.Schema // believed
	version   int16
	schemaAt  int64
	schemaEnd int64 // end of the schema message that stands and is believed; 0: none

	footer    *arrowipc.Footer // nil: none
	footerAt  int64
	footerEnd int64
	allBlocks []arrowipc.Block // of the footer, in file order, those that can be
	blocks    []arrowipc.Block // of these, what is not behind yet

	pos          int64  // of the next message
	prefix       int    // of all messages: 8, or 4 of a writer before Arrow 0.15; 0: not known yet
	kept         []kept // in file order
	index        int    // of the next record batch, kept or lost
	ended        bool   // pos is behind an end mark
	dictionaries map[int64]int64
	listed       int       // batches in the footer
	unlisted     int       // blocks of the footer that are not kept
	judged       int64     // losses are told up to here
	rows         int64     // kept
	clock        clockSpan // of the last batch kept that has one
	footerMagic  bool
	budget       int64 // bytes of metadata that may still be looked at on suspicion
	suspicion    int64 // bytes of bodies, decoded, that may still be checked on suspicion
	spent        int64 // bytes read and decoded
	last         *judged
	memo         memo
	scanner      scanner
	torn         *message // a batch that the scan found and the end of the file cuts

	salvage  *salvage // nil: none
	report   Report
	findings []located
	checker  checker
	verifier *verifier // sees all that is checked; nil: nobody asks
	worked   int64     // bytes since the last yield

	window    []byte
	windowAt  int64
	scattered bool // reads jump about: no window
}

// A kept is a message that goes into the output.
type kept struct {
	block      arrowipc.Block // where it stands in the input
	pad        int64          // zeros that the input lacks behind it
	dictionary bool
	rows       int64
	clock      clockSpan
	plain      bool // nothing in its body can be checked
}

// A located finding is one whose rows and ticks around it are told at the end.
type located struct {
	Finding
	batch bool  // one batch: its rows may be guessed
	skip  bool  // its bytes are neither kept nor an old footer
	fixed bool  // rows and ticks are known already
	end   bool  // what is missing at the end of the file
	body  int64 // of a batch that only the footer knows: its length, else 0
}

func (rc *recoverer) failed(err error) error {
	var reason *reasonError
	if !errors.As(err, &reason) {
		return err // reading failed, or the caller ended it
	}
	rc.finishReport()
	rc.report.Outcome = Failed
	return &RecoverError{Report: rc.report, Err: reason.error}
}

// A reasonError is why there is nothing to recover, as against why it could
// not be tried.
type reasonError struct{ error }

// windowBytes is how much one read asks for: a browser takes a millisecond for
// a read of any size below that, and a batch has a thousand buffers.
const windowBytes = 4 << 20

// readAt fills p from offset off.
func (rc *recoverer) readAt(p []byte, off int64) error {
	if w := rc.inWindow(int64(len(p)), off); w != nil {
		copy(p, w)
		return rc.work(int64(len(p)))
	}
	n, err := rc.r.ReadAt(p, off)
	if n == len(p) {
		return rc.work(int64(n))
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("recording: reading %d bytes at %d: %w", len(p), off, err)
}

// readWindow fills p without the window of readAt.
func (rc *recoverer) readWindow(p []byte, off int64) error {
	scattered := rc.scattered
	rc.scattered = true
	err := rc.readAt(p, off)
	rc.scattered = scattered
	return err
}

// view is readAt without a copy where it can: the bytes are valid until the
// next read, or lie in buf.
func (rc *recoverer) view(n, off int64, buf *[]byte) ([]byte, error) {
	if w := rc.inWindow(n, off); w != nil {
		return w, rc.work(n)
	}
	*buf = grown(*buf, n)
	return *buf, rc.readAt(*buf, off)
}

// inWindow returns n bytes from off as a part of the window, nil if they are
// better read by themselves. Reads go forward through the file mostly, so a
// window is read and the next reads are served from it.
func (rc *recoverer) inWindow(n, off int64) []byte {
	if w := off - rc.windowAt; w >= 0 && w+n <= int64(len(rc.window)) {
		return rc.window[w : w+n]
	}
	if ahead := min(windowBytes, rc.size-off); !rc.scattered && n < ahead {
		rc.window, rc.windowAt = grown(rc.window, ahead), off
		if got, _ := rc.r.ReadAt(rc.window, off); int64(got) == ahead {
			return rc.window[:n]
		}
		rc.window = rc.window[:0] // what cannot be read may lie behind these bytes
	}
	return nil
}

// work counts bytes and yields every few megabytes.
func (rc *recoverer) work(n int64) error {
	rc.spent += n
	if rc.worked += n; rc.worked < 4<<20 {
		return nil
	}
	return rc.yield()
}

func (rc *recoverer) yield() error {
	rc.worked = 0
	if rc.o.Progress != nil {
		rc.o.Progress(min(rc.size, max(rc.pos, rc.scanner.at)), rc.size)
	}
	if rc.o.Yield != nil {
		return rc.o.Yield()
	}
	return nil
}

// findEnds finds schema and footer and decides which schema to believe.
func (rc *recoverer) findEnds() error {
	if rc.size == 0 {
		return &reasonError{ErrEmpty}
	}
	head := make([]byte, min(rc.size, arrowipc.HeaderLength))
	if err := rc.readAt(head, 0); err != nil {
		return err
	}
	rc.magic = bytes.HasPrefix(head, []byte(arrowipc.Magic))
	if err := rc.findFooter(); err != nil {
		return err
	}
	front, err := rc.frontSchema()
	if err != nil {
		return err
	}
	if front == nil {
		if ok, err := rc.believeUnframed(); ok || err != nil {
			return err
		}
	}
	switch {
	case front == nil && rc.footer == nil && rc.o.SchemaFrom != nil:
		return rc.believeOther()
	case front == nil && rc.footer == nil:
		if _, stands, err := rc.messageAt(arrowipc.HeaderLength); err != nil {
			return err
		} else if rc.magic && (stands == noMessage || stands == zeros) {
			return &reasonError{ErrSchemaLost}
		}
		if rc.magic || bytes.HasPrefix([]byte(arrowipc.Magic+"\x00\x00"), head) {
			return &reasonError{ErrNoSchema}
		}
		return &reasonError{ErrNotArrow}
	case front == nil:
		return rc.believeFooter("no schema in front of the batches: taken from the footer")
	}
	rc.schema, rc.version, rc.schemaAt, rc.schemaEnd, rc.pos = front.Schema, front.Version, front.at, front.end(), front.end()
	rc.prefix, rc.stream = front.prefix, front.at == 0
	if rc.footer != nil && !reflect.DeepEqual(rc.footer.Schema, *front.Schema) {
		if err := rc.chooseSchema(front); err != nil {
			return err
		}
	}
	if rc.schema.BigEndian {
		return &reasonError{ErrBigEndian}
	}
	return nil
}

// frontSchema returns the schema message in front of the batches, or nil. Some
// writers pad the magic to 64 bytes.
func (rc *recoverer) frontSchema() (*message, error) {
	if !rc.magic { // a stream begins with it
		m, _, err := rc.messageAt(0)
		if err != nil || m != nil && m.Schema != nil && m.BodyLength == 0 {
			return m, err
		}
	}
	for at := int64(arrowipc.HeaderLength); at <= 64; at += 8 {
		m, s, err := rc.messageAt(at)
		if err != nil {
			return nil, err
		}
		if m != nil && m.Schema != nil && m.BodyLength == 0 {
			return m, nil
		}
		if s != zeros {
			return nil, nil
		}
	}
	return nil, nil
}

// believeOther takes the schema from another file; the scan finds the first
// batch.
func (rc *recoverer) believeOther() error {
	other := rc.o.SchemaFrom
	rc.schema, rc.version, rc.schemaEnd = &other.schema, other.version, 0
	if rc.pos = 0; rc.magic {
		rc.pos = arrowipc.HeaderLength
	}
	m, err := rc.scan(rc.pos, rc.size)
	if err != nil {
		return err
	}
	if m == nil {
		return &reasonError{fmt.Errorf("%w; nor does any batch in it fit the schema of the other file", ErrNoSchema)}
	}
	rc.note("info", 0, m.at, "no schema in front of the batches: taken from another file")
	rc.pos = m.at
	return nil
}

// believeFooter takes the schema from the footer and begins at the first
// message that can be found.
func (rc *recoverer) believeFooter(reason string) error {
	rc.schema, rc.version, rc.schemaEnd = &rc.footer.Schema, rc.footer.Version, 0
	if rc.schema.BigEndian {
		return &reasonError{ErrBigEndian}
	}
	first := rc.footerAt
	if len(rc.blocks) > 0 {
		first = rc.blocks[0].Offset
	}
	rc.pos = first
	// The schema's prefix may still say where it ended: batches that the
	// footer lacks begin there.
	var prefix [8]byte
	if rc.size >= arrowipc.HeaderLength+8 {
		if err := rc.readAt(prefix[:], arrowipc.HeaderLength); err != nil {
			return err
		}
		if n, length, err := arrowipc.ParsePrefix(prefix[:]); err == nil && length > 0 {
			at := arrowipc.HeaderLength + int64(n) + int64(length)
			if at < first {
				m, s, err := rc.messageAt(at)
				if err != nil {
					return err
				}
				if m != nil || s == endMark {
					rc.pos = at
				}
			}
		}
	}
	rc.note("info", arrowipc.HeaderLength, max(0, min(rc.pos, rc.footerAt)-arrowipc.HeaderLength), reason)
	return nil
}

// chooseSchema decides between the schema in front and the one in the footer:
// the one that fits the first batch that can be read, in doubt the one in
// front.
func (rc *recoverer) chooseSchema(front *message) error {
	m, _, err := rc.messageAt(rc.pos)
	for i := 0; err == nil && (m == nil || m.Header != arrowipc.RecordBatchHeader) && i < len(rc.blocks); i++ {
		m, err = rc.candidate(rc.blocks[i])
	}
	if err != nil {
		return err
	}
	if m != nil && m.Header == arrowipc.RecordBatchHeader {
		fits := func(s *arrowipc.Schema) (bool, error) {
			_, err := rc.checker.check(rc, s, m)
			var bad *reasonError
			if errors.As(err, &bad) {
				return false, nil
			}
			return err == nil, err
		}
		inFront, err := fits(front.Schema)
		if err != nil {
			return err
		}
		inFooter, err := fits(&rc.footer.Schema)
		if err != nil {
			return err
		}
		if inFooter && !inFront {
			return rc.believeFooter("the schema in front does not fit the batches: taken from the footer")
		}
	}
	rc.note("warning", rc.footerAt, rc.footerEnd-rc.footerAt, "suspect: the schema in the footer is not the one in front of the batches: the one in front is kept")
	return nil
}

// findFooter looks for a footer at the end, also behind a closing magic that
// is damaged, and before rubbish behind the end.
func (rc *recoverer) findFooter() error {
	window := make([]byte, min(rc.size, tailWindow))
	from := rc.size - int64(len(window))
	if err := rc.readAt(window, from); err != nil {
		return err
	}
	if ok, err := rc.footerEndingAt(rc.size); ok || err != nil {
		return err
	}
	for end := len(window); rc.budget > 0; {
		i := bytes.LastIndex(window[:end], []byte(arrowipc.Magic))
		if i < 0 {
			return nil
		}
		if ok, err := rc.footerEndingAt(from + int64(i+len(arrowipc.Magic))); ok || err != nil {
			return err
		}
		end = i
	}
	return nil
}

// footerEndingAt tries a footer whose closing magic ends at end.
func (rc *recoverer) footerEndingAt(end int64) (bool, error) {
	var trailer [arrowipc.TrailerLength]byte
	if end-arrowipc.HeaderLength < int64(len(trailer)) {
		return false, nil
	}
	if err := rc.readAt(trailer[:], end-int64(len(trailer))); err != nil {
		return false, err
	}
	length := int64(int32(binary.LittleEndian.Uint32(trailer[:])))
	at := end - int64(len(trailer)) - length
	if length <= 0 || length > maxFooterBytes || at < arrowipc.HeaderLength {
		return false, nil
	}
	rc.budget -= length
	p := make([]byte, length)
	if err := rc.readAt(p, at); err != nil {
		return false, err
	}
	f, err := arrowipc.ParseFooter(p)
	if err != nil {
		return false, nil // not a footer
	}
	rc.footer, rc.footerAt, rc.footerEnd = f, at, end
	rc.footerMagic = string(trailer[4:]) == arrowipc.Magic
	for _, list := range [][]arrowipc.Block{f.Dictionaries, f.Batches} {
		for i, b := range list {
			if !blockFits(b, at) {
				rc.note("info", at, length, fmt.Sprintf("footer block %d points at %d with lengths %d and %d, outside the batches", i, b.Offset, b.MetaLength, b.BodyLength))
				continue
			}
			rc.blocks = append(rc.blocks, b)
		}
	}
	sort.Slice(rc.blocks, func(i, j int) bool { return rc.blocks[i].Offset < rc.blocks[j].Offset })
	rc.allBlocks = rc.blocks
	return true, nil
}

// blockFits reports whether a message may stand where a block of the footer at
// footerAt says.
func blockFits(b arrowipc.Block, footerAt int64) bool {
	return b.Offset >= arrowipc.HeaderLength && b.Offset%8 == 0 && b.MetaLength >= 8 && b.BodyLength <= footerAt && b.Offset <= footerAt-int64(b.MetaLength)-b.BodyLength
}
