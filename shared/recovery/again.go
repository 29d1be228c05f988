package recovery

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A stream may send a dictionary again; in a file each has one beginning, and
// readers refuse a second one even if it says the same (Arrow columnar format,
// "IPC File Format"). Two files joined byte by byte, or bytes that were written
// twice, have such dictionaries.

// A redefinition says how a dictionary message goes with those before it.
type redefinition uint8

const (
	fresh    redefinition = iota // it begins or goes on
	again                        // its values are there already
	replaced                     // it begins anew with other values
)

// redefinitions compares each dictionary message of the walk with those before
// it of the same dictionary, by index of the verdict. Messages that say the
// same may be left out of a file: the values are there, and at the same places.
func (rc *recoverer) redefinitions() (map[int]redefinition, error) {
	found := map[int]redefinition{}
	type state struct {
		chain []int // verdicts, in the order of their values
		at    int   // how many of them count now
	}
	states := map[int64]*state{}
	n := -1
	for i := range rc.Verdicts {
		v := &rc.Verdicts[i]
		if v.Kind != messages.Dictionary {
			continue
		}
		if n++; rc.sizes[n] < 0 {
			continue // not intact, so it is left out
		}
		s := states[v.DictionaryID]
		if s == nil {
			s = &state{}
			states[v.DictionaryID] = s
		}
		if !v.Delta && len(s.chain) > 0 {
			s.at = 0
		}
		if s.at == len(s.chain) {
			s.chain, s.at = append(s.chain, i), s.at+1
			continue
		}
		same, err := rc.sameMessage(&rc.Verdicts[s.chain[s.at]], v)
		if err != nil {
			return nil, err
		}
		found[i] = replaced
		if same {
			found[i], s.at = again, s.at+1
		}
	}
	return found, nil
}

// sameMessage compares two dictionary messages, header and body.
func (rc *recoverer) sameMessage(a, b *messages.Verdict) (bool, error) {
	ma, err := rc.messageOf(rc.checker, a)
	if err != nil {
		return false, err
	}
	mb, err := rc.messageOf(rc.checker, b)
	if err != nil {
		return false, err
	}
	ra, rb := *ma.Batch, *mb.Batch
	ra.BuffersAt, rb.BuffersAt = 0, 0
	if !reflect.DeepEqual(ra, rb) {
		return false, nil
	}
	var pa, pb []byte
	for at, end := int64(0), ma.Batch.DataEnd(); at < end; {
		n := min(end-at, body.WindowBytes)
		pa, pb = grown(pa, n), grown(pb, n)
		if err := rc.checker.Fill(pa, ma.BodyAt()+at); err != nil {
			return false, err
		}
		if err := rc.checker.Fill(pb, mb.BodyAt()+at); err != nil {
			return false, err
		}
		if !bytes.Equal(pa, pb) {
			return false, nil
		}
		at += n
	}
	return true, nil
}

func grown(p []byte, n int64) []byte {
	if int64(cap(p)) < n {
		return make([]byte, n)
	}
	return p[:n]
}

// replacedAny reports whether a dictionary is replaced, which a file cannot hold.
func (rc *recoverer) replacedAny() bool {
	for _, r := range rc.anew {
		if r == replaced {
			return true
		}
	}
	return false
}

// noteRedefinition says of a file, once, that a dictionary has a second
// beginning.
func (rc *recoverer) noteRedefinition(v *messages.Verdict, r redefinition) {
	if rc.Stream || r == fresh {
		return
	}
	if k := rc.noted[r]; k > 0 {
		note := &rc.list[k-1]
		note.Count, note.Last = note.Count+1, v.At
		return
	}
	what, remedy := "the values that it has", leftOut
	if r == replaced {
		what, remedy = "other values", ""
	}
	rc.list = append(rc.list, entry{Verdict: messages.NewNote(messages.Warning, v.At, v.Length,
		fmt.Sprintf("dictionary %d begins again with %s: other readers, pyarrow among them, refuse a file with it", v.DictionaryID, what), remedy)})
	rc.noted[r] = len(rc.list)
}

const leftOut = "left out"
