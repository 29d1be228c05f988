package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall/js"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// The heap never shrinks in WebAssembly. Most of it is bytes without pointers,
// which cost the collector nothing, so it may run often.
const (
	softMemoryLimit = 200 << 20 // bytes
	gcPercent       = 50        // of what is in use, on top of it
)

func main() {
	debug.SetMemoryLimit(softMemoryLimit)
	debug.SetGCPercent(gcPercent)
	b := &bridge{
		host:    js.Global().Get("oniscopeHost"),
		engine:  &Engine{Yield: newEventLoop().Yield, Now: time.Now},
		running: map[int]context.CancelFunc{},
	}
	// The callback lives as long as the program, which ends with the worker.
	b.host.Call("ready", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if len(args) > 0 {
			b.handle(args[0])
		}
		return nil
	}))
	select {}
}

// A bridge turns messages into calls of the engine and results into replies.
// Everything runs on one thread, so its fields need no lock.
type bridge struct {
	host    js.Value // of format.worker.js: ready(handle), post(message, transfer), memory()
	engine  *Engine
	running map[int]context.CancelFunc // by request id
}

// A reply is what a request gives: JSON for the whole, typed arrays and Blobs
// by key beside it, and the buffers that are transferred.
type reply struct {
	value    any
	with     map[string]js.Value
	transfer []any
}

// handle takes one message; it must not block.
func (b *bridge) handle(message js.Value) {
	id, op, args := -1, "", js.Undefined()
	if message.Type() == js.TypeObject {
		if v := message.Get("id"); v.Type() == js.TypeNumber {
			id = v.Int()
		}
		if v := message.Get("op"); v.Type() == js.TypeString {
			op = v.String()
		}
		args = message.Get("args")
	}
	if op == "cancel" {
		if args.Type() == js.TypeObject {
			if target := args.Get("target"); target.Type() == js.TypeNumber {
				if cancel := b.running[target.Int()]; cancel != nil {
					cancel()
				}
			}
		}
		b.post(id, "result", reply{})
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.running[id] = cancel
	go func() {
		var result reply
		err := guarded(op, report, func() (err error) {
			result, err = b.serve(ctx, id, op, args)
			return err
		})
		delete(b.running, id)
		cancel()
		if err != nil {
			b.post(id, "error", reply{value: replyFromError(err)})
			return
		}
		b.post(id, "result", result)
	}()
}

// report tells the console of a bug.
func report(text string) { fmt.Fprintln(os.Stderr, text) }

// serve answers one request.
func (b *bridge) serve(ctx context.Context, id int, op string, args js.Value) (reply, error) {
	text := "{}"
	if args.Type() == js.TypeObject {
		text = js.Global().Get("JSON").Call("stringify", args).String()
	}
	decode := func(into any) error {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return &ArgumentError{op, "wrong arguments: " + err.Error()}
		}
		return nil
	}
	progress := func(value any) { b.post(id, "progress", reply{value: value}) }
	var one StreamArgs
	switch op {
	case "open":
		return b.open(ctx, args, func(p OpenProgress) { progress(p) })
	case "close", "info", "index", "verify":
		if err := decode(&one); err != nil {
			return reply{}, err
		}
	}
	switch op {
	case "close":
		return reply{}, b.engine.Close(one.Stream)
	case "info":
		info, err := b.engine.Info(one.Stream)
		return reply{value: info}, err
	case "index":
		info, err := b.engine.Index(ctx, one.Stream, func(p OpenProgress) { progress(p) })
		return reply{value: info}, err
	case "envelope":
		var a EnvelopeArgs
		if err := decode(&a); err != nil {
			return reply{}, err
		}
		env, err := b.engine.Envelope(ctx, a, func(env *Envelope) { b.post(id, "progress", envelopeReply(env)) })
		if err != nil {
			return reply{}, err
		}
		return envelopeReply(env), nil
	case "values":
		var a ValuesArgs
		if err := decode(&a); err != nil {
			return reply{}, err
		}
		return b.values(ctx, a)
	case "table":
		var a TableArgs
		if err := decode(&a); err != nil {
			return reply{}, err
		}
		table, err := b.engine.Table(ctx, a)
		return reply{value: table}, err
	case "row":
		var a RowArgs
		if err := decode(&a); err != nil {
			return reply{}, err
		}
		row, err := b.engine.RowAt(ctx, a)
		return reply{value: row}, err
	case "slice":
		var a SliceArgs
		if err := decode(&a); err != nil {
			return reply{}, err
		}
		file := &blobFile{}
		report, err := b.engine.Slice(ctx, a, file, func(p SliceProgress) { progress(p) })
		if err != nil {
			return reply{}, err
		}
		return blobReply(typed(file.blob(), a.Format), report), nil
	case "recover":
		var a RecoverArgs
		if err := decode(&a); err != nil {
			return reply{}, err
		}
		return b.recover(ctx, a, func(p SliceProgress) { progress(p) })
	case "verify":
		found, err := b.engine.Verify(ctx, one.Stream, func(p SliceProgress) { progress(p) })
		return reply{value: found}, err
	case "setClock":
		var a ClockArgs
		if err := decode(&a); err != nil {
			return reply{}, err
		}
		info, err := b.engine.SetClock(a)
		return reply{value: info}, err
	case "startTime":
		var a StartTimeArgs
		if err := decode(&a); err != nil {
			return reply{}, err
		}
		start, err := ReadStartTime(a)
		return reply{value: start}, err
	case "engine":
		bytes := 0.0
		if memory := b.host.Get("memory"); memory.Type() == js.TypeFunction {
			bytes = memory.Invoke().Float()
		}
		return reply{value: map[string]any{"bytes": bytes, "read": bytesRead.Load(), "version": stream.Version}}, nil
	}
	return reply{}, &ArgumentError{op, "there is no such request"}
}

func (b *bridge) open(ctx context.Context, args js.Value, progress func(OpenProgress)) (reply, error) {
	if args.Type() != js.TypeObject || args.Get("name").Type() != js.TypeString || args.Get("name").String() == "" {
		return reply{}, &ArgumentError{"open", "name must be the name of the file"}
	}
	file, err := newJSFile(args.Get("source"))
	if err != nil {
		return reply{}, err
	}
	info, err := b.engine.Open(ctx, file, file.size, args.Get("name").String(), progress)
	return reply{value: info}, err
}

// arrays names the typed array of a page for each type of column. Float16
// becomes float32; booleans are bytes.
var arrays = map[stream.Type]string{
	stream.Bool: "Uint8Array", stream.Int8: "Int8Array", stream.Int16: "Int16Array", stream.Int32: "Int32Array", stream.Int64: "BigInt64Array",
	stream.Uint8: "Uint8Array", stream.Uint16: "Uint16Array", stream.Uint32: "Uint32Array", stream.Uint64: "BigUint64Array",
	stream.Float16: "Float32Array", stream.Float32: "Float32Array", stream.Float64: "Float64Array",
}

// values collects rows in memory of the page: only one batch at a time is in
// the engine's.
func (b *bridge) values(ctx context.Context, a ValuesArgs) (reply, error) {
	if numbers, err := b.engine.Numeric(a); err != nil {
		return reply{}, err
	} else if !numbers {
		return b.texts(ctx, a)
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
	if err := b.engine.Values(ctx, a, begin, put); err != nil {
		return reply{}, err
	}
	r := reply{value: struct{}{}, with: map[string]js.Value{"values": values, "valid": js.Null()}, transfer: []any{values.Get("buffer")}}
	if !valid.IsUndefined() {
		r.with["valid"] = valid
		r.transfer = append(r.transfer, valid.Get("buffer"))
	}
	return r, nil
}

// texts is values of what does not hold numbers.
func (b *bridge) texts(ctx context.Context, a ValuesArgs) (reply, error) {
	texts, valid, err := b.engine.Texts(ctx, a)
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

func (b *bridge) recover(ctx context.Context, a RecoverArgs, progress func(SliceProgress)) (reply, error) {
	written := &blobFile{}
	source, plan, err := b.engine.Recover(ctx, a, written, progress)
	if err != nil {
		return reply{}, err
	}
	if written.size > 0 {
		blob := written.blob()
		copied, err := newJSFile(blob)
		if err == nil {
			err = b.engine.VerifyCopy(ctx, plan, copied, copied.size)
		}
		return blobReply(blob, plan.Report), err
	}
	file, ok := source.(*jsFile)
	if !ok {
		return reply{}, errors.New("engine: recover: the stream is not a file of the page")
	}
	var parts []any
	for _, span := range plan.Spans {
		if err := b.engine.breathe(ctx); err != nil {
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

// post sends one message. kind is result, error or progress.
func (b *bridge) post(id int, kind string, r reply) {
	value := js.Null()
	if r.value != nil {
		text, err := json.Marshal(r.value)
		if err != nil {
			kind, text = "error", fmt.Appendf(nil, `{"name":"EngineError","message":%q}`, "engine: the answer could not be written: "+err.Error())
			r = reply{}
		}
		value = js.Global().Get("JSON").Call("parse", string(text))
	}
	for key, v := range r.with {
		value.Set(key, v)
	}
	message := js.Global().Get("Object").New()
	message.Set("id", id)
	message.Set(kind, value)
	b.host.Call("post", message, r.transfer)
}

func envelopeReply(env *Envelope) reply {
	data := float32Array(env.Data)
	r := reply{value: env, with: map[string]js.Value{"data": data}, transfer: []any{data.Get("buffer")}}
	if env.Kind == "samples" {
		x := js.Global().Get("Float64Array").New(uint8Array(bytesOf(env.X)).Get("buffer"))
		r.with["x"] = x
		r.transfer = append(r.transfer, x.Get("buffer"))
	}
	return r
}

func blobReply(blob js.Value, report any) reply {
	return reply{value: map[string]any{"report": report}, with: map[string]js.Value{"blob": blob}}
}
