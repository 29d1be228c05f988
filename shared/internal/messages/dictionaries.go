package messages

import (
	"errors"
	"fmt"
	"sort"
	"sync"
)

// Why a dictionary cannot be had for a batch.
var (
	ErrNotBegun = errors.New("goes on, but did not begin")
	ErrPartLost = errors.New("may be missing a part")
)

// A DictionaryMessage is what counts of a dictionary batch.
type DictionaryMessage struct {
	At    int64
	ID    int64
	Delta bool
}

// Dictionaries say which messages make a dictionary.
//
// In a stream a message counts for the batches after it, until the next for
// the same id: a delta goes on, any other begins anew. A footer lists the
// dictionaries of a file in the order in which they count, all of them for
// all batches; where one begins anew nevertheless, its place decides.
// Source: Arrow columnar format, "Dictionary Messages" and "IPC File Format".
type Dictionaries struct {
	List    []DictionaryMessage
	ByPlace bool    // they count from their place on
	Gaps    []int64 // where bytes are lost among which messages may have been

	sorted sync.Once // Chain is called on all cores
	byID   map[int64]*chains
}

// chains are the messages of one dictionary.
type chains struct {
	messages []int // in the list
	begins   []int // for each of them: which of messages began anew; -1: none
	byPlace  bool
}

// DictionariesOf are those of a layout.
func DictionariesOf(l *Layout) *Dictionaries {
	d := &Dictionaries{ByPlace: l.Stream || l.Footer == nil}
	for i := range l.Verdicts {
		switch v := &l.Verdicts[i]; {
		case v.Kind == Dictionary:
			d.List = append(d.List, DictionaryMessage{v.At, v.DictionaryID, v.Delta})
		case v.Kind == Loss && v.Blind:
			d.Gaps = append(d.Gaps, v.At)
		}
	}
	return d
}

func (d *Dictionaries) sort() {
	d.byID = map[int64]*chains{}
	for i := range d.List {
		m := &d.List[i]
		c := d.byID[m.ID]
		if c == nil {
			c = &chains{byPlace: d.ByPlace}
			d.byID[m.ID] = c
		}
		begin := len(c.messages)
		if m.Delta && begin == 0 {
			begin = -1
		} else if m.Delta {
			begin = c.begins[begin-1]
		} else {
			c.byPlace = c.byPlace || begin > 0
		}
		c.messages, c.begins = append(c.messages, i), append(c.begins, begin)
	}
}

// Chain returns the messages that make dictionary id for the batch at an offset
// of the file: from the one that begins anew to the last, as indices of the
// list, which no longer changes then. There are none if the list is empty. It
// may be called by several goroutines. An error wraps ErrNotBegun or
// ErrPartLost; where says at which byte.
func (d *Dictionaries) Chain(id, at int64) (list []int, where int64, err error) {
	d.sorted.Do(d.sort)
	c := d.byID[id]
	if c == nil {
		return nil, 0, nil
	}
	n := len(c.messages)
	if c.byPlace {
		n = sort.Search(n, func(k int) bool { return d.List[c.messages[k]].At > at })
	}
	if n == 0 {
		return nil, 0, nil
	}
	begin := c.begins[n-1]
	if begin < 0 {
		return nil, d.List[c.messages[n-1]].At, fmt.Errorf("dictionary %d %w", id, ErrNotBegun)
	}
	if len(c.messages) > 1 {
		// One that changes may have changed where messages are missing.
		from := d.List[c.messages[begin]].At
		for _, gap := range d.Gaps {
			if from < gap && gap <= at {
				return nil, gap, fmt.Errorf("dictionary %d %w", id, ErrPartLost)
			}
		}
	}
	return c.messages[begin:n], 0, nil
}
