package device_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the property tests; 0 draws one")

func TestSamplesSurviveEncodingAndDecoding(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 200 {
		if in := (device.Heartbeat{HubClock: rng.Uint64()}); mustDecode(t, device.DecodeHeartbeat, in.AppendTo(nil)) != in {
			t.Fatalf("seed %d: %+v", seed, in)
		}
		if in := (device.DigitalIO{HubClock: rng.Uint64(), Inputs: uint8(rng.Uint32()), Buttons: uint16(rng.Uint32())}); mustDecode(t, device.DecodeDigitalIO, in.AppendTo(nil)) != in {
			t.Fatalf("seed %d: %+v", seed, in)
		}
		if in := (device.MemoryMonitor{HubClock: rng.Uint64(), UsedWords: rng.Uint32()}); mustDecode(t, device.DecodeMemoryMonitor, in.AppendTo(nil)) != in {
			t.Fatalf("seed %d: %+v", seed, in)
		}
		analog := device.AnalogIO{HubClock: rng.Uint64()}
		for i := range analog.Codes {
			analog.Codes[i] = int16(rng.Uint32())
		}
		if mustDecode(t, device.DecodeAnalogIO, analog.AppendTo(nil)) != analog {
			t.Fatalf("seed %d: %+v", seed, analog)
		}
		probe := randomProbe(rng)
		if *mustDecode(t, device.DecodeNeuropixelsV1e, probe.AppendTo([]byte("before"))[6:]) != *probe {
			t.Fatalf("seed %d: %+v", seed, probe)
		}
	}
}

func randomProbe(rng *rand.Rand) *device.NeuropixelsV1e {
	s := &device.NeuropixelsV1e{HubClock: rng.Uint64(), Probe: uint16(rng.Uint32())}
	for i := range s.Counter {
		s.Counter[i] = rng.Uint32N(1 << 20)
	}
	for i := range s.LFP {
		s.LFP[i] = uint16(rng.Uint32N(1024))
	}
	for i := range s.AP {
		s.AP[i] = uint16(rng.Uint32N(1024))
	}
	return s
}
