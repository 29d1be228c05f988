package engine

import (
	"context"
	"fmt"
	"io"
	"path"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// RecoverArgs ask for a repaired copy.
type RecoverArgs struct {
	Stream      string `json:"stream"`
	Compression string `json:"compression,omitempty"` // keep: bytes are copied as they are

	// Salvage names the columns of which rows are wanted of a last batch that
	// the end of the file cuts: names, globs, or "all".
	Salvage []string `json:"salvage,omitempty"`

	Tiles bool `json:"tiles,omitempty"` // give what the whole run looks like, too
}

// Recover examines a stream's file and returns the plan of a whole one, opened
// and read through once, and the source whose bytes it copies. With another
// compression than keep, the output is written to file instead, and whoever
// owns the file has to call VerifyCopy. What the stream looks like is passed to tiles, as
// Verify does.
func (e *Engine) Recover(ctx context.Context, a RecoverArgs, file recording.File, progress func(SliceProgress), tiles func(data []byte)) (io.ReaderAt, *recovery.Plan, error) {
	s, err := e.stream("recover", a.Stream)
	if err != nil {
		return nil, nil, err
	}
	codec, err := codecOf("recover", a.Compression)
	if err != nil {
		return nil, nil, err
	}
	tell := e.paced(progress)
	watcher, flush := e.passing(s, tiles)
	source, end := goForward(s.source, s.size)
	defer end()
	plan, err := recovery.Examine(e.inSteps(ctx), source, s.size, &recovery.Options{
		Name:     s.path,
		Output:   recoveredName(s.path),
		Salvage:  a.Salvage,
		Progress: func(done, total int64) { tell(done, 2*total) }, // the second half is the verification, or the writing
		Watcher:  watcher,
	})
	if err != nil {
		return nil, nil, cancelled(ctx, err)
	}
	flush()
	tell(s.size, 2*s.size)
	if codec == recording.Keep {
		if err := plan.Verify(&steppedSource{e, ctx, source}); err != nil {
			return nil, nil, cancelled(ctx, err)
		}
		return s.source, plan, nil
	}
	return s.source, plan, e.recompress(ctx, s, plan, codec, file, tell)
}

// recompress writes the output of a plan with another compression.
func (e *Engine) recompress(ctx context.Context, s *openStream, plan *recovery.Plan, codec recording.Codec, file recording.File, tell func(done, total int64)) error {
	reader, err := e.reader(ctx, plan.Output(s.source), plan.Size(), nil, nil)
	if err != nil {
		return err
	}
	rows := plan.Report.RowsRecovered
	steps := e.inSteps(ctx)
	all, err := reader.Select(steps, recording.Selection{})
	if err != nil {
		return cancelled(ctx, err)
	}
	written, err := recording.Copy(steps, file, all, &recording.CopyOptions{
		Codec:    codec,
		Progress: func(done, total int64) { tell(total+done, 2*total) },
	})
	if err != nil {
		return cancelled(ctx, err)
	}
	if written.Rows != rows {
		return fmt.Errorf("engine: recover: %d rows were written of the %d that were recovered", written.Rows, rows)
	}
	return nil
}

// VerifyCopy reads back what Recover wrote, every value.
func (e *Engine) VerifyCopy(ctx context.Context, plan *recovery.Plan, copied io.ReaderAt, size int64) error {
	source, end := goForward(copied, size)
	defer end()
	whole := recovery.Plan{Spans: []recovery.Span{{Offset: 0, Length: size}}, Report: plan.Report}
	if err := whole.Verify(&steppedSource{e, ctx, source}); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("engine: recover: the output did not pass its check: %w", err)
	}
	return nil
}

// recoveredName puts ".recovered" before the extension, as the command line does.
func recoveredName(name string) string {
	ext := path.Ext(name)
	return name[:len(name)-len(ext)] + ".recovered" + ext
}
