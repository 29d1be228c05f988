package oni

import (
	"errors"
	"fmt"
)

// A Controller is the hardware around a Source: what it consists of and how it
// is set.
//
// Threads. The methods of Source belong to one goroutine, the reader. All
// others may be called by any goroutine, also while the reader is inside
// ReadInto; the controller puts register accesses and options in a row. Reset
// and SetBlockSizes fail with ErrState between Start and Stop. Close is the
// exception: no read may be inside and no call may follow, so a caller whose
// reader does not come back leaves the controller open.
//
// Source: onix-devices 1.2, 1.4, 1.9 and 1.13.
type Controller interface {
	Source

	// Table returns the device table as of the last Reset, in ascending
	// address. The caller must not change it.
	Table() DeviceTable
	// Hub returns what the manager of a hub says, or an error if the hub is
	// not linked.
	Hub(hub uint8) (Hub, error)
	// AcqClockHz is the rate of Frame.Clock.
	AcqClockHz() uint64

	// ReadRegister returns a register of a device, or of a hub manager
	// (index 254 of the hub). A device that refuses gives a *RegisterError
	// with ErrNACK; so does a chip that is not there.
	ReadRegister(a Address, register uint32) (uint32, error)
	// WriteRegister sets a register; errors as ReadRegister. Some registers
	// take effect with the next Reset only.
	WriteRegister(a Address, register, value uint32) error
	// Reset restarts the hardware, which latches registers, reads the device
	// table again and restores the block sizes to their defaults. What was
	// written into registers stays, where the device keeps it.
	Reset() error

	// Option returns an option, or an error if the controller lacks it.
	Option(o Option) (uint32, error)
	// SetOption changes an option.
	SetOption(o Option, value uint32) error
	// BlockSizes returns how many bytes one transfer from and to the hardware
	// takes.
	BlockSizes() (read, write uint32)
	// SetBlockSizes changes them. Each must be a multiple of 4, and hold the
	// largest frame of its direction: OptionMaxReadFrameSize, OptionMaxWriteFrameSize.
	SetBlockSizes(read, write uint32) error

	// FIFOFill says how full the hardware's buffer is now. When it is full
	// the hardware ends acquisition.
	FIFOFill() (Fill, error)

	// Close releases the controller; it stops it first if need be.
	Close() error
}

// An Option is a number that belongs to the controller as a whole.
// The values are liboni's; onix-devices 1.4.
type Option uint32

// The options.
const (
	OptionSystemClockHz     Option = 4  // read only
	OptionHardwareAddress   Option = 7  // bits 16 to 23: how boards are synchronised, 0 is alone
	OptionMaxReadFrameSize  Option = 8  // bytes of the largest frame with its header; read only
	OptionMaxWriteFrameSize Option = 9  // likewise
	OptionPortFunc          Option = 12 // bit 0: port A passes a headstage's data through, bit 2: port B; latched by Reset
)

// A Fill says how full a buffer is, in bytes.
type Fill struct {
	Used, Total uint64
}

// HubManager returns the address of a hub's manager. Source: onix-devices 2.4.
func HubManager(hub uint8) Address { return NewAddress(hub, 254) }

var (
	// ErrNACK says that a device did not acknowledge an access: no such
	// register, no such chip, a value that it does not take.
	ErrNACK = errors.New("not acknowledged")
	// ErrNoDevice says that the table has no device at an address.
	ErrNoDevice = errors.New("no device at this address")
	// ErrOption says that the controller has no such option, or that it
	// cannot be set, or not to that value.
	ErrOption = errors.New("not an option")
	// ErrOverflow says that the hardware's buffer was full, so that it ended
	// acquisition.
	ErrOverflow = errors.New("the hardware's buffer overflowed, and acquisition ended")
	// ErrState says that a call is not possible now: while acquisition runs,
	// or while it does not, or after Close.
	ErrState = errors.New("call out of order")
)

// A RegisterError is an access to a register that failed.
type RegisterError struct {
	Address  Address
	Register uint32
	Write    bool
	Err      error // ErrNACK, ErrNoDevice, or a fault of the controller
}

func (e *RegisterError) Error() string {
	verb := "reading"
	if e.Write {
		verb = "writing"
	}
	return fmt.Sprintf("oni: %s register 0x%x of %v: %v", verb, e.Register, e.Address, e.Err)
}

// Unwrap returns the cause.
func (e *RegisterError) Unwrap() error { return e.Err }
