package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/headstage"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/rig"
)

// Draft looks at a board for a rig file. headstages are the kinds that the user
// says are plugged in, by port; "" nothing. Ports with one that can be
// configured are powered by its procedure, looked at, and are at 0 V again when
// Draft returns.
func Draft(ctx context.Context, c oni.Controller, driver string, headstages []string) (d rig.Draft, err error) {
	d = rig.Draft{Driver: driver, Table: c.Table(), Headstages: map[string]string{}, Notes: map[string]string{}}
	host, err := c.Hub(0)
	if err != nil {
		return d, err
	}
	d.About = strings.TrimSpace(fmt.Sprintf("%s %s, firmware %s", device.HubName(host.ID), host.Revision, host.Firmware))
	wanted := headstage.Rig{Sleep: sleep}
	for i, kind := range headstages {
		port := rig.PortNames[i]
		if d.Headstages[port] = kind; headstage.Supported(kind) {
			wanted.Ports[i].Headstage = kind
		} else if kind != "" {
			d.Notes[port] = "not looked at: this version does not configure it"
		}
	}
	if wanted.Ports == [2]headstage.Port{} || driver == rig.DriverSim {
		return d, ctx.Err()
	}
	var out wayOut
	defer func() { err = errors.Join(err, out.leave()) }()
	report, err := headstage.Inspect(ctx, c, wanted, out.add)
	if err != nil {
		return d, err
	}
	d.Table = c.Table()
	for i, port := range rig.PortNames {
		if wanted.Ports[i].Headstage != "" {
			note(&d, port, report)
		}
	}
	return d, nil
}

// note writes down what was found at a port.
func note(d *rig.Draft, port string, report *headstage.Report) {
	at := report.Facts("port-" + port)
	d.Notes[port] = fmt.Sprintf("locks at %s, runs at %s", tenths(at[headstage.FactLockVoltage]), tenths(at[headstage.FactPortVoltage]))
	for _, key := range rig.DeviceKeys() {
		if !strings.HasPrefix(key, "port-"+port+"/") {
			continue
		}
		if slices.Contains(report.Absent, key) {
			d.Absent = append(d.Absent, key)
			d.Notes[key] = "no probe there"
			continue
		}
		facts := report.Facts(key)
		serial := facts[headstage.FactProbeSerial]
		if serial == "" {
			continue
		}
		d.Notes[key] = "serial number " + serial
		if part := facts[headstage.FactProbePart]; part != "" {
			d.Notes[key] += ", " + part
		}
		d.Serials = append(d.Serials, serial)
	}
}

// tenths writes a voltage in tenths of a volt for people.
func tenths(dV string) string {
	if n := len(dV); n > 1 {
		return dV[:n-1] + "." + dV[n-1:] + " V"
	}
	return "an unknown voltage"
}
