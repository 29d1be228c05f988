package device_test

import (
	"fmt"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A decoder is made from an entry of the device table. It fills batches, which
// whoever writes them empties, or replaces by others.
func Example() {
	dev := oni.Device{Address: 0x7, ID: device.IDDigitalIO, Version: 2, ReadSize: 12}
	dec, err := device.New(dev, device.Config{AcqClockHz: 250e6, Hub: oni.Hub{ClockHz: 250e6}})
	if err != nil {
		fmt.Println(err)
		return
	}
	batches := device.NewBatches(dec)
	for clock := range uint64(3) {
		sample := device.DigitalIO{HubClock: 1000 + clock, Inputs: 1 << clock}.AppendTo(nil)
		frame := oni.Frame{Clock: clock, Address: dev.Address, Data: sample}
		if err := dec.Decode(&frame, batches); err != nil {
			fmt.Println(err) // one bad frame does not end it
		}
	}
	s := dec.Streams()[0]
	fmt.Println(s.Name, batches[0].Rows, "rows; inputs", batches[0].Columns[s.Column("DigitalInputs")])
	batches[0].Reset()
	// Output: digital-io 3 rows; inputs [1 2 4]
}
