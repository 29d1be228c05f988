package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"

	"github.com/oniscope/oniscope/shared/recording"
)

// What an engine knows of a stream once it has indexed it goes to the one that takes
// long over the same file: where its batches are, and its gaps. That one then reads
// neither again. It believes them where it saves, as it would a footer; what it verifies
// it proves from the file's own bytes.

// A known is what goes with the batches, as JSON in front of them.
type known struct {
	Size     int64 // of the file, bytes
	Identity string
	Clock    int             // index of the column that was followed
	Times    recording.Times // what that says
	Batches  int
}

// knownBlock is how many bytes a batch takes: six numbers, of which the bytes of the
// header have 32 bits, and whether the ends of its Clock are known another 32.
const knownBlock = 6 * 8

// Known is what another engine may be given of a stream; nil before it is indexed, and
// where the file is damaged.
func (e *Engine) Known(id string) ([]byte, error) {
	s, err := e.stream("known", id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	blocks, ok := s.reader.Blocks()
	if !ok || s.times == nil || s.growing {
		return nil, nil
	}
	head, err := json.Marshal(known{s.size, s.identity(), s.clock, *s.times, len(blocks)})
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	out := make([]byte, 0, 8+len(head)+knownBlock*len(blocks))
	out = append(le.AppendUint64(out, uint64(len(head))), head...)
	for i := range blocks {
		b := &blocks[i]
		untimed := uint32(0)
		if b.Untimed {
			untimed = 1
		}
		out = le.AppendUint64(le.AppendUint64(out, uint64(b.Offset)), uint64(b.Length))
		out = le.AppendUint32(le.AppendUint32(out, uint32(b.MetaLength)), untimed)
		out = le.AppendUint64(le.AppendUint64(le.AppendUint64(out, uint64(b.Rows)), b.FirstClock), b.LastClock)
	}
	return out, nil
}

// parseKnown reads what Known wrote; ok is false for anything else.
func parseKnown(data []byte) (k known, blocks []recording.Block, ok bool) {
	le := binary.LittleEndian
	if len(data) < 8 || le.Uint64(data) > uint64(len(data)-8) {
		return k, nil, false
	}
	head, rest := data[8:8+le.Uint64(data)], data[8+le.Uint64(data):]
	if json.Unmarshal(head, &k) != nil || k.Batches < 0 || len(rest)%knownBlock != 0 || len(rest)/knownBlock != k.Batches {
		return k, nil, false
	}
	blocks = make([]recording.Block, k.Batches)
	for i := range blocks {
		p := rest[i*knownBlock:]
		blocks[i] = recording.Block{
			Offset: int64(le.Uint64(p)), Length: int64(le.Uint64(p[8:])), MetaLength: int32(le.Uint32(p[16:])), Untimed: le.Uint32(p[20:]) != 0,
			Rows: int64(le.Uint64(p[24:])), FirstClock: le.Uint64(p[32:]), LastClock: le.Uint64(p[40:]),
		}
	}
	return k, blocks, true
}

// OpenKnown is Open of a file of which another engine has given what it knows. Where
// that is of another file it is not believed.
func (e *Engine) OpenKnown(ctx context.Context, a OpenArgs, source io.ReaderAt, size int64, given []byte) (*StreamInfo, error) {
	k, blocks, ok := parseKnown(given)
	about, _ := source.(identified)
	if !ok || k.Size != size || about != nil && about.Identity() != k.Identity {
		return e.Open(ctx, a, source, size, nil)
	}
	info, err := e.openAs(ctx, a, source, size, func() (*recording.Reader, error) { return e.reader(ctx, source, size, blocks, nil) })
	if damaged(err) { // or changed since
		return e.Open(ctx, a, source, size, nil)
	}
	if err != nil {
		return nil, err
	}
	s, err := e.stream("openKnown", a.Stream)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock == k.Clock {
		e.followed(s, &k.Times)
		s.given = true
	}
	return info, nil
}

// identity tells the file from others of its size; "": nothing does.
func (s *openStream) identity() string {
	if source, ok := s.source.(identified); ok {
		return source.Identity()
	}
	return ""
}
