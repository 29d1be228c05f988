//go:build (linux || darwin || windows) && (amd64 || arm64)

package liboni

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/oniscope/oniscope/hardware/oni"
)

// A Controller is one board, opened. It is an oni.Controller.
type Controller struct {
	lib    *library
	config Config
	info   Info

	state   atomic.Int32
	reading atomic.Bool // a read is inside liboni, or about to be

	// Of the reader.
	readArgs, destroyArgs []uintptr
	frame                 []byte // copy of the sample that was read last
	readErr               error  // why no read follows

	mu       sync.Mutex // registers, options, life cycle
	args     [4]uintptr
	ctx      uintptr // 0: closed
	cells    *cells
	table    oni.DeviceTable
	clockHz  uint64
	blocks   [2]uint32 // to read, to write
	maxFrame [2]uint32 // likewise, headers included
	memory   uint64    // bytes of the hardware's buffer; 0: not asked yet
	replay   *replay   // nil: contexts can be started again

	writing   sync.Mutex // guards the two below
	writeArgs [5]uintptr
	writeCell *cells
}

// cells are where C puts what it returns. They are on the heap, for the life
// of a controller: stacks of Go move.
type cells struct {
	frame  *cFrame
	value  uint32
	length uintptr // size_t
}

// The states. liboni has the first two only; and after a start with
// RESETACQCOUNTER it believes to be idle while the hardware runs (onix-devices 1.4).
const (
	idle    int32 = iota
	running       // Start to Stop
	ending        // Stop was called while a read was inside; nothing was sent to the hardware yet
	stopped       // after Stop: reads give io.EOF
	closed
)

// Open loads liboni, opens a board and reads its device table. No voltage and
// no register is changed but by the reset that liboni does.
//
// An error says what was looked for, where, and what to do on this system.
func Open(config Config) (*Controller, error) {
	if err := checkDriver(config.Driver); err != nil {
		return nil, err
	}
	lib, err := find(config.Library)
	if err != nil {
		return nil, err
	}
	c := &Controller{
		lib: lib, config: config, cells: new(cells), writeCell: new(cells),
		readArgs: make([]uintptr, 2), destroyArgs: make([]uintptr, 1),
		info: Info{Driver: config.Driver, Library: lib.path, Version: lib.versionText()},
	}
	if config.Driver == DriverTest {
		c.replay = newReplay()
	}
	if err := c.create(); err != nil {
		return nil, err
	}
	c.info.DriverVersion = lib.info(c.ctx)
	return c, nil
}

// Info says which library and driver are at work.
func (c *Controller) Info() Info { return c.info }

// DeviceName is the library's name for a device ID, "" if it has no such table.
func (c *Controller) DeviceName(id uint32) string { return c.lib.name(c.lib.deviceName, id) }

// HubName is the library's name for a hub ID, "" if it has no such table.
func (c *Controller) HubName(id uint32) string { return c.lib.name(c.lib.hubName, id) }

// create makes a context and initialises it. mu is held, or nobody else knows
// the controller.
func (c *Controller) create() error {
	name := cString(c.config.Driver)
	if err := letDriverBeFound(folderOf(c.lib.path)); err != nil {
		return fmt.Errorf("liboni: the folder of %s: %w", c.lib.path, err)
	}
	ctx, _, _ := purego.SyscallN(c.lib.createCtx, uintptr(unsafe.Pointer(&name[0])))
	runtime.KeepAlive(name)
	if ctx == 0 {
		return noDriver(c.lib, c.config.Driver)
	}
	host := c.config.Host
	if host < 0 {
		host = -1
	}
	if code := c.call(c.lib.initCtx, ctx, uintptr(host)); code != 0 {
		c.call(c.lib.destroyCtx, ctx) // all that is left after a failure
		return noHardware(c.config.Driver, code)
	}
	c.ctx = ctx
	c.readArgs[0], c.readArgs[1] = ctx, uintptr(unsafe.Pointer(&c.cells.frame))
	err := c.describe()
	if err != nil {
		c.call(c.lib.destroyCtx, ctx)
		c.ctx = 0
	}
	return err
}

// call calls a function of the group of registers and options, or of the life
// cycle; mu is held.
//
//go:uintptrescapes
func (c *Controller) call(function uintptr, args ...uintptr) int32 {
	n := copy(c.args[:], args)
	r, _, _ := purego.SyscallN(function, c.args[:n]...)
	return int32(uint32(r)) // a C int; the upper half means nothing
}

// Bounds of what a controller may claim: every address has a device; a frame
// is far larger than that of any device (onix-devices 3.0).
const (
	maxDevices    = 1 << 16
	maxFrameBytes = 16 << 20
)

// describe reads what the controller consists of: as it is after a reset.
func (c *Controller) describe() error {
	count, err := c.option(optionNumDevices)
	if err != nil {
		return err
	}
	if count > maxDevices {
		return fmt.Errorf("liboni: a device table of %d entries: want at most %d", count, maxDevices)
	}
	devices := make([]cDevice, max(1, count))
	c.cells.length = uintptr(count) * unsafe.Sizeof(devices[0])
	if count > 0 {
		code := c.call(c.lib.getOpt, c.ctx, optionDeviceTable, uintptr(unsafe.Pointer(&devices[0])), uintptr(unsafe.Pointer(&c.cells.length)))
		runtime.KeepAlive(devices)
		if err := optionError("oni_get_opt", optionDeviceTable, code); err != nil {
			return err
		}
	}
	if got := c.cells.length / unsafe.Sizeof(devices[0]); got != uintptr(count) {
		return fmt.Errorf("liboni: a device table of %d entries, but %d were said", got, count)
	}
	table := make(oni.DeviceTable, count)
	for i, d := range devices[:count] {
		table[i] = oni.Device{Address: oni.Address(d.idx), ID: d.id, Version: d.version, ReadSize: d.readSize, WriteSize: d.writeSize}
	}
	c.table = table // liboni sorts it
	values := [5]uint32{}
	for i, option := range []uint32{optionAcqClockHz, uint32(oni.OptionMaxReadFrameSize), uint32(oni.OptionMaxWriteFrameSize), optionBlockReadSize, optionBlockWriteSize} {
		if values[i], err = c.option(option); err != nil {
			return err
		}
	}
	if c.clockHz = uint64(values[0]); c.clockHz == 0 {
		return errors.New("liboni: the acquisition clock has 0 Hz")
	}
	if values[1] > maxFrameBytes {
		return fmt.Errorf("liboni: frames of %d bytes: want at most %d", values[1], maxFrameBytes)
	}
	c.maxFrame, c.blocks = [2]uint32{values[1], values[2]}, [2]uint32{values[3], values[4]}
	return nil
}

// Start implements oni.Source. It zeroes the acquisition clock.
func (c *Controller) Start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ctx == 0:
		return stateError("Start", "the controller is closed")
	case c.reading.Load():
		return stateError("Start", "a read is inside")
	case c.readErr != nil:
		return stateError("Start", "a read failed; open the controller anew")
	}
	switch c.state.Load() {
	case running, ending:
		return stateError("Start", "acquisition runs")
	case stopped:
		if c.replay != nil {
			if err := c.renew(); err != nil {
				return err
			}
		}
	}
	if err := c.anyEnabled(); err != nil {
		return err
	}
	if n := int(c.maxFrame[0]); n > len(c.frame) {
		c.frame = make([]byte, n)
	}
	if err := c.begin(); err != nil {
		return err
	}
	c.state.Store(running)
	return nil
}

// begin lets the hardware run. Source: onix-devices 2.6 step 7.
func (c *Controller) begin() error {
	if c.replay != nil { // its clock begins with its context, and RUNNING latches what is enabled; 1.10
		return c.setOption(optionRunning, 1)
	}
	address, err := c.option(uint32(oni.OptionHardwareAddress))
	if err != nil && !errors.Is(err, oni.ErrOption) {
		return err
	}
	const alone = 2 // zero the clock and start in the same instant
	if address>>16&0xFF == 0 {
		return c.setOption(optionResetCounter, alone)
	}
	if err := c.setOption(optionResetCounter, 1); err != nil {
		return err
	}
	return c.setOption(optionRunning, 1)
}

// ReadInto implements oni.Source: it blocks for the next frame, copies its
// sample and gives the frame back. After Stop it returns io.EOF and touches
// nothing. An error ends reading for good, since frames may be out of line.
func (c *Controller) ReadInto(f *oni.Frame) error {
	c.reading.Store(true)
	defer c.reading.Store(false)
	if c.state.Load() != running || c.readErr != nil {
		return c.notReading()
	}
	r, _, _ := purego.SyscallN(c.lib.readFrame, c.readArgs...)
	got := c.cells.frame
	c.cells.frame = nil
	if code := int32(uint32(r)); code < 0 {
		c.readErr = &Error{"oni_read_frame", code}
		return c.readErr
	}
	if got == nil {
		c.readErr = errors.New("liboni: oni_read_frame: success, but no frame")
		return c.readErr
	}
	n := got.length
	if int64(n) <= int64(len(c.frame)) && got.data != nil {
		copy(c.frame, unsafe.Slice(got.data, n))
		*f = oni.Frame{Clock: got.time, Address: oni.Address(got.idx), Data: c.frame[:n:n]}
	} else {
		c.readErr = fmt.Errorf("liboni: a frame of %d bytes from %v: want at most %d", n, oni.Address(got.idx), len(c.frame))
	}
	c.destroyArgs[0] = uintptr(unsafe.Pointer(got))
	purego.SyscallN(c.lib.destroyFrame, c.destroyArgs...)
	runtime.KeepAlive(c)
	return c.readErr
}

// notReading says why a read is not possible.
func (c *Controller) notReading() error {
	switch c.state.Load() {
	case ending, stopped:
		return io.EOF
	case running:
		return c.readErr
	case closed:
		return stateError("ReadInto", "the controller is closed")
	}
	return stateError("ReadInto", "acquisition does not run")
}

// Stop implements oni.Source. The reader must be outside: if it is not, nothing
// is sent to the hardware, the reader's next call returns io.EOF, and Stop
// fails with oni.ErrState until it is called again after that. Frames that were
// not read yet are gone.
//
// Source: onix-devices 1.13.
func (c *Controller) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stop()
}

func (c *Controller) stop() error {
	switch c.state.Load() {
	case stopped:
		return nil
	case running, ending:
	case closed:
		return stateError("Stop", "the controller is closed")
	default:
		return stateError("Stop", "acquisition does not run")
	}
	c.state.Store(ending)
	if c.reading.Load() {
		return stateError("Stop", "a read does not return; the hardware was left running")
	}
	if err := c.setOption(optionRunning, 0); err != nil {
		return err
	}
	c.state.Store(stopped)
	return nil
}

// Reset implements oni.Controller.
func (c *Controller) Reset() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.still("Reset"); err != nil {
		return err
	}
	if err := c.setOption(optionReset, 1); err != nil {
		return err
	}
	return c.describe()
}

// still returns an error unless the controller is open and acquisition does
// not run.
func (c *Controller) still(call string) error {
	if c.ctx == 0 {
		return stateError(call, "the controller is closed")
	}
	if s := c.state.Load(); s == running || s == ending || c.reading.Load() {
		return stateError(call, "acquisition runs")
	}
	return nil
}

// Close implements oni.Controller: it stops acquisition and gives the board
// back. While a read is inside, the context cannot be destroyed: Close then
// leaves it open and returns an error that says so.
func (c *Controller) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == 0 {
		return nil
	}
	if c.reading.Load() {
		return stateError("Close", "a read does not return; the controller was left open")
	}
	var stopping error
	if s := c.state.Load(); s == running || s == ending {
		stopping = c.stop()
		if c.reading.Load() {
			return stopping
		}
	}
	c.state.Store(closed)
	code := c.call(c.lib.destroyCtx, c.ctx)
	c.ctx, c.readArgs[0] = 0, 0
	return errors.Join(stopping, failed("oni_destroy_ctx", code))
}
