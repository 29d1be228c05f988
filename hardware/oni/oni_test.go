package oni_test

import (
	"fmt"
	"testing"

	"github.com/oniscope/oniscope/hardware/oni"
)

func ExampleAddress() {
	a := oni.NewAddress(1, 6)
	fmt.Println(a, a.Hub(), a.Index())
	// Output: 0x0106 1 6
}

func TestFind(t *testing.T) {
	table := oni.DeviceTable{{Address: 0, ID: 35}, {Address: 0x102, ID: 25}}
	if d, ok := table.Find(0x102); !ok || d.ID != 25 {
		t.Errorf("got %+v, %v", d, ok)
	}
	if d, ok := table.Find(1); ok || d != (oni.Device{}) {
		t.Errorf("an address that is not there gives %+v, %v", d, ok)
	}
}
