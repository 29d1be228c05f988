package sim

import (
	"slices"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A headstageBoard is a headstage with devices of its own: what its hub says of
// it, and its part of the device table. Source: onix-devices 2.2, 2.5, 9.1.
type headstageBoard struct {
	hub     oni.Hub
	devices oni.DeviceTable // addresses are indices in the hub
}

var headstageBoards = map[string]headstageBoard{
	device.HeadstageHS64: {oni.Hub{ID: 2, ClockHz: 42_000_000}, oni.DeviceTable{
		{Address: 0, ID: device.IDRhd2164, Version: 1, ReadSize: 142},
		{Address: 1, ID: device.IDBNO055, Version: 1, ReadSize: 36},
		{Address: 2, ID: device.IDTS4231, Version: 1, ReadSize: 16},
		{Address: 3, ID: 4, Version: 1}, // the stimulators send nothing
		{Address: 4, ID: 5, Version: 1},
	}},
	device.HeadstageRhs2116: {oni.Hub{ID: 4, ClockHz: 50_000_000}, oni.DeviceTable{
		{Address: 0, ID: device.IDRhs2116, Version: 3, ReadSize: 74},
		{Address: 1, ID: device.IDRhs2116, Version: 3, ReadSize: 74},
		{Address: 2, ID: device.IDRhs2116Trigger, Version: 2, ReadSize: 14},
	}},
	device.HeadstageNeuropixelsV1f: {oni.Hub{ID: 3, ClockHz: 42_000_000}, oni.DeviceTable{
		{Address: 0, ID: device.IDNeuropixelsV1f, Version: 1, ReadSize: 944},
		{Address: 1, ID: device.IDNeuropixelsV1f, Version: 1, ReadSize: 944},
		{Address: 2, ID: device.IDBNO055, Version: 1, ReadSize: 36},
		{Address: 3, ID: device.IDTS4231, Version: 1, ReadSize: 16},
	}},
	device.HeadstageNric1384: {oni.Hub{ID: 9, ClockHz: 42_000_000}, oni.DeviceTable{
		{Address: 0, ID: device.IDNric1384, Version: 1, ReadSize: 844},
		{Address: 1, ID: device.IDBNO055, Version: 1, ReadSize: 36},
	}},
}

// headstageTable is the device table's part of the headstages that are linked.
func (c *controller) headstageTable() oni.DeviceTable {
	return slices.DeleteFunc(c.boards(), func(dev oni.Device) bool {
		port := int(dev.Address.Port()) - 1
		return c.cold != nil && (!c.cold.linked(port) || c.options[oni.OptionPortFunc]>>(2*port)&1 == 1)
	})
}

// boards lists the devices of all headstages that are plugged in.
func (c *controller) boards() (table oni.DeviceTable) {
	for port, key := range c.cfg.Ports {
		for _, dev := range headstageBoards[key].devices {
			dev.Address = oni.NewAddress(uint8(port+1), uint8(dev.Address))
			table = append(table, dev)
		}
	}
	return table
}

// hubHz is the rate of the hub clock of an address.
func (c *controller) hubHz(a oni.Address) uint64 {
	if board, ok := headstageBoards[c.headstage(a)]; ok && a.Hub() > 0 {
		return board.hub.ClockHz
	}
	return ClockHz
}

// enableRegister is the number of ENABLE of a device: chips that have a space
// of their own have it above that. Source: onix-devices 2.7.
func enableRegister(id uint32) uint32 {
	switch id {
	case device.IDPassthrough, device.IDRhd2164, device.IDRhs2116, device.IDNeuropixelsV1f, device.IDNric1384:
		return regEnableRaw
	}
	return regEnable
}

// powerUpHeadstages gives the devices of headstages their registers: ENABLE, as
// the others need what the simulator does not show.
func (c *controller) powerUpHeadstages(r registers) {
	for port, key := range c.cfg.Ports {
		board, ok := headstageBoards[key]
		if !ok {
			continue
		}
		r.hub(uint8(port+1), []uint32{board.hub.ID, 1 << 8, 1 << 8, 1 << 8, uint32(board.hub.ClockHz), 0})
	}
	for _, dev := range c.boards() {
		r.add(dev.Address, enableRow(dev.ID))
		if dev.ReadSize > 0 {
			r.set(dev.Address, enableRegister(dev.ID), 1)
		}
	}
}
