package sim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/hardware/oni"
)

// A FaultKind is what goes wrong.
type FaultKind uint8

// The faults.
const (
	Drop      FaultKind = iota // Count frames of Address never come
	Cut                        // Count frames of Address come with half of their bytes
	Stall                      // no frame comes for Ticks, then all at once; only with Config.Wait
	Jump                       // the acquisition clock is Ticks ahead from then on
	End                        // ReadInto returns ErrEnded
	Unplug                     // the cable of the port that Address belongs to is pulled
	Hang                       // ReadInto never returns
	HangWrite                  // Count writes to registers of Address return, the next never does
)

// A Fault happens at the first frame whose clock is not before At; HangWrite
// goes by Count alone, whether frames come or not.
type Fault struct {
	Kind    FaultKind
	At      uint64      // acquisition clock, ticks, before any Jump
	Address oni.Address // Drop, Cut, Unplug, HangWrite
	Count   uint64      // Drop, Cut, HangWrite
	Ticks   uint64      // Stall, Jump
}

func (f Fault) check(table oni.DeviceTable) error {
	switch f.Kind {
	case Drop, Cut:
		dev, ok := table.Find(f.Address)
		if !ok || dev.ReadSize == 0 {
			return fmt.Errorf("no device at %v sends frames", f.Address)
		}
	case Unplug:
		if f.Address.Port() == 0 {
			return fmt.Errorf("%v is of no port", f.Address)
		}
	case HangWrite:
		if _, ok := table.Find(f.Address); !ok {
			return fmt.Errorf("no device is at %v", f.Address)
		}
	case Stall, Jump, End, Hang:
	default:
		return errors.New("kind is not known")
	}
	return nil
}

// ended reports whether a fault keeps the frame of that clock and all later
// ones from coming.
func (c *controller) ended(clock uint64) bool {
	for i := range c.faults {
		if c.faults[i].Kind == End && clock >= c.faults[i].At {
			return true
		}
	}
	return false
}

// stalledUntil is when frames come that would come at ticks.
func (c *controller) stalledUntil(ticks uint64) uint64 {
	for i := range c.faults {
		if f := &c.faults[i]; f.Kind == Stall && ticks >= f.At && ticks < f.At+f.Ticks {
			ticks = f.At + f.Ticks
		}
	}
	return ticks
}

// hangs reports whether a write to a device never returns. c.mu is held, and a
// write that hangs keeps it, as a driver keeps its lock: no register can be
// reached any more, while frames go on.
func (c *controller) hangs(a oni.Address) bool {
	writes := c.writes[a]
	c.writes[a]++
	return slices.ContainsFunc(c.cfg.Faults, func(f Fault) bool {
		return f.Kind == HangWrite && f.Address == a && writes >= f.Count
	})
}

// apply changes a frame as the faults want it, and reports whether it comes.
func (c *controller) apply(f *oni.Frame) bool {
	clock, comes := f.Clock, true
	for i := range c.faults {
		fault := &c.faults[i]
		if clock < fault.At {
			continue
		}
		switch fault.Kind {
		case Drop:
			if f.Address == fault.Address && fault.Count > 0 {
				fault.Count--
				comes = false
			}
		case Cut:
			if f.Address == fault.Address && fault.Count > 0 {
				fault.Count--
				f.Data = f.Data[:len(f.Data)/2]
			}
		case Jump:
			f.Clock += fault.Ticks
		case Unplug:
			if fault.Count == 0 {
				fault.Count = 1
				c.unplug(fault.Address.Port())
			}
			comes = comes && f.Address.Port() != fault.Address.Port()
		case Hang:
			select {}
		}
	}
	return comes
}
