package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/liboni"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/run"
)

// A boardFlags says which board a command opens.
type boardFlags struct{ driver, library string }

func (b *boardFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&b.driver, "driver", rig.DriverRiffa, "`DRIVER` of the board: riffa (the PCIe host), test (liboni without hardware) or sim (simulated)")
	fl.StringVar(&b.library, "liboni", "", liboniHelp)
}

// open opens the board. Nothing is changed on it but by the reset that comes
// with opening.
func (b *boardFlags) open() (oni.Controller, error) {
	if err := rig.CheckDriver(b.driver, "--driver"); err != nil {
		return nil, &usageError{err}
	}
	return run.OpenBoard(b.driver, b.library)
}

const devicesHelp = `Devices opens a controller and lists what it consists of: driver and library,
the hubs with their boards, revisions and firmware, and the device table. It
changes no voltage: a headstage on a port that has none is not seen.

Opening a board resets it, so a board that another program uses is refused.`

// A deviceEntry is one object of `devices --json`.
type deviceEntry struct {
	Address   string `json:"address"` // "0x0106"
	ID        uint32 `json:"id"`
	Name      string `json:"name"`
	Version   uint32 `json:"version"`
	ReadSize  uint32 `json:"read_size"`  // bytes of a sample, 0: sends none
	WriteSize uint32 `json:"write_size"` // bytes of a written frame, 0: takes none

	Hub         uint8    `json:"hub"` // 0: the host, 1: port A, 2: port B
	HubID       uint32   `json:"hub_id"`
	HubName     string   `json:"hub_name"`
	HubRevision string   `json:"hub_revision"`
	HubFirmware string   `json:"hub_firmware"`
	HubClockHz  uint64   `json:"hub_clock_hz"`
	HubFaults   []string `json:"hub_faults"` // known of this firmware
}

func (a *app) devicesCommand() *cobra.Command {
	b := &boardFlags{}
	return a.add(verb{
		use: "devices [--driver riffa]", short: "List hubs, firmware and devices of a controller", long: devicesHelp,
		example: `  oniscope devices --driver riffa --json`,
		args:    noArguments, json: "print an array, one object a device",
		flags: b.add,
		run:   func(context.Context, []string) error { return a.devices(b) },
	})
}

func (a *app) devices(b *boardFlags) error {
	c, err := b.open()
	if err != nil {
		return err
	}
	err = a.listDevices(c, b.driver)
	return errors.Join(err, c.Close())
}

func (a *app) listDevices(c oni.Controller, driver string) error {
	names, about := device.IDName, "driver "+driver
	if board, ok := c.(*liboni.Controller); ok {
		info := board.Info()
		about = fmt.Sprintf("driver %s %s, liboni %s (%s)", info.Driver, info.DriverVersion, info.Version, info.Library)
		names = func(id uint32) string { // a newer library may know more
			if name := device.IDName(id); name != "" {
				return name
			}
			return board.DeviceName(id)
		}
	}
	about += fmt.Sprintf(", acquisition clock %s", megahertz(c.AcqClockHz()))
	hubs := map[uint8]oni.Hub{}
	order := []uint8{}
	entries := []deviceEntry{}
	for _, d := range c.Table() {
		number := d.Address.Hub()
		hub, known := hubs[number]
		if !known {
			var err error
			if hub, err = c.Hub(number); err != nil {
				fmt.Fprintf(a.stderr, "oniscope: %s\n", oneLine(err))
			}
			hubs[number] = hub
			order = append(order, number)
		}
		if d.ID == 0 {
			continue // place holders
		}
		name := names(d.ID)
		if name == "" {
			name = "unknown"
		}
		entries = append(entries, deviceEntry{
			Address: d.Address.String(), ID: d.ID, Name: name, Version: d.Version, ReadSize: d.ReadSize, WriteSize: d.WriteSize,
			Hub: number, HubID: hub.ID, HubName: hubName(hub), HubRevision: hub.Revision, HubFirmware: hub.Firmware, HubClockHz: hub.ClockHz,
			HubFaults: append([]string{}, device.HubFaults(number, hub)...),
		})
	}
	if a.json {
		fmt.Fprintln(a.stderr, about)
		return a.writeJSON(entries)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(a.stdout, "%s\n\n", about)
	fmt.Fprintln(w, "hub\tboard\trevision\tfirmware\tclock")
	for _, number := range order {
		hub := hubs[number]
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", number, hubName(hub), hub.Revision, hub.Firmware, megahertz(hub.ClockHz))
	}
	fmt.Fprintln(w, "\naddress\tdevice\tID\tversion\tread\twrite")
	for _, e := range entries {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\n", e.Address, e.Name, e.ID, e.Version, e.ReadSize, e.WriteSize)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, number := range order {
		for _, fault := range device.HubFaults(number, hubs[number]) {
			fmt.Fprintf(a.stdout, "\nhub %d: %s\n", number, fault)
		}
	}
	return nil
}

// hubName is the board of a hub in words.
func hubName(h oni.Hub) string {
	switch name := device.HubName(h.ID); {
	case name != "":
		return name
	case h == oni.Hub{}:
		return "no answer"
	}
	return fmt.Sprintf("unknown board %d", h.ID)
}

// megahertz writes a clock for people.
func megahertz(hz uint64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.6f", float64(hz)/1e6), "0"), ".") + " MHz"
}
