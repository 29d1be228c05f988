package oni_test

import (
	"errors"
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

func TestPort(t *testing.T) {
	for a, want := range map[oni.Address]uint8{
		0x0000: 0, 0x0001: 1, 0x0002: 2, 0x0006: 0, 0x0008: 1, 0x0009: 2, 0x000A: 0, // host: port controllers, passthrough
		0x0100: 1, 0x0109: 1, 0x0201: 2, 0x02FE: 2, // hubs of headstages
	} {
		if got := a.Port(); got != want {
			t.Errorf("%v: port %d, want %d", a, got, want)
		}
	}
}

func TestARegisterErrorNamesTheAccess(t *testing.T) {
	err := error(&oni.RegisterError{Address: 0x106, Register: 0x8003, Write: true, Err: oni.ErrNACK})
	if !errors.Is(err, oni.ErrNACK) || err.Error() != "oni: writing register 0x8003 of 0x0106: not acknowledged" {
		t.Errorf("got %v", err)
	}
}
