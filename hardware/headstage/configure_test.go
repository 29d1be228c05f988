package headstage

import (
	"context"
	"testing"
)

// A setup is a board and the rig that describes it.
type setup struct {
	board *board
	rig   Rig
}

// setups are the rigs of this version.
var rigs = map[string]func(t testing.TB) setup{
	"breakout board": func(t testing.TB) setup { b := newBoard(); return setup{b, b.rigOf(t, "", "")} },
	"1.0e on port a": func(t testing.TB) setup {
		b := newBoard()
		b.plugV1e(0, 37)
		return setup{b, b.rigOf(t, "neuropixels-1.0e", "")}
	},
	"2.0e on port b": func(t testing.TB) setup {
		b := newBoard()
		b.plugV2e(1, 33)
		return setup{b, b.rigOf(t, "", "neuropixels-2.0e")}
	},
	"both": func(t testing.TB) setup {
		b := newBoard()
		b.plugV2e(0, 40)
		b.plugV1e(1, 35)
		return setup{b, b.rigOf(t, "neuropixels-2.0e", "neuropixels-1.0e")}
	},
}

func TestEveryRigIsConfigured(t *testing.T) {
	for name, make := range rigs {
		s := make(t)
		var undo undoStack
		report, err := Configure(context.Background(), s.board, s.rig, undo.add)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := report.Ready(s.board); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(report.Warnings) != 0 || len(report.Absent) != 0 {
			t.Errorf("%s: warnings %q, absent %q", name, report.Warnings, report.Absent)
		}
		t.Logf("%s: %d accesses, %v of waits", name, len(s.board.journal), s.board.slept)
		if err := undo.run(); err != nil {
			t.Errorf("%s: undo: %v", name, err)
		}
		s.dark(t, name)
	}
}

// dark fails unless the last word on both ports is 0 V, and PORTFUNC is clear.
func (s setup) dark(t *testing.T, name string) {
	t.Helper()
	for port := range s.board.ports {
		words := s.board.words(port)
		if len(words) == 0 || words[len(words)-1] != 0 || s.board.voltage(port) != 0 {
			t.Errorf("%s: port %s has %d tenths of a volt, after %v", name, portName(port), s.board.voltage(port), words)
		}
	}
	if s.board.portFunc != 0 {
		t.Errorf("%s: PORTFUNC is %d", name, s.board.portFunc)
	}
}
