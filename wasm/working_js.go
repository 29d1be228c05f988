//go:build !first

package main

import (
	"errors"
	"maps"
	"syscall/js"

	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// The second engine of a page: what takes long, and what is saved. It is loaded when
// somebody asks for such a thing, and the first, without it, is a fifth smaller.
func init() {
	maps.Copy(operations, map[string]operation{
		"openKnown": with(func(b *bridge, c *call, a engine.OpenArgs) (reply, error) {
			if !c.args.Get("known").InstanceOf(js.Global().Get("ArrayBuffer")) {
				return reply{}, &engine.ArgumentError{Op: c.op, Detail: "known must be an ArrayBuffer"}
			}
			given := taken(c.args.Get("known"))
			file, err := newJSFile(c.args.Get("source"))
			if err != nil {
				return reply{}, err
			}
			info, err := b.engine.OpenKnown(c.ctx, a, file, file.size, given)
			return reply{value: info}, err
		}),
		"slice":   with(slice),
		"recover": with(recoverCopy),
		"verify": plain(func(e *engine.Engine, c *call, a engine.VerifyArgs) (any, error) {
			return e.Verify(c.ctx, a.Stream, progress[engine.SliceProgress](c), c.tiles(a.Tiles))
		}),
	})
}

// tiles returns a function that posts tiles as progress of a call, or nil.
func (c *call) tiles(wanted bool) func(data []byte) {
	if !wanted {
		return nil
	}
	return func(data []byte) {
		buffer := uint8Array(data).Get("buffer")
		c.b.post(c.id, "progress", reply{value: struct{}{}, with: map[string]js.Value{"tiles": buffer}, transfer: []any{buffer}})
	}
}

func slice(b *bridge, c *call, a engine.SliceArgs) (reply, error) {
	file := &blobFile{}
	report, err := b.engine.Slice(c.ctx, a, file, progress[engine.SliceProgress](c), c.tiles(a.Tiles))
	if err != nil {
		return reply{}, err
	}
	return blobReply(typed(file.blob(), a.Format), report), nil
}

func recoverCopy(b *bridge, c *call, a engine.RecoverArgs) (reply, error) {
	written := &blobFile{}
	source, plan, err := b.engine.Recover(c.ctx, a, written, progress[engine.SliceProgress](c), c.tiles(a.Tiles))
	if err != nil {
		return reply{}, err
	}
	if written.size > 0 {
		blob := written.blob()
		copied, err := newJSFile(blob)
		if err == nil {
			err = b.engine.VerifyCopy(c.ctx, plan, copied, copied.size)
		}
		return blobReply(blob, plan.Report), err
	}
	file, ok := source.(*jsFile)
	if !ok {
		return reply{}, errors.New("engine: recover: the stream is not a file of the page")
	}
	var parts []any
	for _, span := range plan.Spans {
		if err := b.engine.Breathe(c.ctx); err != nil {
			return reply{}, err
		}
		if span.Bytes != nil {
			parts = append(parts, uint8Array(span.Bytes))
			continue
		}
		part, err := file.slice(span.Offset, span.Offset+span.Length)
		if err != nil {
			return reply{}, err
		}
		parts = append(parts, part)
	}
	return blobReply(newBlob(parts), plan.Report), nil
}

func blobReply(blob js.Value, report any) reply {
	return reply{value: map[string]any{"report": report}, with: map[string]js.Value{"blob": blob}}
}
