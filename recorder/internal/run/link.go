package run

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/headstage"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/acquire"
)

// What is asked of the hardware while frames are read. Source: onix-devices 2.9, 1.13.

// pollLinks is how often links are looked at: a lost one is said within a
// second.
const pollLinks = 250 * time.Millisecond

// A link is what was seen last of a port in use.
type link struct {
	port uint8 // 1 is A
	lost bool
}

// watchLinks says when a port in use loses its link, and when it comes back. What
// the headstage did not send is a gap in its streams; the other port goes on.
func (rec *Run) watchLinks(c oni.Controller, ports []uint8) {
	for _, port := range ports {
		l := &link{port: port}
		rec.beside("link of port "+letter(port), pollLinks, func() error {
			changed, err := l.look(c)
			if changed != "" {
				rec.alarm("", changed)
			}
			if l.lost {
				rec.blame(changed)
				rec.linkLost(port)
			}
			return err
		})
	}
}

// linkLost notes when a port lost its link first.
func (rec *Run) linkLost(port uint8) {
	a := rec.acquisition.Load()
	if a == nil {
		return
	}
	at := a.Status().LastClock
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if _, known := rec.lostLinks[port]; !known {
		rec.lostLinks[port] = at
	}
}

// outlived reports whether some stream went on after links were lost: one of
// another port, or of the host.
func (rec *Run) outlived(st *acquire.Status) bool {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	last := uint64(0)
	for _, at := range rec.lostLinks {
		last = max(last, at)
	}
	for i := range st.Streams {
		f := &st.Streams[i]
		if _, lost := rec.lostLinks[f.Address.Port()]; !lost && f.Heard && f.LastClock > last {
			return true
		}
	}
	return len(rec.lostLinks) == 0
}

// blame keeps a reason why the run is not what was wanted, once, that was said
// already.
func (rec *Run) blame(text string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if text != "" && !slices.Contains(rec.errors, text) && len(rec.errors) < maxErrors {
		rec.errors = append(rec.errors, text)
	}
}

// look reads the state of a link and says what has changed.
func (l *link) look(c oni.Controller) (changed string, err error) {
	now, err := headstage.LinkOf(c, int(l.port)-1)
	if err != nil {
		return "", err
	}
	lost, flags := !now.Locked, now.Flags
	switch {
	case lost && !l.lost:
		changed = fmt.Sprintf("port %s lost its link: its headstage sends nothing; see the cable; what else is recorded goes on", letter(l.port))
	case !lost && l.lost:
		changed = fmt.Sprintf("port %s has its link again, but its headstage has lost its settings: end this recording and begin another", letter(l.port))
	case !lost && flags != 0:
		changed = fmt.Sprintf("the link of port %s was lost for a moment: its headstage may have lost its settings", letter(l.port))
	}
	l.lost = lost
	if flags != 0 && !lost {
		return changed, headstage.ClearFlags(c, int(l.port)-1)
	}
	return changed, nil
}

// letter is a port as people say it: "A".
func letter(port uint8) string { return strings.ToUpper(device.PortName(port)) }

// A reader leaves the hardware only when the block that it waits for is full.
// Where the devices that the block was sized for are silent, heartbeats alone
// would take half a minute for that; so they are asked to beat faster.
const (
	hurryAfter = time.Second // from when the run was asked to end, and nothing came
	hurryHz    = 20_000      // fills the largest block in 0.14 s
)

// frames counts what was read.
func (rec *Run) frames() uint64 {
	if a := rec.acquisition.Load(); a != nil {
		return a.Status().Frames
	}
	return 0
}

// hurryStop lets the reader leave soon after the run was asked to end.
func (rec *Run) hurryStop(c oni.Controller) {
	var asked time.Time
	var frames uint64
	done := false
	rec.beside("the heartbeat", pollLinks, func() error {
		switch {
		case !rec.ending() || done:
			return nil
		case asked.IsZero() || rec.frames() != frames: // what comes late is still read
			asked, frames = time.Now(), rec.frames()
			return nil
		case time.Since(asked) < hurryAfter:
			return nil
		}
		done = true
		restore, err := headstage.Hurry(c, hurryHz)
		if restore != nil {
			rec.out.add("the heartbeat's rate", restore)
		}
		return err
	})
}
