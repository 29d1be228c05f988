package serdes_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/serdes"
)

// chips are registers that keep what is written, whatever their numbers.
type chips struct {
	values  map[uint32]uint32
	journal [][2]uint32 // register, value: writes
	refuse  func(register uint32) bool
}

func (c *chips) ReadRegister(a oni.Address, register uint32) (uint32, error) {
	v, ok := c.values[register]
	if !ok || c.refuse != nil && c.refuse(register) {
		return 0, &oni.RegisterError{Address: a, Register: register, Err: oni.ErrNACK}
	}
	return v, nil
}

func (c *chips) WriteRegister(a oni.Address, register, value uint32) error {
	if a != 9 || c.refuse != nil && c.refuse(register) {
		return &oni.RegisterError{Address: a, Register: register, Write: true, Err: oni.ErrNACK}
	}
	c.journal = append(c.journal, [2]uint32{register, value})
	c.values[register] = value
	return nil
}

func newLink() (*chips, serdes.Link) {
	c := &chips{values: map[uint32]uint32{}}
	return c, serdes.NewLink(c, 2)
}

// TestAddressesOfChips: the example of onix-devices 2.7 first.
func TestAddressesOfChips(t *testing.T) {
	c, link := newLink()
	c.values[0x0D28] = 0x1A5
	if v, err := link.Chip(0x28).Read(0x1A); err != nil || v != 0xA5 {
		t.Errorf("got 0x%x, %v", v, err)
	}
	if err := link.Chip(0x70).Write(0xFF, 0x81); err != nil || !slices.Equal(c.journal, [][2]uint32{{0x7FF0, 0x81}}) {
		t.Errorf("got %x, %v", c.journal, err)
	}
	c.values[0x0D<<7|0x58] = 0x91
	if err := link.Chip(serdes.Serializer).Change(serdes.GPIO01, 0x80, 0x08); err != nil || c.values[0x0D<<7|0x58] != 0x19 {
		t.Errorf("got 0x%x, %v", c.values[0x0D<<7|0x58], err)
	}
}

func TestAChipThatDoesNotAnswerIsNamed(t *testing.T) {
	_, link := newLink()
	_, err := link.Chip(0x50).Read(0x1A)
	var access *serdes.AccessError
	if !errors.As(err, &access) || !errors.Is(err, oni.ErrNACK) || access.Chip != 0x50 || access.Register != 0x1A || access.Write {
		t.Errorf("got %#v", err)
	}
	if want := "reading register 0x1a of the chip at I2C address 0x50: not acknowledged"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// TestTheLinkIsSetUp: the writes of "init933", aliases and rate, in their order.
// Source: onix-devices 2.8.
func TestTheLinkIsSetUp(t *testing.T) {
	c, link := newLink()
	var waited time.Duration
	if err := link.Initialize(serdes.Raw12HighFrequency, func(d time.Duration) error { waited += d; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := link.Alias(0x51, 0x70); err != nil {
		t.Fatal(err)
	}
	if err := link.SetI2CRate(400_000); err != nil {
		t.Fatal(err)
	}
	var want [][2]uint32
	for _, w := range [][2]uint32{{0x4C, 1}, {0x6D, 6}, {0x58, 0x58}, {0x5C, 0xB0}, {0x6E, 0x10}, {0x6F, 0x32}, {0x5E, 0xA2}, {0x66, 0xA2}, {0x5F, 0xE0}, {0x67, 0xE0}} {
		want = append(want, [2]uint32{w[0]<<7 | 0x30, w[1]})
	}
	want = append(want, [2]uint32{0x11<<7 | 0x58, 25}, [2]uint32{0x12<<7 | 0x58, 25})
	if !slices.Equal(c.journal, want) || waited != 100*time.Millisecond {
		t.Errorf("got %x after %v, want %x", c.journal, waited, want)
	}
	stop := errors.New("stop")
	if err := link.Initialize(serdes.Raw10, func(time.Duration) error { return stop }); !errors.Is(err, stop) || len(c.journal) != len(want) {
		t.Errorf("after a wait that ended: %v, %d more writes", err, len(c.journal)-len(want))
	}
	for hz, ticks := range map[uint32]uint32{200_000: 50, 80_000: 125, 1_000_000: 10, 40_000: 250, 0: 0, 39_999: 0, 1_000_001: 0} {
		err := link.SetI2CRate(hz)
		if got := c.values[0x12<<7|0x58]; (ticks != 0) != (err == nil) || ticks != 0 && got != ticks {
			t.Errorf("%d Hz: %v, %d ticks, want %d", hz, err, got, ticks)
		}
	}
	if err := link.Alias(1, 2, 3, 4, 5, 6, 7, 8); err == nil {
		t.Error("eight chips in seven slots")
	}
}

func TestManagedRegistersAreWrittenInOrder(t *testing.T) {
	c, link := newLink()
	c.refuse = func(register uint32) bool { return register == 0x8002 }
	err := link.Setup([]serdes.Setting{{Register: serdes.Enable}, {Register: serdes.DataLines1, Value: 7}, {Register: serdes.Trigger}, {Register: serdes.Mark, Value: 9}})
	if !errors.Is(err, oni.ErrNACK) || !slices.Equal(c.journal, [][2]uint32{{0x8000, 0}, {0x800C, 7}}) {
		t.Errorf("got %x, %v", c.journal, err)
	}
}

// eeprom is one as onix-devices 2.8 describes it, put together by hand.
func eeprom() []byte {
	b := append([]byte("HSOE"), 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, make([]byte, 8)...)
	b = append(b, 1, 3, 8, 1, 0, 0, 2, 1, 6, 'N', 'P', '2', '.', '0', 'e')
	b = append(b, make([]byte, 24-15)...)
	return sealed(b)
}

// sealed makes the byte sums of header and device info 0.
func sealed(b []byte) []byte {
	for _, part := range [][]byte{b[:16], b[24:48]} {
		sum := byte(0)
		for _, v := range part {
			sum += v
		}
		part[len(part)-1] -= sum
	}
	return b
}

func board(content []byte) (serdes.Board, error) {
	c, link := newLink()
	for i, v := range content {
		c.values[1<<31|uint32(i)<<7|0x51] = uint32(v)
	}
	return link.ReadBoard()
}

func TestTheEEPROMIsRead(t *testing.T) {
	b, err := board(eeprom())
	if want := (serdes.Board{ID: 0x108, Major: 1, Minor: 2, Name: "NP2.0e"}); err != nil || b != want || b.Revision() != "1.2" {
		t.Errorf("got %+v, %v, want %+v", b, err, want)
	}
	for _, c := range []struct {
		major, minor uint8
		at           bool
	}{{1, 2, true}, {1, 1, true}, {0, 9, true}, {1, 3, false}, {2, 0, false}} {
		if b.AtLeast(c.major, c.minor) != c.at {
			t.Errorf("1.2 is at least %d.%d: %v", c.major, c.minor, !c.at)
		}
	}
}

func TestAnEEPROMThatIsNotAHeadstagesIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   error
		word   string
	}{
		"empty chip":              {func(b []byte) []byte { return slices.Repeat([]byte{0xFF}, 256) }, serdes.ErrEEPROM, "begins with ff ff ff ff"},
		"no chip":                 {func(b []byte) []byte { return nil }, oni.ErrNACK, "0x51"},
		"a chip that ends":        {func(b []byte) []byte { return b[:40] }, oni.ErrNACK, "0x51"},
		"a bit of the header":     {func(b []byte) []byte { b[9] ^= 1; return b }, serdes.ErrEEPROM, "checksum of its header"},
		"a bit of the ID":         {func(b []byte) []byte { b[26] ^= 1; return b }, serdes.ErrEEPROM, "checksum of its device info"},
		"another header version":  {func(b []byte) []byte { b[4] = 2; return sealed(b) }, serdes.ErrEEPROM, "version 2"},
		"no device info":          {func(b []byte) []byte { b[6] = 0; return sealed(b) }, serdes.ErrEEPROM, "does not say which"},
		"another info version":    {func(b []byte) []byte { b[24] = 2; return sealed(b) }, serdes.ErrEEPROM, "version 2"},
		"an info of 8 bytes":      {func(b []byte) []byte { b[25] = 1; return sealed(b) }, serdes.ErrEEPROM, "8 bytes"},
		"an info of no bytes":     {func(b []byte) []byte { b[25] = 0; return sealed(b) }, serdes.ErrEEPROM, "0 bytes"},
		"a name that is too long": {func(b []byte) []byte { b[32] = 16; return sealed(b) }, serdes.ErrEEPROM, "a name of 16 bytes"},
	} {
		b, err := board(c.change(eeprom()))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.word) || b != (serdes.Board{}) {
			t.Errorf("%s: got %+v, %v; want %v with %q", name, b, err, c.want, c.word)
		}
	}
}

func FuzzReadBoard(f *testing.F) {
	f.Add(eeprom())
	f.Fuzz(func(t *testing.T, content []byte) {
		b, err := board(content)
		if err != nil && b != (serdes.Board{}) {
			t.Errorf("%+v next to %v", b, err)
		}
		for _, r := range b.Name {
			if r < ' ' || r > '~' {
				t.Errorf("name %q", b.Name)
			}
		}
	})
}

func TestTextEndsAtTheFirstNUL(t *testing.T) {
	for in, want := range map[string]string{"NP2014\x00rest": "NP2014", " a b \x00": "a b", "": "", "\x00x": "", "a\xffb\n": "ab"} {
		if got := serdes.Text([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
