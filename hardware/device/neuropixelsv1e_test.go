package device_test

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

func probeDecoder(t testing.TB, change func(*device.Config)) (device.Decoder, []*device.Batch) {
	t.Helper()
	k := known()[5]
	if change != nil {
		change(&k.cfg)
	}
	dec := mustNew(t, k.dev, k.cfg)
	return dec, device.NewBatches(dec)
}

// superFrame is the super-frame of a number as a probe sends it: every AP and
// LFP value tells where it belongs.
func superFrame(n uint64) *oni.Frame {
	s := device.NeuropixelsV1e{HubClock: 1e10 + n*25000/3}
	for i := range s.Counter {
		s.Counter[i] = uint32(13*n+uint64(i)) & (1<<20 - 1)
	}
	for ch := range s.AP {
		s.AP[ch] = uint16((n + 3*uint64(ch)) % 1024)
	}
	for adc := range s.LFP {
		s.LFP[adc] = uint16((uint64(device.NeuropixelsV1eLFPChannel(adc, n)) + n/12*100) % 1024)
	}
	return &oni.Frame{Clock: 100 + n*25000/3, Address: 8, Data: s.AppendTo(nil)}
}

func u16(b *device.Batch, column, row int) uint16 {
	return binary.LittleEndian.Uint16(b.Columns[column][2*row:])
}

func TestEveryChannelStandsInAWordOfItsOwn(t *testing.T) {
	words := map[int]int{}
	for ch := range 384 {
		var s device.NeuropixelsV1e
		s.AP[ch] = 0x3FF
		data := s.AppendTo(nil)
		for at := 10; at < len(data); at += 2 {
			if binary.LittleEndian.Uint16(data[at:]) != 0 {
				words[at]++
			}
		}
	}
	if len(words) != 384 {
		t.Fatalf("384 channels in %d words", len(words))
	}
	for at, n := range words {
		if n != 1 {
			t.Errorf("word at byte %d holds %d channels", at, n)
		}
	}
	lfp := map[int]int{}
	for n := range uint64(12) {
		for adc := range 32 {
			lfp[device.NeuropixelsV1eLFPChannel(adc, n)]++
		}
	}
	for ch := range 384 {
		if lfp[ch] != 1 {
			t.Errorf("LFP of channel %d comes %d times in twelve super-frames", ch, lfp[ch])
		}
	}
}

func TestRowsComeInTwelves(t *testing.T) {
	dec, out := probeDecoder(t, nil)
	for n := range uint64(30024) {
		if err := dec.Decode(superFrame(n), out); err != nil {
			t.Fatal(err)
		}
		if want := int(n+1) / 12 * 12; out[0].Rows != want || dec.Stats().Pending != (n+1)%12 {
			t.Fatalf("after %d frames: %d rows, %d pending", n+1, out[0].Rows, dec.Stats().Pending)
		}
	}
	if s := dec.Stats(); s.Lost+s.Faults+s.Pending != 0 { // the counter went round
		t.Errorf("stats %+v", s)
	}
	for _, r := range []int{0, 11, 12, 12345, 30023} {
		for ch := range 384 {
			if got, want := u16(out[0], ch, r), uint16((ch+r/12*100)%1024); got != want {
				t.Fatalf("LFP %d row %d is %d, want %d", ch, r, got, want)
			}
			if got, want := u16(out[0], 384+ch, r), uint16((r+3*ch)%1024); got != want {
				t.Fatalf("AP %d row %d is %d, want %d", ch, r, got, want)
			}
		}
	}
}

func TestLostSuperFramesAreCountedAndTheColumnStaysTrue(t *testing.T) {
	for name, lost := range map[string]uint64{"one": 1, "a group": 12, "three and a half": 42, "more than the counter holds": 100_000} {
		t.Run(name, func(t *testing.T) {
			var gaps []device.Gap
			dec, out := probeDecoder(t, func(c *device.Config) { c.OnGap = func(g device.Gap) { gaps = append(gaps, g) } })
			sent := 0
			var frames []uint64
			for n := uint64(0); sent < 60; n++ {
				if n == 17 {
					n += lost
				}
				frames = append(frames, n)
				if err := dec.Decode(superFrame(n), out); err != nil {
					t.Fatal(err)
				}
				sent++
			}
			want := []device.Gap{{Row: 17, Lost: lost, ClockBefore: superFrame(16).Clock, ClockAfter: superFrame(17 + lost).Clock}}
			if !reflect.DeepEqual(gaps, want) {
				t.Errorf("gaps %+v, want %+v", gaps, want)
			}
			if s := dec.Stats(); s.Lost != lost || s.Gaps != 1 || s.Faults != 0 || s.Rows != 60 {
				t.Errorf("stats %+v", s)
			}
			for r, n := range frames {
				for ch := range 384 {
					if got, want := u16(out[0], 384+ch, r), uint16((n+3*uint64(ch))%1024); got != want {
						t.Fatalf("AP %d row %d is %d, want %d", ch, r, got, want)
					}
				}
			}
			// Each LFP value is one that its channel really had: in this group,
			// or, if that frame was lost, the last one before.
			last := map[int]uint16{}
			for r, n := range frames {
				for adc := range 32 {
					ch := device.NeuropixelsV1eLFPChannel(adc, n)
					last[ch] = uint16((uint64(ch) + n/12*100) % 1024)
				}
				if r%12 != 11 {
					continue
				}
				for ch := range 384 {
					for row := r - 11; row <= r; row++ {
						if got := u16(out[0], ch, row); got != last[ch] {
							t.Fatalf("LFP %d row %d is %d, want %d", ch, row, got, last[ch])
						}
					}
				}
			}
		})
	}
}

func TestContradictionsAreFaultsAndNotLoss(t *testing.T) {
	put := func(f *oni.Frame, change func(*device.NeuropixelsV1e)) *oni.Frame {
		s, err := device.DecodeNeuropixelsV1e(f.Data)
		if err != nil {
			t.Fatal(err)
		}
		change(s)
		f.Data = s.AppendTo(nil)
		return f
	}
	for name, c := range map[string]struct {
		change func(n uint64, s *device.NeuropixelsV1e)
		faults uint64
	}{
		"hub clock set forward": {func(n uint64, s *device.NeuropixelsV1e) {
			if n >= 20 {
				s.HubClock += 250e6
			}
		}, 1},
		"hub clock set back": {func(n uint64, s *device.NeuropixelsV1e) {
			if n >= 20 {
				s.HubClock -= 1e9
			}
		}, 1},
		"one counter garbled": {func(n uint64, s *device.NeuropixelsV1e) {
			if n == 20 {
				s.Counter[0] ^= 0x8000
			}
		}, 2}, // that frame, and the next one, which does not follow it
		"a counter in the middle garbled": {func(n uint64, s *device.NeuropixelsV1e) {
			if n == 20 {
				s.Counter[7] ^= 1
			}
		}, 1},
		"counter set to zero": {func(n uint64, s *device.NeuropixelsV1e) {
			if n >= 20 {
				for i := range s.Counter {
					s.Counter[i] = uint32(13*(n-20) + uint64(i))
				}
			}
		}, 1},
	} {
		dec, out := probeDecoder(t, nil)
		for n := range uint64(48) {
			if err := dec.Decode(put(superFrame(n), func(s *device.NeuropixelsV1e) { c.change(n, s) }), out); err != nil {
				t.Fatal(err)
			}
		}
		if s := dec.Stats(); s.Lost != 0 || s.Gaps != 0 || s.Faults != c.faults || s.Rows != 48 {
			t.Errorf("%s: stats %+v, want %d faults", name, s, c.faults)
		}
	}
}

func TestBadFrameInsideAGroupLeavesAGap(t *testing.T) {
	dec, out := probeDecoder(t, nil)
	for n := range uint64(25) {
		f := superFrame(n)
		if n == 5 {
			f.Data = f.Data[:500]
		}
		if err := dec.Decode(f, out); (err != nil) != (n == 5) {
			t.Fatalf("frame %d: %v", n, err)
		}
	}
	if s := dec.Stats(); s.BadFrames != 1 || s.Lost != 1 || s.Rows != 24 || s.Pending != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestFramesAreNotKept(t *testing.T) {
	a, outA := probeDecoder(t, nil)
	b, outB := probeDecoder(t, nil)
	buf := make([]byte, 1050)
	for n := range uint64(36) {
		f := superFrame(n)
		if err := a.Decode(f, outA); err != nil {
			t.Fatal(err)
		}
		f.Data = buf[:copy(buf, f.Data)]
		if err := b.Decode(f, outB); err != nil {
			t.Fatal(err)
		}
		clear(buf)
	}
	if !reflect.DeepEqual(outA[0].Columns, outB[0].Columns) {
		t.Error("decoding again from a buffer that is used anew gives other rows")
	}
}
