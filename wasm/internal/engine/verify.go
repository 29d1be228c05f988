package engine

import (
	"context"
	"errors"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// VerifyReport is what verification found; the JSON is that of
// `verify --json`, with what it took to get there.
type VerifyReport struct {
	Path     string              `json:"path"`
	OK       bool                `json:"ok"` // no finding is a warning or an error
	Findings []recording.Finding `json:"findings"`
}

// VerifyArgs ask for a verification. JSON as in protocol.d.ts.
type VerifyArgs struct {
	Stream string `json:"stream"`
	Tiles  bool   `json:"tiles"` // give what the whole run looks like, too
}

// Verify reads the whole file of a stream and returns everything that is wrong
// with it. Info and coverage have it from then on. What the whole run looks like is
// passed to tiles, piece by piece, for AddTiles of the engine that draws; nil: nobody
// wants it.
func (e *Engine) Verify(ctx context.Context, id string, progress func(SliceProgress), tiles func(data []byte)) (*VerifyReport, error) {
	s, err := e.stream("verify", id)
	if err != nil {
		return nil, err
	}
	o := recovery.VerifyOptions{Progress: e.paced(progress)}
	if s.clock >= 0 {
		o.AcqClockHz = s.reader.Stream().AcqClockHz
	}
	var flush func()
	o.Watcher, flush = e.passing(s, tiles)
	report := &VerifyReport{Path: s.path, OK: true, Findings: []recording.Finding{}}
	source, end := goForward(s.source, s.size)
	defer end()
	for f, err := range recovery.Verify(e.inSteps(ctx), source, s.size, &o) {
		if err != nil {
			return nil, cancelled(ctx, err)
		}
		report.OK = report.OK && f.Severity == recording.SeverityInfo
		report.Findings = append(report.Findings, f)
	}
	flush()
	return report, e.proved(ctx, s, report.Findings)
}

// ProvedArgs have what another engine found when it verified the same file. JSON as
// in protocol.d.ts.
type ProvedArgs struct {
	Stream   string              `json:"stream"`
	Findings []recording.Finding `json:"findings"`
}

// Proved takes what another engine found.
func (e *Engine) Proved(ctx context.Context, a ProvedArgs) error {
	s, err := e.stream("proved", a.Stream)
	if err != nil {
		return err
	}
	return e.proved(ctx, s, a.Findings)
}

func (e *Engine) proved(ctx context.Context, s *openStream, findings []recording.Finding) error {
	if !s.given { // else another engine has followed it, and asks itself
		if err := e.followClock(ctx, s); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.proved = findings
	s.mu.Unlock()
	for _, f := range findings {
		if isDamage(f) && f.Batch >= 0 && f.LostRows != 0 {
			s.note(f.Batch, errors.New(f.Reason))
		}
	}
	return nil
}

// isDamage reports whether a finding is about bytes of the file, rather than
// rows that never reached it.
func isDamage(f recording.Finding) bool {
	return f.Severity == recording.SeverityError && !f.IsGap()
}
