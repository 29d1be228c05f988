// Package neuropixels knows the probes themselves, apart from the headstages that
// carry them: their electrodes and which channel each can be connected to, the
// bits of their shift registers, their calibration files, and probe-interface
// JSON.
//
// Everything is a pure function of bytes and numbers.
//
// Source: onix-devices 5.3, 5.4, 6.6, 6.8, 6.13.
package neuropixels

import (
	"errors"
	"fmt"
	"slices"
)

// Channels is how many electrodes a probe reads at a time.
const Channels = 384

// Contacts on one shank of a 2.0 probe, and on the shank of a 1.0 probe.
const (
	contactsV1      = 960
	contactsV2Shank = 1280
)

// A Model is a kind of probe by its electrodes.
type Model uint8

// The models.
const (
	V1       Model = iota // 1.0: 960 electrodes on one shank
	V2Single              // 2.0, one shank: 1280 electrodes
	V2Four                // 2.0, four shanks: 1280 each
)

// Name is that of probe-interface files. Source: onix-devices 5.4.
func (m Model) Name() string {
	return [...]string{"Neuropixels 1.0", "Neuropixels 2.0 - single shank", "Neuropixels 2.0 - multishank"}[m]
}

// Shanks is 1 or 4.
func (m Model) Shanks() int {
	if m == V2Four {
		return 4
	}
	return 1
}

// Contacts is how many electrodes the probe has on all shanks.
func (m Model) Contacts() int {
	if m == V1 {
		return contactsV1
	}
	return contactsV2Shank * m.Shanks()
}

// Shank returns the shank of an electrode, from 0, and its number on that shank.
func (m Model) Shank(electrode int) (shank, onShank int) {
	perShank := m.Contacts() / m.Shanks()
	return electrode / perShank, electrode % perShank
}

// Position is where an electrode lies, in um: x to the right, y from the tip up.
// Source: onix-devices 5.4.
func (m Model) Position(electrode int) (x, y float64) {
	shank, e := m.Shank(electrode)
	if m == V1 {
		return []float64{27, 59, 11, 43}[e%4], float64(20*(e/2) + 170)
	}
	return float64(200 + 250*shank + 11 + []int{8, 40}[e%2]), float64(15*(e/2) + 170)
}

// singleShank are, for each bank of a 2.0 probe with one shank, the factor of the
// row and what the odd column is shifted by. Source: onix-devices 5.4.
var singleShank = [4]struct{ factor, shift int }{{1, 0}, {7, 4}, {5, 8}, {3, 12}}

// fourShanks is the block of 48 channels that a block of 48 electrodes goes to,
// by shank. Source: onix-devices 5.4.
var fourShanks = [4][8]int{
	{0, 2, 4, 6, 5, 7, 1, 3},
	{1, 3, 5, 7, 4, 6, 0, 2},
	{4, 6, 0, 2, 1, 3, 5, 7},
	{5, 7, 1, 3, 0, 2, 4, 6},
}

// Channel is the channel that an electrode can be connected to, 0 to 383.
// Source: onix-devices 5.4.
func (m Model) Channel(electrode int) int {
	switch m {
	case V2Single:
		bank, b := singleShank[electrode/Channels], electrode%Channels
		block, row, column := b/32, b%32/2, electrode%2
		return 32*block + 2*((row*bank.factor+column*bank.shift)%16) + column
	case V2Four:
		shank, e := m.Shank(electrode)
		return 48*fourShanks[shank][e%Channels/48] + e%48
	}
	return electrode % Channels
}

// A Selection is which electrode each channel is connected to.
type Selection [Channels]int

// ErrSelection says that electrodes cannot be connected that way.
var ErrSelection = errors.New("not a selection of electrodes")

// Select connects electrodes, in any order. There must be 384, no two of the same
// channel; otherwise it returns ErrSelection.
func (m Model) Select(electrodes []int) (Selection, error) {
	var s Selection
	for i := range s {
		s[i] = -1
	}
	if len(electrodes) != Channels {
		return Selection{}, fmt.Errorf("neuropixels: %w: %d electrodes are connected, want %d", ErrSelection, len(electrodes), Channels)
	}
	for _, e := range electrodes {
		if e < 0 || e >= m.Contacts() {
			return Selection{}, fmt.Errorf("neuropixels: %w: electrode %d, a %s has 0 to %d", ErrSelection, e, m.Name(), m.Contacts()-1)
		}
		ch := m.Channel(e)
		if s[ch] >= 0 {
			return Selection{}, fmt.Errorf("neuropixels: %w: electrodes %d and %d share channel %d", ErrSelection, s[ch], e, ch)
		}
		s[ch] = e
	}
	return s, nil
}

// Banks are the names of the banks of a model, in the order from the tip.
func (m Model) Banks() []string {
	if m == V1 {
		return []string{"A", "B", "C"}
	}
	return []string{"A", "B", "C", "D"}
}

// Bank returns the electrodes of a bank: A the 384 next to the tip, B the next.
// The last bank has fewer electrodes of its own; it is the 384 farthest from the
// tip, so that every channel is connected. shank is 0 to 3, and 0 for probes
// with one.
func (m Model) Bank(bank string, shank int) (Selection, error) {
	i := slices.Index(m.Banks(), bank)
	if i < 0 {
		return Selection{}, fmt.Errorf("neuropixels: %w: bank %q; possible: %v", ErrSelection, bank, m.Banks())
	}
	if shank < 0 || shank >= m.Shanks() {
		return Selection{}, fmt.Errorf("neuropixels: %w: shank %d, a %s has %d", ErrSelection, shank+1, m.Name(), m.Shanks())
	}
	perShank := m.Contacts() / m.Shanks()
	first := shank*perShank + min(i*Channels, perShank-Channels)
	electrodes := make([]int, Channels)
	for e := range electrodes {
		electrodes[e] = first + e
	}
	return m.Select(electrodes)
}
