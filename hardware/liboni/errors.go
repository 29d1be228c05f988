package liboni

import (
	"fmt"

	"github.com/oniscope/oniscope/hardware/oni"
)

// An Error is a call of liboni that failed.
type Error struct {
	Call string // what was called: "oni_init_ctx"
	Code int32  // what it returned
}

func (e *Error) Error() string {
	text := codes[e.Code]
	if text == "" {
		text = "an error that liboni 4.6 does not have"
	}
	return fmt.Sprintf("liboni: %s: %s (%d)", e.Call, text, e.Code)
}

// Codes that are judged by name. Source: onix-devices 1.5.
const (
	codeNoDevice  = -3
	codeRead      = -5
	codeWrite     = -6
	codeRetrigger = -13
	codeInit      = -22

	codeNoOption      = -10
	codeArgument      = -11
	codeReadOnly      = -18
	codeUnimplemented = -19
	codeWriteOnly     = -23
	codeProtected     = -27
)

// codes are the texts of onix-devices 1.5. liboni has a function for them, which
// ends the process if the number is not one of its own.
var codes = map[int32]string{
	-1:                "a stream of the hardware could not be opened",
	-2:                "invalid device ID",
	codeNoDevice:      "no device at that address",
	-4:                "the data are not a multiple of the device's write size",
	codeRead:          "reading from the hardware failed",
	codeWrite:         "writing to the hardware failed",
	-7:                "no context",
	-8:                "a stream of the hardware could not be positioned",
	-9:                "not allowed in the present state",
	codeNoOption:      "unknown option",
	codeArgument:      "bad argument",
	-12:               "a packet of the signal channel is corrupt",
	codeRetrigger:     "an earlier operation of the hardware is unfinished",
	-14:               "a buffer has the wrong size",
	-15:               "the device table is malformed",
	-16:               "no memory",
	-17:               "closing the hardware failed",
	codeReadOnly:      "read only",
	codeUnimplemented: "not implemented",
	-20:               "the read block is too small, or no multiple of 4 bytes",
	-21:               "no device of the table produces data",
	codeInit:          "the hardware could not be initialised",
	codeWriteOnly:     "write only",
	-24:               "the write block is too small, or no multiple of 4 bytes",
	-25:               "the device accepts no data",
	-26:               "the device table has an address twice",
	codeProtected:     "a protected option",
	-28:               "a malformed frame",
	-29:               "the controller is not compatible with this liboni",
}

// failed makes an error of what a call returned: nil for 0. A positive number
// where 0 is due is an error too.
func failed(call string, code int32) error {
	if code == 0 {
		return nil
	}
	return &Error{call, code}
}

// optionError distinguishes options that the controller lacks, or does not take, from
// other failures.
func optionError(call string, option uint32, code int32) error {
	switch code {
	case 0:
		return nil
	case codeNoOption, codeArgument, codeReadOnly, codeUnimplemented, codeWriteOnly, codeProtected:
		return fmt.Errorf("liboni: option %d: %s (%d): %w", option, codes[code], code, oni.ErrOption)
	}
	return fmt.Errorf("option %d: %w", option, &Error{call, code})
}

// registerError says which access failed. A device that refuses and one that
// is not there have codes of their own: onix-devices 1.9.
func registerError(a oni.Address, register uint32, write bool, code int32) error {
	var cause error
	switch {
	case code == 0:
		return nil
	case !write && code == codeRead, write && code == codeWrite:
		cause = oni.ErrNACK
	case code == codeNoDevice:
		cause = oni.ErrNoDevice
	case write:
		cause = &Error{"oni_write_reg", code}
	default:
		cause = &Error{"oni_read_reg", code}
	}
	return &oni.RegisterError{Address: a, Register: register, Write: write, Err: cause}
}

// stateError is a call out of order, with the reason.
func stateError(call, reason string) error {
	return fmt.Errorf("liboni: %s: %s: %w", call, reason, oni.ErrState)
}
