package messages

import "github.com/oniscope/oniscope/shared/internal/arrowipc"

// A Kind says what a verdict is about.
type Kind uint8

// The kinds. A Batch or a Dictionary lies where it should and its header fits
// the schema and the file; a Loss is a stretch that is left out; a Note costs
// nothing.
const (
	Batch Kind = iota
	Dictionary
	Loss
	Note
)

// A Severity says how bad a fact is, the same in every front.
type Severity uint8

// The severities: what is worth a look, what is not as it should be though
// nothing is lost by it, and what is lost.
const (
	Info Severity = iota
	Warning
	Error
)

// A Verdict is what the walk says of one stretch of the file. There are hundreds of
// thousands where batches have a row each, so that it is small, and messages that are alike
// but for their place share what is said of them.
type Verdict struct {
	At int64 // byte of the file
	*Ruling
}

// A Ruling is what is said of a stretch wherever it lies. That of a Batch or a Dictionary
// may be that of many: it is changed in a copy (Own).
type Ruling struct {
	Kind   Kind
	Length int64 // bytes concerned

	// Of a Batch or a Dictionary.
	MetaLength   int32 // and the next: as a footer would list it
	BodyLength   int64
	DataLength   int64 // bytes of the body up to the end of the last buffer
	Pad          int64 // bytes of padding that the file lacks after it
	Codec        arrowipc.Codec
	DictionaryID int64
	Delta        bool
	Odd          bool // its metadata can be read, but other readers refuse them
	// Doubted says that nothing follows a plain batch: if bytes are missing
	// in it, its last values are others.
	Doubted bool

	// Rows are those of a Batch, or of a Loss, -1 if unknown; the values of a
	// Dictionary.
	Rows int64

	*Remark // never nil
}

// A Remark is what else there is to say of a Loss or a Note.
type Remark struct {
	// Batches is how many record batches a Loss has, as far as is known.
	Batches int
	// Body is the length of the body of a lost batch of which only the footer
	// speaks, else 0.
	Body int64
	// Blind says of a Loss that a dictionary may have been among it.
	Blind bool
	// Touched is of a Note how many rows at the end of the batch before it may
	// not be what was written.
	Touched int64
	// Torn is the batch that the file's end cuts, of the last Loss.
	Torn *Message

	Severity Severity
	Reason   string
	Remedy   string // what a recovery does about it; "": nothing
	AtEnd    bool   // it is the missing end of the file
	Harmless bool   // neither the framing nor the contents are damaged
	Skipped  bool   // the bytes of a Note are neither kept nor an old footer
	Suspect  bool   // something is kept that may not be what was written
	Count    int    // facts of one cause, 1 or more
	Last     int64  // byte of the last of them
}

// silent is the remark of messages that are where they should be.
var silent = &Remark{Count: 1}

// NewBatch is the verdict on a batch, or a dictionary batch, of which nothing is missing.
func NewBatch(m *Message) Verdict {
	r := rulingOf(m)
	return Verdict{m.At, &r}
}

func rulingOf(m *Message) Ruling {
	r := Ruling{Kind: Batch, Length: m.End() - m.At, MetaLength: int32(m.Length), BodyLength: m.BodyLength, DataLength: m.Batch.DataEnd(), Codec: m.Batch.Codec, Rows: m.Batch.Length, Odd: m.Odd, Remark: silent}
	if !m.isBatch() {
		r.Kind, r.DictionaryID, r.Delta = Dictionary, m.DictionaryID, m.Delta
	}
	return r
}

// NewLoss is the verdict on bytes that are left out, with so many rows, -1 if unknown. It
// and NewNote are called from many places and seldom: the program has each once.
//
//go:noinline
func NewLoss(at, length, rows int64, reason string) Verdict {
	return Verdict{at, &Ruling{Kind: Loss, Length: length, Rows: rows, Remark: &Remark{Severity: Error, Reason: reason, Count: 1, Last: at}}}
}

// NewNote is a verdict that costs nothing.
//
//go:noinline
func NewNote(s Severity, at, length int64, reason, remedy string) Verdict {
	return Verdict{at, &Ruling{Kind: Note, Length: length, Remark: &Remark{Severity: s, Reason: reason, Remedy: remedy, Count: 1, Last: at}}}
}

// Own returns the verdict with a ruling and a remark that are shared with no other.
//
//go:noinline
func (v Verdict) Own() Verdict {
	r, remark := *v.Ruling, *v.Remark
	r.Remark = &remark
	return Verdict{v.At, &r}
}

// Block is the message as a footer would list it.
func (v *Verdict) Block() arrowipc.Block {
	return arrowipc.Block{Offset: v.At, MetaLength: v.MetaLength, BodyLength: v.BodyLength}
}

// DataEnd is the byte of the file at which the last buffer of a batch ends.
func (v *Verdict) DataEnd() int64 { return v.At + int64(v.MetaLength) + v.DataLength }

// Speaks reports whether a verdict has something to report.
func (v *Verdict) Speaks() bool { return v.Kind == Loss || v.Kind == Note || v.Doubted }

// odd is what is said of metadata that can be read, but are not as the
// flatbuffers of other readers must be.
const odd = "is not laid out as other readers, pyarrow among them, require: they refuse the file for it"

// Remedies.
const (
	writtenAnew = "written anew"
	leftOut     = "left out"
)

// A Layout is what a walk found: the verdicts in file order, and nobody writes
// to it.
type Layout struct {
	*Ends
	Verdicts []Verdict
	Ended    bool  // by an end mark
	End      int64 // where the last message ends, end mark included
	// Listed says that the footer lists all batches that are there, as they
	// are and in their order, and nothing else.
	Listed bool
	Joints []Joint // where another file or stream begins, in order
}

// Batches returns the number of record batches that lie where they should.
func (l *Layout) Batches() (n int) {
	for i := range l.Verdicts {
		if l.Verdicts[i].Kind == Batch {
			n++
		}
	}
	return n
}
