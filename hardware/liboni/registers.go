//go:build (linux || darwin || windows) && (amd64 || arm64)

package liboni

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/oniscope/oniscope/hardware/oni"
)

// Options that oni.Option does not offer: the life cycle belongs to the
// controller. Source: onix-devices 1.4.
const (
	optionDeviceTable    = 0
	optionNumDevices     = 1
	optionRunning        = 2
	optionReset          = 3
	optionAcqClockHz     = 5
	optionResetCounter   = 6
	optionBlockReadSize  = 10
	optionBlockWriteSize = 11
)

// Table implements oni.Controller.
func (c *Controller) Table() oni.DeviceTable {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.table
}

// AcqClockHz implements oni.Controller.
func (c *Controller) AcqClockHz() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clockHz
}

// Hub implements oni.Controller.
func (c *Controller) Hub(hub uint8) (oni.Hub, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var values [5]uint32 // onix-devices 2.4
	for i := range values {
		v, err := c.readRegister(oni.HubManager(hub), uint32(i))
		if err != nil {
			return oni.Hub{}, fmt.Errorf("liboni: hub %d is not linked: %w", hub, err)
		}
		values[i] = v
	}
	return oni.Hub{ID: values[0], Revision: versionText(values[1]), Firmware: versionText(values[2]), ClockHz: uint64(values[4])}, nil
}

// ReadRegister implements oni.Controller.
func (c *Controller) ReadRegister(a oni.Address, register uint32) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readRegister(a, register)
}

func (c *Controller) readRegister(a oni.Address, register uint32) (uint32, error) {
	if c.ctx == 0 {
		return 0, &oni.RegisterError{Address: a, Register: register, Err: oni.ErrState}
	}
	c.cells.value = 0
	code := c.call(c.lib.readReg, c.ctx, uintptr(a), uintptr(register), uintptr(unsafe.Pointer(&c.cells.value)))
	if err := registerError(a, register, false, code); err != nil {
		return 0, err
	}
	return c.cells.value, nil
}

// WriteRegister implements oni.Controller.
func (c *Controller) WriteRegister(a oni.Address, register, value uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeRegister(a, register, value)
}

func (c *Controller) writeRegister(a oni.Address, register, value uint32) error {
	if c.ctx == 0 {
		return &oni.RegisterError{Address: a, Register: register, Write: true, Err: oni.ErrState}
	}
	code := c.call(c.lib.writeReg, c.ctx, uintptr(a), uintptr(register), uintptr(value))
	if err := registerError(a, register, true, code); err != nil {
		return err
	}
	if c.replay != nil {
		c.replay.wrote(a, register, value)
	}
	return nil
}

// Option implements oni.Controller.
func (c *Controller) Option(o oni.Option) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch o {
	case oni.OptionSystemClockHz, oni.OptionHardwareAddress, oni.OptionMaxReadFrameSize, oni.OptionMaxWriteFrameSize, oni.OptionPortFunc:
	default:
		return 0, fmt.Errorf("liboni: option %d: %w", o, oni.ErrOption)
	}
	return c.option(uint32(o))
}

// option reads an option of 32 bits.
func (c *Controller) option(o uint32) (uint32, error) {
	if c.ctx == 0 {
		return 0, stateError("Option", "the controller is closed")
	}
	const size = 4
	c.cells.value, c.cells.length = 0, size
	code := c.call(c.lib.getOpt, c.ctx, uintptr(o), uintptr(unsafe.Pointer(&c.cells.value)), uintptr(unsafe.Pointer(&c.cells.length)))
	if err := optionError("oni_get_opt", o, code); err != nil {
		return 0, err
	}
	if c.cells.length != size {
		return 0, fmt.Errorf("liboni: option %d has %d bytes, want %d", o, c.cells.length, size)
	}
	return c.cells.value, nil
}

// SetOption implements oni.Controller.
func (c *Controller) SetOption(o oni.Option, value uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch o {
	case oni.OptionHardwareAddress, oni.OptionPortFunc:
	default:
		return fmt.Errorf("liboni: option %d cannot be set: %w", o, oni.ErrOption)
	}
	return c.setOption(uint32(o), value)
}

// setOption sets an option of 32 bits.
func (c *Controller) setOption(o, value uint32) error {
	if c.ctx == 0 {
		return stateError("SetOption", "the controller is closed")
	}
	c.cells.value = value
	code := c.call(c.lib.setOpt, c.ctx, uintptr(o), uintptr(unsafe.Pointer(&c.cells.value)), 4)
	return optionError("oni_set_opt", o, code)
}

// BlockSizes implements oni.Controller.
func (c *Controller) BlockSizes() (read, write uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blocks[0], c.blocks[1]
}

// SetBlockSizes implements oni.Controller.
func (c *Controller) SetBlockSizes(read, write uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.still("SetBlockSizes"); err != nil {
		return err
	}
	if read%4 != 0 || write%4 != 0 || read < c.maxFrame[0] || write < c.maxFrame[1] {
		return fmt.Errorf("liboni: blocks of %d and %d bytes: want multiples of 4, at least %d and %d, the largest frames", read, write, c.maxFrame[0], c.maxFrame[1])
	}
	if err := c.setOption(optionBlockReadSize, read); err != nil {
		return err
	}
	c.blocks[0] = read
	if err := c.setOption(optionBlockWriteSize, write); err != nil {
		return err
	}
	c.blocks[1] = write
	return nil
}

// FIFOFill implements oni.Controller: the memory monitor's registers, which
// can be read at any time. It fails with oni.ErrNoDevice where there is none.
func (c *Controller) FIFOFill() (oni.Fill, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.table {
		if d.ID != idMemoryMonitor {
			continue
		}
		if c.memory == 0 {
			words, err := c.readRegister(d.Address, regTotalMem)
			if err != nil {
				return oni.Fill{}, err
			}
			c.memory = 4 * uint64(words)
		}
		words, err := c.readRegister(d.Address, regMemUsage)
		if err != nil {
			return oni.Fill{}, err
		}
		return oni.Fill{Used: 4 * uint64(words), Total: c.memory}, nil
	}
	return oni.Fill{}, fmt.Errorf("liboni: how full the hardware's buffer is: no memory monitor: %w", oni.ErrNoDevice)
}

// DriverOption reads an option of 32 bits of the driver library itself.
func (c *Controller) DriverOption(o uint32) (uint32, error) {
	return c.driverOption(c.lib.getDriverOpt, o, 0)
}

// SetDriverOption sets an option of 32 bits of the driver library itself.
func (c *Controller) SetDriverOption(o, value uint32) error {
	_, err := c.driverOption(c.lib.setDriverOpt, o, value)
	return err
}

func (c *Controller) driverOption(function uintptr, o, value uint32) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == 0 {
		return 0, stateError("DriverOption", "the controller is closed")
	}
	if function == 0 || int32(o) < 0 {
		return 0, fmt.Errorf("liboni: option %d of the driver: %w", o, oni.ErrOption)
	}
	const size = 4
	c.cells.value, c.cells.length = value, size
	length := uintptr(size)
	if function == c.lib.getDriverOpt {
		length = uintptr(unsafe.Pointer(&c.cells.length))
	}
	code := c.call(function, c.ctx, uintptr(o), uintptr(unsafe.Pointer(&c.cells.value)), length)
	return c.cells.value, optionError("the driver's option", o, code)
}

// WriteFrame sends data to a device that takes some, as whole multiples of its
// write size. It may be called while another goroutine reads.
func (c *Controller) WriteFrame(a oni.Address, data []byte) error {
	c.mu.Lock()
	d, ok := c.table.Find(a)
	ctx, block := c.ctx, c.blocks[1]
	c.mu.Unlock()
	switch {
	case ctx == 0:
		return stateError("WriteFrame", "the controller is closed")
	case c.lib.createFrame == 0 || c.lib.writeFrame == 0:
		return errors.New("liboni: this library cannot write frames")
	case !ok:
		return fmt.Errorf("liboni: WriteFrame to %v: %w", a, oni.ErrNoDevice)
	case d.WriteSize == 0 || len(data) == 0 || int64(len(data))%int64(d.WriteSize) != 0 || int64(len(data))+8 > int64(block):
		return fmt.Errorf("liboni: WriteFrame to %v: %d bytes: want a multiple of %d, at most %d", a, len(data), d.WriteSize, block-8)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.writeCell.frame = nil
	if code := c.write(c.lib.createFrame, ctx, uintptr(unsafe.Pointer(&c.writeCell.frame)), uintptr(a), uintptr(unsafe.Pointer(&data[0])), uintptr(len(data))); code <= 0 {
		return &Error{"oni_create_frame", code}
	}
	frame := c.writeCell.frame
	c.writeCell.frame = nil
	code := c.write(c.lib.writeFrame, ctx, uintptr(unsafe.Pointer(frame)))
	c.write(c.lib.destroyFrame, uintptr(unsafe.Pointer(frame)))
	if code <= 0 {
		return &Error{"oni_write_frame", code}
	}
	return nil
}

// write calls a function of the group that writes frames; writing is held.
//
//go:uintptrescapes
func (c *Controller) write(function uintptr, args ...uintptr) int32 {
	n := copy(c.writeArgs[:], args)
	r, _, _ := purego.SyscallN(function, c.writeArgs[:n]...)
	return int32(uint32(r))
}
