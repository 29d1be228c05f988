package main

import (
	"context"
	"encoding/json"
	"syscall/js"

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

// operations are the requests of web/src/protocol.d.ts that both engines answer;
// each adds its own: looking_js.go, working_js.go. cancel, which ends others, is the
// bridge's own.
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
	"setClock": plain(func(e *engine.Engine, c *call, a engine.ClockArgs) (any, error) {
		return e.SetClock(a)
	}),
	"setGain": plain(func(e *engine.Engine, c *call, a engine.GainArgs) (any, error) {
		return e.SetGain(a)
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
