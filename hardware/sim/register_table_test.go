package sim

import (
	"errors"
	"testing"

	"github.com/oniscope/oniscope/hardware/oni"
)

// TestEveryRegisterIsAsItsRowSays: what may be read and written, what it holds
// after power-up, and that a RESET keeps it.
func TestEveryRegisterIsAsItsRowSays(t *testing.T) {
	c, err := New(Config{Cold: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	seen := 0
	for _, dev := range breakoutTable() {
		rows := hostRegisters[dev.ID]
		each(rows, func(number uint32, r *row) {
			seen++
			what := &oni.RegisterError{Address: dev.Address, Register: number}
			v, err := c.ReadRegister(dev.Address, number)
			if readable := r.access&read != 0; readable == errors.Is(err, oni.ErrNACK) {
				t.Errorf("%v: reading: %v", what, err)
			} else if readable && v != r.powerUp && number != regTotalMem && number != regMemUsage {
				t.Errorf("%v is %d after power-up, want %d", what, v, r.powerUp)
			}
			value := max(r.least, r.powerUp^1)
			err = c.WriteRegister(dev.Address, number, value)
			if errors.Is(err, ErrRefused) {
				return // what hardware would suffer from
			}
			if writable := r.access&write != 0; writable == errors.Is(err, oni.ErrNACK) {
				t.Errorf("%v: writing: %v", what, err)
			}
			if err := c.Reset(); err != nil {
				t.Fatal(err)
			}
			if now, err := c.ReadRegister(dev.Address, number); r.access == both && number != portFlags && (err != nil || now != value) {
				t.Errorf("%v is %d after a reset, %d was written: %v", what, now, value, err)
			}
			if r.least > 0 && !errors.Is(c.WriteRegister(dev.Address, number, r.least-1), oni.ErrNACK) {
				t.Errorf("%v takes %d", what, r.least-1)
			}
		})
		if len(rows) > 0 {
			if _, err := c.ReadRegister(dev.Address, 0x8FFF); !errors.Is(err, oni.ErrNACK) {
				t.Errorf("%v has a register that no row has: %v", dev.Address, err)
			}
		}
	}
	if seen < 60 {
		t.Errorf("%d registers", seen)
	}
}
