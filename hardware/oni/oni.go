// Package oni holds the words of the Open Neuro Interface: addresses, devices,
// frames, the Source that delivers them (below), and the Controller around it
// (controller.go).
//
// Source: ONI specification; onix-devices 1.3, 1.6, 2.3 to 2.5.
package oni

import "fmt"

// An Address names one device of a controller: bytes from the highest are
// reserved, reserved, hub, index.
type Address uint32

// NewAddress returns the address of a hub's device.
func NewAddress(hub, index uint8) Address { return Address(hub)<<8 | Address(index) }

// Hub is the hub that hosts the device: 0 the host, 1 port A, 2 port B.
func (a Address) Hub() uint8 { return uint8(a >> 8) }

// Port is the port that the device belongs to: 1 for A, 2 for B, 0 for none.
//
// Devices of a headstage have a hub of their own, numbered as its port. On the
// host, the controllers of ports A and B are devices 1 and 2, and what
// passthrough headstages send comes from devices 8 and 9. Source: onix-devices 2.3.
func (a Address) Port() uint8 {
	if a.Hub() != 0 {
		return a.Hub()
	}
	switch a.Index() {
	case 1, 8:
		return 1
	case 2, 9:
		return 2
	}
	return 0
}

// Index is the device's place in its hub.
func (a Address) Index() uint8 { return uint8(a) }

// String returns the address as people write it: "0x0106".
func (a Address) String() string { return fmt.Sprintf("0x%04x", uint32(a)) }

// A Device is one entry of a device table.
type Device struct {
	Address   Address
	ID        uint32 // what kind of device; 0 is a place holder
	Version   uint32 // of the gateware
	ReadSize  uint32 // bytes of one sample, 0 if it gives none; may exceed the data sheet's by padding
	WriteSize uint32 // bytes of one written frame, 0 if it takes none
}

// A DeviceTable lists the devices of a controller in ascending address.
type DeviceTable []Device

// Find returns the device at an address.
func (t DeviceTable) Find(a Address) (Device, bool) {
	for _, d := range t {
		if d.Address == a {
			return d, true
		}
	}
	return Device{}, false
}

// A Hub is what a hub manager says of its board.
type Hub struct {
	ID       uint32 // which board; onix-devices 2.2
	Revision string // of the board: "1.0"
	Firmware string // "2.1"
	ClockHz  uint64 // of HubClock
}

// A Frame is one delivery of one device.
type Frame struct {
	Clock   uint64  // acquisition clock, ticks
	Address Address // who sent it
	Data    []byte  // the sample, without the padding of the wire
}

// A Source delivers the frames of one controller, real or simulated.
//
// The order of calls is Start, ReadInto until it returns an error, Stop; after
// Stop a source may be started again if its kind can. One goroutine at a time
// may call it: the caller that reads also stops. A source guarantees no bound on how long
// ReadInto blocks; controllers have a heartbeat device for that.
type Source interface {
	// Start sets the acquisition clock to 0 and begins acquisition.
	Start() error
	// ReadInto blocks for the next frame. f.Data is valid until the next
	// call. After Stop it returns io.EOF once the last frame is delivered; any
	// other error ends the acquisition too, and then *f means nothing.
	ReadInto(f *Frame) error
	// Stop ends acquisition. Frames that wait in the controller may still
	// come from ReadInto.
	Stop() error
}
