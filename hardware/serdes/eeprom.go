package serdes

import (
	"errors"
	"fmt"
)

// EEPROMAddress is the I2C address of a headstage's EEPROM, the only chip whose
// registers have addresses of 16 bits. Source: onix-devices 2.7, 2.8.
const EEPROMAddress = 0x51

// ErrEEPROM says that an EEPROM answers but has not what a headstage's has.
var ErrEEPROM = errors.New("not the EEPROM of a headstage")

// A Board is what the EEPROM of a headstage says of it.
type Board struct {
	ID           uint32 // which headstage; onix-devices 2.2
	Major, Minor uint8  // revision
	Name         string // ASCII, "" if it has none
}

// Revision is major and minor as people write them: "1.0".
func (b Board) Revision() string { return fmt.Sprintf("%d.%d", b.Major, b.Minor) }

// AtLeast reports whether the revision is major.minor or later.
func (b Board) AtLeast(major, minor uint8) bool {
	return b.Major > major || b.Major == major && b.Minor >= minor
}

// ReadBoard reads the EEPROM of the headstage. It returns oni.ErrNACK if no
// EEPROM answers, and ErrEEPROM if what it says is not valid.
//
// Source: onix-devices 2.8.
func (l Link) ReadBoard() (Board, error) {
	read := func(offset uint16) (uint8, error) {
		v, err := l.regs.ReadRegister(l.address, i2cRegister(EEPROMAddress, offset, true))
		if err != nil {
			return 0, l.Chip(EEPROMAddress).explain(offset, false, err)
		}
		return uint8(v), nil
	}
	return parseBoard(read)
}

const (
	headerBytes   = 16
	headerVersion = 1
	deviceInfo    = 6 // byte of the header: offset of the device info in units of 8 bytes
	unit          = 8

	infoVersion  = 1
	infoName     = 9 // first byte of the name
	infoSmallest = 10
)

// parseBoard reads header and device info byte by byte.
func parseBoard(read func(offset uint16) (uint8, error)) (Board, error) {
	take := func(offset, n int) ([]byte, error) {
		bytes := make([]byte, n)
		for i := range bytes {
			var err error
			if bytes[i], err = read(uint16(offset + i)); err != nil {
				return nil, err
			}
		}
		return bytes, nil
	}
	header, err := take(0, headerBytes)
	if err != nil {
		return Board{}, err
	}
	switch {
	case string(header[:4]) != "HSOE":
		return Board{}, fmt.Errorf("serdes: %w: it begins with % x", ErrEEPROM, header[:4])
	case byteSum(header) != 0:
		return Board{}, fmt.Errorf("serdes: %w: the checksum of its header is wrong", ErrEEPROM)
	case header[4] != headerVersion:
		return Board{}, fmt.Errorf("serdes: %w: version %d of its header, want %d", ErrEEPROM, header[4], headerVersion)
	case header[deviceInfo] == 0:
		return Board{}, fmt.Errorf("serdes: %w: it does not say which headstage it is", ErrEEPROM)
	}
	start := unit * int(header[deviceInfo])
	head, err := take(start, 2)
	if err != nil {
		return Board{}, err
	}
	length := unit * int(head[1]) // at most 2040 bytes
	if head[0] != infoVersion || length < infoSmallest {
		return Board{}, fmt.Errorf("serdes: %w: device info of version %d and %d bytes, want version %d", ErrEEPROM, head[0], length, infoVersion)
	}
	rest, err := take(start+2, length-2)
	if err != nil {
		return Board{}, err
	}
	info := append(head, rest...)
	if byteSum(info) != 0 {
		return Board{}, fmt.Errorf("serdes: %w: the checksum of its device info is wrong", ErrEEPROM)
	}
	name := int(info[8])
	if infoName+name > length {
		return Board{}, fmt.Errorf("serdes: %w: a name of %d bytes in a device info of %d", ErrEEPROM, name, length)
	}
	return Board{
		ID:    uint32(info[2]) | uint32(info[3])<<8 | uint32(info[4])<<16 | uint32(info[5])<<24,
		Minor: info[6], Major: info[7],
		Name: Text(info[infoName : infoName+name]),
	}, nil
}

func byteSum(bytes []byte) (sum uint8) {
	for _, b := range bytes {
		sum += b
	}
	return sum
}

// Text is the ASCII text in bytes up to the first NUL, without what cannot be
// printed and spaces at its ends.
func Text(bytes []byte) string {
	var text []byte
	for _, b := range bytes {
		if b == 0 {
			break
		}
		if b >= ' ' && b <= '~' {
			text = append(text, b)
		}
	}
	for len(text) > 0 && text[len(text)-1] == ' ' {
		text = text[:len(text)-1]
	}
	for len(text) > 0 && text[0] == ' ' {
		text = text[1:]
	}
	return string(text)
}
