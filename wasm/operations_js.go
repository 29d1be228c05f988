package main

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"syscall/js"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// A call is one request of the page.
type call struct {
	ctx  context.Context
	b    *bridge
	id   int
	op   string
	args js.Value
}

// An operation answers the calls of one name.
type operation func(b *bridge, c *call) (reply, error)

// operations are the requests of web/src/protocol.d.ts; cancel, which ends
// others, is the bridge's own.
var operations = map[string]operation{
	"open": with(open),
	"openGrowing": with(func(b *bridge, c *call, a engine.OpenGrowingArgs) (reply, error) {
		file, err := newJSFile(c.args.Get("source"))
		if err != nil {
			return reply{}, err
		}
		info, err := b.engine.OpenGrowing(c.ctx, a, file, file.size)
		return reply{value: info}, err
	}),
	"grow": plain(func(e *engine.Engine, c *call, a engine.GrowArgs) (any, error) {
		return e.Grow(c.ctx, a)
	}),
	"close": plain(func(e *engine.Engine, c *call, a engine.StreamArgs) (any, error) {
		return nil, e.Close(a.Stream)
	}),
	"info": plain(func(e *engine.Engine, c *call, a engine.StreamArgs) (any, error) {
		return e.Info(a.Stream)
	}),
	"index": plain(func(e *engine.Engine, c *call, a engine.StreamArgs) (any, error) {
		return e.Index(c.ctx, a.Stream, progress[engine.OpenProgress](c))
	}),
	"envelope": with(drawn((*engine.Engine).Envelope)),
	"overview": with(drawn((*engine.Engine).Overview)),
	"heatMap":  with(drawn((*engine.Engine).HeatMap)),
	"values":   with(values),
	"table": plain(func(e *engine.Engine, c *call, a engine.TableArgs) (any, error) {
		return e.Table(c.ctx, a)
	}),
	"row": plain(func(e *engine.Engine, c *call, a engine.RowArgs) (any, error) {
		return e.RowAt(c.ctx, a)
	}),
	"slice":   with(slice),
	"recover": with(recoverCopy),
	"verify": plain(func(e *engine.Engine, c *call, a engine.StreamArgs) (any, error) {
		return e.Verify(c.ctx, a.Stream, progress[engine.SliceProgress](c))
	}),
	"proved": plain(func(e *engine.Engine, c *call, a engine.ProvedArgs) (any, error) {
		return nil, e.Proved(c.ctx, a)
	}),
	"setClock": plain(func(e *engine.Engine, c *call, a engine.ClockArgs) (any, error) {
		return e.SetClock(a)
	}),
	"setGain": plain(func(e *engine.Engine, c *call, a engine.GainArgs) (any, error) {
		return e.SetGain(a)
	}),
	"startTime": plain(func(_ *engine.Engine, c *call, a engine.StartTimeArgs) (any, error) {
		return engine.ReadStartTime(a)
	}),
	"chooseStartTime": plain(func(_ *engine.Engine, c *call, a engine.ChooseArgs) (any, error) {
		return engine.ChooseStartTime(a), nil
	}),
	"engine": plain(func(e *engine.Engine, c *call, _ struct{}) (any, error) {
		state := e.Kept()
		state.Read = bytesRead.Load()
		if memory := c.b.host.Get("memory"); memory.Type() == js.TypeFunction {
			state.Bytes = int64(memory.Invoke().Float())
		}
		return state, nil
	}),
}

// with is an operation whose arguments are JSON.
func with[A any](answer func(b *bridge, c *call, args A) (reply, error)) operation {
	return func(b *bridge, c *call) (reply, error) {
		text := "{}"
		if c.args.Type() == js.TypeObject {
			text = js.Global().Get("JSON").Call("stringify", c.args).String()
		}
		var args A
		if err := json.Unmarshal([]byte(text), &args); err != nil {
			return reply{}, &engine.ArgumentError{Op: c.op, Detail: "wrong arguments: " + err.Error()}
		}
		return answer(b, c, args)
	}
}

// plain is an operation whose arguments and result are JSON.
func plain[A any](answer func(e *engine.Engine, c *call, args A) (any, error)) operation {
	return with(func(b *bridge, c *call, args A) (reply, error) {
		value, err := answer(b.engine, c, args)
		if err != nil {
			return reply{}, err
		}
		return reply{value: value}, nil
	})
}

// progress returns a function that posts progress of a call as JSON.
func progress[P any](c *call) func(P) {
	return func(p P) { c.b.post(c.id, "progress", reply{value: p}) }
}

func open(b *bridge, c *call, a engine.OpenArgs) (reply, error) {
	file, err := newJSFile(c.args.Get("source"))
	if err != nil {
		return reply{}, err
	}
	info, err := b.engine.Open(c.ctx, a, file, file.size, progress[engine.OpenProgress](c))
	return reply{value: info}, err
}

// drawn is an operation whose result, and whose progress, has typed arrays.
func drawn[A, R any](draw func(e *engine.Engine, ctx context.Context, a A, progress func(*R)) (*R, error)) func(b *bridge, c *call, a A) (reply, error) {
	return func(b *bridge, c *call, a A) (reply, error) {
		result, err := draw(b.engine, c.ctx, a, func(r *R) { b.post(c.id, "progress", arraysReply(r)) })
		if err != nil {
			return reply{}, err
		}
		return arraysReply(result), nil
	}
}

func slice(b *bridge, c *call, a engine.SliceArgs) (reply, error) {
	file := &blobFile{}
	report, err := b.engine.Slice(c.ctx, a, file, progress[engine.SliceProgress](c))
	if err != nil {
		return reply{}, err
	}
	return blobReply(typed(file.blob(), a.Format), report), nil
}

// arrays names the typed array of a page for each type of column. Float16
// becomes float32; booleans are bytes.
var arrays = map[stream.Type]string{
	stream.Bool: "Uint8Array", stream.Int8: "Int8Array", stream.Int16: "Int16Array", stream.Int32: "Int32Array", stream.Int64: "BigInt64Array",
	stream.Uint8: "Uint8Array", stream.Uint16: "Uint16Array", stream.Uint32: "Uint32Array", stream.Uint64: "BigUint64Array",
	stream.Float16: "Float32Array", stream.Float32: "Float32Array", stream.Float64: "Float64Array",
}

// values collects rows in memory of the page: only one batch at a time is in
// the memory of the engine.
func values(b *bridge, c *call, a engine.ValuesArgs) (reply, error) {
	if numbers, err := b.engine.Numeric(a); err != nil {
		return reply{}, err
	} else if !numbers {
		return texts(b, c, a)
	}
	var values, bytes, valid js.Value
	width, rows := 0, int64(0)
	begin := func(t stream.Type, n int64) error {
		var err error
		rows = n
		values, err = try(func() js.Value { return js.Global().Get(arrays[t]).New(n) })
		if err != nil {
			return err
		}
		width = values.Get("BYTES_PER_ELEMENT").Int()
		bytes = js.Global().Get("Uint8Array").New(values.Get("buffer"))
		return nil
	}
	put := func(at int64, v *recording.Vector) error {
		data := v.Data
		if v.Type == stream.Float16 {
			data = bytesOf(float32s(v))
		}
		js.CopyBytesToJS(bytes.Call("subarray", at*int64(width)), data[:v.Len*width])
		if v.Valid == nil {
			return nil
		}
		if valid.IsUndefined() {
			var err error
			if valid, err = try(func() js.Value { return js.Global().Get("Uint8Array").New(rows).Call("fill", 1) }); err != nil {
				return err
			}
		}
		js.CopyBytesToJS(valid.Call("subarray", at), v.Valid)
		return nil
	}
	if err := b.engine.Values(c.ctx, a, begin, put); err != nil {
		return reply{}, err
	}
	r := reply{value: struct{}{}, with: map[string]js.Value{"values": values, "valid": js.Null()}, transfer: []any{values.Get("buffer")}}
	if !valid.IsUndefined() {
		r.with["valid"] = valid
		r.transfer = append(r.transfer, valid.Get("buffer"))
	}
	return r, nil
}

// texts is values of a column that is not numeric.
func texts(b *bridge, c *call, a engine.ValuesArgs) (reply, error) {
	texts, valid, err := b.engine.Texts(c.ctx, a)
	if err != nil {
		return reply{}, err
	}
	r := reply{value: map[string]any{"values": texts}, with: map[string]js.Value{"valid": js.Null()}}
	if valid != nil {
		r.with["valid"] = uint8Array(valid)
		r.transfer = []any{r.with["valid"].Get("buffer")}
	}
	return r, nil
}

func recoverCopy(b *bridge, c *call, a engine.RecoverArgs) (reply, error) {
	written := &blobFile{}
	source, plan, err := b.engine.Recover(c.ctx, a, written, progress[engine.SliceProgress](c))
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

// arraysReply transfers the fields of a struct with a page tag as typed arrays.
func arraysReply(value any) reply {
	r := reply{value: value, with: map[string]js.Value{}}
	fields := reflect.ValueOf(value).Elem()
	for i := range fields.NumField() {
		key, options, _ := strings.Cut(fields.Type().Field(i).Tag.Get("page"), ",")
		if key == "" || options == "omitempty" && fields.Field(i).IsNil() {
			continue
		}
		switch values := fields.Field(i).Interface().(type) {
		case []float32:
			r.with[key] = js.Global().Get("Float32Array").New(uint8Array(bytesOf(values)).Get("buffer"))
		case []float64:
			r.with[key] = js.Global().Get("Float64Array").New(uint8Array(bytesOf(values)).Get("buffer"))
		}
		r.transfer = append(r.transfer, r.with[key].Get("buffer"))
	}
	return r
}

func blobReply(blob js.Value, report any) reply {
	return reply{value: map[string]any{"report": report}, with: map[string]js.Value{"blob": blob}}
}
