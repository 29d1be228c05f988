//go:build unix

package run

import (
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// A kill -9 gives a process no time to say what it had. So the recorder that is
// killed is this test's binary, with a witness between simulator and reader: it
// notes the Clock of each device's last frame in memory that is a file's, which
// the system keeps. What is lost is what the recorder had read and no file has;
// how late a busy machine read it is another number.

// witnessed is the environment variable that makes this binary such a recorder:
// the path of the witness's file. Arguments: folder, rig file's text.
const witnessed = "ONISCOPE_TEST_WITNESS"

// A witness has Clock + 1 of the last frame by address, and the time when it was
// read, in ns since 1970.
type witness [32]atomic.Uint64

// openWitness maps a witness's file.
func openWitness(path string) (*witness, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int(unsafe.Sizeof(witness{}))
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	memory, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*witness)(unsafe.Pointer(&memory[0])), nil
}

// saw notes a frame.
func (w *witness) saw(f *oni.Frame) { w[int(f.Address)%len(w)].Store(f.Clock + 1) }

// seconds that a device had sent, as far as the recorder had read them.
func (w *witness) seconds(device oni.Address) float64 {
	return float64(w[int(device)%len(w)].Load()) / aSecond
}

func init() {
	beRecorder = func() (bool, error) {
		path := os.Getenv(witnessed)
		if path == "" {
			return false, nil
		}
		return true, recordWitnessed(path, os.Args[1], os.Args[2])
	}
}

// recordWitnessed records until it is killed.
func recordWitnessed(path, dir, text string) error {
	w, err := openWitness(path)
	if err != nil {
		return err
	}
	r, err := rig.Parse("rig.yaml", []byte("driver: sim\nsignal: pattern\n"+text))
	if err == nil {
		err = r.Complete()
	}
	if err != nil {
		return err
	}
	rec, err := New(Options{
		Rig: r, Dir: dir, Flush: time.Second, Sync: 5 * time.Second,
		Controller: func(func(string, func() error)) (oni.Controller, error) {
			c, err := sim.New(simulated(r))
			return &source{Controller: c, read: func(f *oni.Frame, next func(*oni.Frame) error) error {
				err := next(f)
				if err == nil {
					w.saw(f)
				}
				return err
			}}, err
		},
	})
	if err != nil {
		return err
	}
	return rec.Run()
}

var kills = flag.Int("kills", 8, "runs that TestKilledRecordersKeepWholeBatches kills")

// Devices that are looked at after a kill.
var killedDevices = []struct {
	stream string
	at     oni.Address
}{{"heartbeat", heartbeatAt}, {"analog-io", analogAt}, {"port-a-neuropixels-1.0e", oni.Address(8)}}

// A killed is what a kill left of one stream.
type killed struct {
	lost   float64 // seconds that were read and are in no file
	behind float64 // seconds that the machine read late
	torn   int64   // bytes of a batch that was being written
}

// TestKilledRecordersKeepWholeBatches: what is lost is at most the batch that is
// filled and the one that is written. -kills 200 -v prints what FORMAT.md says.
func TestKilledRecordersKeepWholeBatches(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes real time")
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 9))
	all := map[string][]killed{}
	for n := range *kills {
		codec, pace := []string{"none", "zstd"}[n%2], []string{"real-time", "max"}[n/2%2]
		text, most := "pace: "+pace+"\nwriter: {compression: "+codec+"}\n", 1500
		if *kills >= 20 { // so long that files are forced to the platter meanwhile
			text, most = text+"ports: {a: {headstage: neuropixels-1.0e}}\n", 6500
		}
		if pace == "max" {
			most /= 4 // a second is ten of a rig
		}
		dir := filepath.Join(t.TempDir(), "run")
		saw, began, at := killOne(t, dir, text, time.Duration(500+rng.IntN(most))*time.Millisecond)
		for _, d := range killedDevices {
			left, torn, ok := leftOf(t, filepath.Join(dir, d.stream+"_0.arrow"))
			if ok && pace == "real-time" {
				read := saw.seconds(d.at)
				key := d.stream + " " + codec
				all[key] = append(all[key], killed{lost: read - float64(left.last)/aSecond, behind: at.Sub(began).Seconds() - read, torn: torn})
			}
		}
		if err := os.RemoveAll(dir); err != nil { // many of them fill a disk
			t.Error(err)
		}
	}
	for key, list := range all {
		slices.SortFunc(list, func(a, b killed) int { return int(1e6 * (a.lost - b.lost)) })
		behind, torn := []float64{}, 0
		for _, k := range list {
			behind = append(behind, k.behind)
			if k.torn > 0 {
				torn++
			}
		}
		slices.Sort(behind)
		t.Logf("%-32s %3d kills: %.2f s lost in the median, %.2f s at most; %d torn; read %.2f s late in the median, %.2f s at most", key, len(list),
			list[len(list)/2].lost, list[len(list)-1].lost, torn, behind[len(behind)/2], behind[len(behind)-1])
		for _, k := range list {
			if k.lost > 2.01 {
				t.Errorf("%s: %.2f s lost, of a batch that was written %d bytes; read %.2f s late", key, k.lost, k.torn, k.behind)
			}
		}
	}
}

// killOne starts a recorder and kills it some time after its first rows. It
// returns what the recorder had read, when it had begun, and when it was killed.
func killOne(t *testing.T, dir, text string, after time.Duration) (saw *witness, began, at time.Time) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "witness")
	saw, err := openWitness(path)
	if err != nil {
		t.Fatal(err)
	}
	recorder := exec.Command(os.Args[0], dir, text)
	recorder.Env = append(os.Environ(), witnessed+"="+path)
	recorder.Stderr = os.Stderr
	if err := recorder.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if info, err := os.Stat(filepath.Join(dir, "heartbeat_0.arrow")); err == nil && info.Size() > 3000 {
			break
		}
		if time.Now().After(end) {
			t.Error("the recorder writes nothing")
			break
		}
	}
	time.Sleep(after)
	at = time.Now()
	if err := recorder.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = recorder.Wait() // it was killed
	s, err := store.ReadSummary(filepath.Join(dir, "recording_0.json"))
	if err != nil {
		t.Fatal(err)
	}
	if began, err = time.Parse(time.RFC3339Nano, s.StartUTC); err != nil {
		t.Fatal(err)
	}
	return saw, began, at
}
