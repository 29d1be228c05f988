package messages

import (
	"sync"
	"testing"
)

// Batches are decoded on all cores, and each asks for its dictionaries.
func TestChainIsAskedForSideBySide(t *testing.T) {
	for range 200 {
		d := &Dictionaries{ByPlace: true}
		for i := range int64(64) {
			d.List = append(d.List, DictionaryMessage{At: i, ID: i % 4, Delta: i >= 4})
		}
		var group sync.WaitGroup
		for id := range int64(4) {
			group.Go(func() {
				if chain, _, err := d.Chain(id, 64); err != nil || len(chain) != 16 {
					t.Errorf("dictionary %d: %v, %v", id, chain, err)
				}
			})
		}
		group.Wait()
	}
}
