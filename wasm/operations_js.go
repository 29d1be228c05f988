package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
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
	"open":        with(open),
	"openGrowing": openGrowing,
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
		var args A
		if err := c.read(&args); err != nil {
			return reply{}, err
		}
		return answer(b, c, args)
	}
}

// read takes the arguments of a call from its JSON. It is no part of with, of which there
// is one for each operation.
func (c *call) read(args any) error {
	text := "{}"
	if c.args.Type() == js.TypeObject {
		text = js.Global().Get("JSON").Call("stringify", c.args).String()
	}
	if err := json.Unmarshal([]byte(text), args); err != nil {
		return &engine.ArgumentError{Op: c.op, Detail: "wrong arguments: " + err.Error()}
	}
	return nil
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

// openGrowing takes its blocks as numbers, six each: thousands of them as JSON take a
// fifth of a second.
func openGrowing(b *bridge, c *call) (reply, error) {
	blocks, err := sixes(c.args.Get("blocks"))
	if err != nil {
		return reply{}, err
	}
	file := &jsFile{}
	if n := len(blocks); n > 0 && c.args.Get("source").Type() == js.TypeString {
		file.url, file.size = c.args.Get("source").String(), blocks[n-1][0]+blocks[n-1][1] // what is asked for first shows whether it is there
	} else if file, err = newJSFile(c.args.Get("source")); err != nil {
		return reply{}, err
	}
	info, err := b.engine.OpenGrowing(c.ctx, engine.OpenGrowingArgs{Stream: c.args.Get("stream").String(), Name: c.args.Get("name").String(), Blocks: blocks}, file, file.size)
	return reply{value: info}, err
}

// sixes are whole numbers of a Float64Array, six by six.
func sixes(array js.Value) ([][]int64, error) {
	wrong := &engine.ArgumentError{Op: "openGrowing", Detail: "blocks: whole numbers are expected, six a batch"}
	if !array.InstanceOf(js.Global().Get("Float64Array")) || array.Length()%6 != 0 {
		return nil, wrong
	}
	data := make([]byte, 8*array.Length())
	js.CopyBytesToGo(data, js.Global().Get("Uint8Array").New(array.Get("buffer"), array.Get("byteOffset"), len(data)))
	numbers, list := make([]int64, array.Length()), make([][]int64, array.Length()/6)
	for i := range numbers {
		v := math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return nil, wrong
		}
		numbers[i] = int64(v)
	}
	for i := range list {
		list[i] = numbers[6*i : 6*i+6]
	}
	return list, nil
}

func open(b *bridge, c *call, a engine.OpenArgs) (reply, error) {
	file, err := newJSFile(c.args.Get("source"))
	if err != nil {
		return reply{}, err
	}
	info, err := b.engine.Open(c.ctx, a, file, file.size, progress[engine.OpenProgress](c))
	return reply{value: info}, err
}
