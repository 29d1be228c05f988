package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall/js"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// The heap never shrinks in WebAssembly. Most of it is bytes without pointers,
// which cost the collector nothing, so it may run often.
const (
	softMemoryLimit = 272e6 // bytes: what is kept of the files and worked with, garbage, and what Go itself needs
	gcPercent       = 25    // of what is in use, on top of it
	firstPercent    = 800   // up to the first collection: of 4 MB, which the runtime counts with at least
)

// collectLater leaves the first 32 MB alone: at 25 % a collection would follow each
// megabyte while the first file is opened and drawn, in code that the browser
// compiles meanwhile.
func collectLater() {
	debug.SetGCPercent(firstPercent)
	type collected struct{ _ *int } // with a pointer: else it may share its place with what stays
	runtime.SetFinalizer(&collected{}, func(*collected) { debug.SetGCPercent(gcPercent) })
}

func main() {
	debug.SetMemoryLimit(softMemoryLimit)
	collectLater()
	host := js.Global().Get("oniscopeHost")
	recording.UseZstd(hostZstd(host))
	b := &bridge{
		host:    host,
		engine:  &engine.Engine{Yield: newEventLoop().Yield, Now: time.Now, Sums: kernelSums(host), SumHere: kernelHere(host), Store: storeOf(host)},
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
	host    js.Value // of engine.worker.js: ready(handle), post(message, transfer), memory(), read(...), sums(...), zstd(...), store
	engine  *engine.Engine
	running map[int]context.CancelFunc // by request id
}

// A reply is what a request gives: JSON for the whole, typed arrays and Blobs
// by key next to it, and the buffers that are transferred.
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
		err := engine.Guard(op, report, func() (err error) {
			result, err = b.serve(&call{ctx, b, id, op, args})
			return err
		})
		delete(b.running, id)
		cancel()
		if err != nil {
			b.post(id, "error", reply{value: engine.ReplyFromError(err)})
			return
		}
		b.post(id, "result", result)
	}()
}

// report writes what a bug leaves to the console.
func report(text string) { fmt.Fprintln(os.Stderr, text) }

// serve answers one request.
func (b *bridge) serve(c *call) (reply, error) {
	if answer := operations[c.op]; answer != nil {
		return answer(b, c)
	}
	return reply{}, &engine.ArgumentError{Op: c.op, Detail: "there is no such request"}
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
		value = js.Global().Get("JSON").Call("parse", string(engine.WithDigits(text)))
	}
	for key, v := range r.with {
		value.Set(key, v)
	}
	message := js.Global().Get("Object").New()
	message.Set("id", id)
	message.Set(kind, value)
	b.host.Call("post", message, r.transfer)
}
