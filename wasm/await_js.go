package main

import (
	"syscall/js"

	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// await waits for a promise; the page's messages are handled meanwhile. A
// rejection comes back as *SourceError with the name of the DOM error.
func await(promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	resolve := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{value: args[0]}
		return nil
	})
	defer resolve.Release()
	reject := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{err: sourceError(args[0])}
		return nil
	})
	defer reject.Release()
	promise.Call("then", resolve, reject)
	o := <-done
	return o.value, o.err
}

// sourceError converts what a promise was rejected with.
func sourceError(reason js.Value) error {
	e := &engine.SourceError{Name: "EngineError", Message: "the browser gave no reason"}
	if reason.Type() != js.TypeObject {
		return e
	}
	if v := reason.Get("name"); v.Type() == js.TypeString && v.String() != "" {
		e.Name = v.String()
	}
	if v := reason.Get("message"); v.Type() == js.TypeString && v.String() != "" {
		e.Message = v.String()
	}
	return e
}

// An eventLoop lets messages that wait in the page's event loop be handled:
// a goroutine that calls Yield goes on after them.
type eventLoop struct {
	port    js.Value
	waiting []chan struct{} // in the order of the messages posted
}

// newEventLoop lives as long as the program; so does its callback.
func newEventLoop() *eventLoop {
	l := &eventLoop{}
	channel := js.Global().Get("MessageChannel").New()
	l.port = channel.Get("port2")
	channel.Get("port1").Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
		first := l.waiting[0]
		l.waiting = l.waiting[1:]
		close(first)
		return nil
	}))
	return l
}

// Yield waits for one round of the event loop. setTimeout would take 4 ms.
func (l *eventLoop) Yield() {
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	l.port.Call("postMessage", js.Null())
	<-turn
}
