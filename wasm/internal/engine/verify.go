package engine

import (
	"context"

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

// Verify reads the whole file of a stream and returns everything that is wrong
// with it.
func (e *Engine) Verify(ctx context.Context, id string, progress func(SliceProgress)) (*VerifyReport, error) {
	s, err := e.stream("verify", id)
	if err != nil {
		return nil, err
	}
	o := recovery.VerifyOptions{Progress: e.paced(progress)}
	if s.clock >= 0 {
		o.AcqClockHz = s.reader.Stream().AcqClockHz
	}
	report := &VerifyReport{Path: s.path, OK: true, Findings: []recording.Finding{}}
	for f, err := range recovery.Verify(e.inSteps(ctx), s.source, s.size, &o) {
		if err != nil {
			return nil, cancelled(ctx, err)
		}
		report.OK = report.OK && f.Severity == recording.SeverityInfo
		report.Findings = append(report.Findings, f)
	}
	return report, nil
}
