//go:build !second

package main

import (
	"context"
	"maps"
	"reflect"
	"strings"
	"syscall/js"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// The first engine of a page, which draws.
func init() {
	maps.Copy(operations, map[string]operation{
		"info": plain(func(e *engine.Engine, c *call, a engine.StreamArgs) (any, error) {
			return e.Info(a.Stream)
		}),
		"index": plain(func(e *engine.Engine, c *call, a engine.StreamArgs) (any, error) {
			return e.Index(c.ctx, a.Stream, progress[engine.OpenProgress](c))
		}),
		"envelope": with(drawn((*engine.Engine).Draw, binsReply)),
		"overview": with(drawn((*engine.Engine).Overview, arraysReply)),
		"values":   with(values),
		"table": plain(func(e *engine.Engine, c *call, a engine.TableArgs) (any, error) {
			return e.Table(c.ctx, a)
		}),
		"row": plain(func(e *engine.Engine, c *call, a engine.RowArgs) (any, error) {
			return e.RowAt(c.ctx, a)
		}),
		"proved": plain(func(e *engine.Engine, c *call, a engine.ProvedArgs) (any, error) {
			return nil, e.Proved(c.ctx, a)
		}),
		"known": with(func(b *bridge, c *call, a engine.StreamArgs) (reply, error) {
			data, err := b.engine.Known(a.Stream)
			if err != nil || data == nil {
				return reply{}, err
			}
			buffer := uint8Array(data).Get("buffer")
			return reply{value: struct{}{}, with: map[string]js.Value{"known": buffer}, transfer: []any{buffer}}, nil
		}),
		"tiles": with(func(b *bridge, c *call, a engine.StreamArgs) (reply, error) {
			return reply{}, b.engine.AddTiles(a.Stream, taken(c.args.Get("tiles")))
		}),
		"startTime": plain(func(_ *engine.Engine, c *call, a engine.StartTimeArgs) (any, error) {
			return engine.ReadStartTime(a)
		}),
		"chooseStartTime": plain(func(_ *engine.Engine, c *call, a engine.ChooseArgs) (any, error) {
			return engine.ChooseStartTime(a), nil
		}),
	})
}

// drawn is an operation whose result, and whose progress, has typed arrays.
func drawn[A, R any](draw func(e *engine.Engine, ctx context.Context, a A, progress func(*R)) (*R, error), answer func(*R) reply) func(b *bridge, c *call, a A) (reply, error) {
	return func(b *bridge, c *call, a A) (reply, error) {
		result, err := draw(b.engine, c.ctx, a, func(r *R) { b.post(c.id, "progress", answer(r)) })
		if err != nil {
			return reply{}, err
		}
		return answer(result), nil
	}
}

// binsReply puts what an envelope shows into arrays of the page, without all of them
// in memory here too.
func binsReply(env *engine.Envelope) reply {
	if env.Kind == "samples" {
		return arraysReply(env)
	}
	r := reply{value: env, with: map[string]js.Value{}}
	n := len(env.Columns) * env.Bins
	array := func(key string, n int) js.Value {
		r.with[key] = js.Global().Get("Float32Array").New(n)
		buffer := r.with[key].Get("buffer")
		r.transfer = append(r.transfer, buffer)
		return js.Global().Get("Uint8Array").New(buffer)
	}
	data, mean, sd := array("data", 2*n), array("mean", n), array("sd", n)
	env.Fill(func(at int, d, m, s []float32) {
		js.CopyBytesToJS(data.Call("subarray", 8*at), bytesOf(d))
		js.CopyBytesToJS(mean.Call("subarray", 4*at), bytesOf(m))
		js.CopyBytesToJS(sd.Call("subarray", 4*at), bytesOf(s))
	})
	return r
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

// arraysReply transfers the fields of a struct with a page tag as typed arrays.
func arraysReply[R any](value *R) reply {
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
