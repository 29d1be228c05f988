package device

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/hardware/oni"
)

// HubName is the board of a hub ID, "" if there is none of that number.
// Source: onix-devices 2.2.
func HubName(id uint32) string { return hubNames[id] }

// idNames are those of device IDs that no kind has, and of the
// place holder. Source: onix-devices 2.1.
var idNames = map[uint32]string{
	0: "place holder", 1: "information", 2: "RHD2132", 3: "RHD2164", 4: "electrical stimulator", 5: "optical stimulator", 6: "TS4231",
	7: "digital inputs", 8: "digital outputs", 9: "BNO055", 10: "test device", 11: "Neuropixels 1.0f", 12: "heartbeat", 13: "AD51X2",
	14: "FMC voltage control", 15: "AD7617", 16: "AD576X", 17: "test register", 18: "digital inputs and outputs", 19: "clock input",
	20: "clock output", 21: "TS4231 array, version 2", 22: "analog inputs and outputs", 23: "port controller", 24: "passthrough (DS90UB9x)",
	25: "TS4231 array", 26: "MAX10 converter", 27: "load tester", 28: "memory monitor", 30: "Harp sync input", 31: "RHS2116",
	32: "RHS2116 trigger", 33: "Nric1384", 34: "raw I2C", 35: "persistent heartbeat",
}

// IDName is what a device ID means, "" if nothing is known of it.
func IDName(id uint32) string { return idNames[id] }

// hostFirmware is the major version of the host's firmware that everything
// here is written for. Source: onix-devices 2.4.
const hostFirmware = 2

// HubFaults says what is known to be wrong with the firmware of a hub; the host
// is hub 0. Source: onix-devices 2.4, 3.13.
func HubFaults(hub uint8, h oni.Hub) []string {
	major, _, _ := strings.Cut(h.Firmware, ".")
	version, err := strconv.Atoi(major)
	switch {
	case err != nil:
		return nil
	case hub == 0 && h.ID == 1 && version != hostFirmware:
		return []string{fmt.Sprintf("firmware %s of the host: want %d.x; nothing can be recorded with it", h.Firmware, hostFirmware)}
	case h.ID == 3 && version == 1:
		return []string{"firmware " + h.Firmware + " sends the hub clock of the orientation sensor, and the pulse widths of the TS4231, with their bytes in the wrong order"}
	}
	return nil
}
