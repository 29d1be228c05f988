package recording

import (
	"errors"
	"fmt"
	"io"

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
	rc.keepLater()
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
	later        map[int64]*message // dictionaries that stand behind the batches, by the footer
	listed       int                // batches in the footer
	unlisted     int                // blocks of the footer that are not kept
	judged       int64              // losses are told up to here
	rows         int64              // kept
	clock        clockSpan          // of the last batch kept that has one
	footerMagic  bool
	budget       int64 // bytes of metadata that may still be looked at on suspicion
	suspicion    int64 // bytes that may still be searched, or decoded in vain
	resynced     int64 // where the scan found a message last
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

	remedy string // what a recovery does about it; a verification does nothing
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
