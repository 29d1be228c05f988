package main

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall/js"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// bytesRead counts what was read of all files since the start.
var bytesRead atomic.Int64

// smallFile is read whole at once: going through a file of many small batches
// one by one would take a round trip each.
const smallFile = 1 << 20

// A jsFile is a Blob, or a file at a URL, as io.ReaderAt and
// recording.RangesReader. Reading waits for promises, so it must not be
// called from a JavaScript callback, only from goroutines.
type jsFile struct {
	size    int64
	blob    js.Value // the Blob, or undefined
	url     string   // of a file whose server answers range requests
	all     []byte   // of small files: everything
	mark    string   // of the file at the URL, by which its server tells versions apart; "" none
	several bool     // the server may be asked for several ranges at once
}

// newJSFile opens source, a Blob or the text of a URL.
func newJSFile(source js.Value) (*jsFile, error) {
	f := &jsFile{}
	switch {
	case source.Type() == js.TypeString:
		f.url = source.String()
		f.several = ofThisServer(f.url)
		if err := f.probe(); err != nil {
			return nil, err
		}
	case source.InstanceOf(js.Global().Get("Blob")):
		f.blob, f.size = source, int64(source.Get("size").Float())
	default:
		return nil, &engine.ArgumentError{Op: "open", Detail: "source must be a File, a Blob or the text of a URL"}
	}
	if f.size > smallFile || f.size == 0 {
		return f, nil
	}
	all := make([]byte, f.size)
	if err := f.ReadRanges([]int64{0}, [][]byte{all}); err != nil {
		return nil, err
	}
	f.all = all
	return f, nil
}

// Grow takes in that the file at the URL has become longer.
func (f *jsFile) Grow(size int64) {
	if size > f.size && f.url != "" {
		f.size, f.all = size, nil
	}
}

// ReadAt implements io.ReaderAt.
func (f *jsFile) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= f.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), f.size-off))
	if err := f.ReadRanges([]int64{off}, [][]byte{p[:n]}); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// ReadRanges implements recording.RangesReader: all ranges, side by side.
func (f *jsFile) ReadRanges(offsets []int64, bufs [][]byte) error {
	return f.ranges(offsets, bufs, engine.Joined)
}

// ReadExactRanges implements recording.ExactRangesReader.
func (f *jsFile) ReadExactRanges(offsets []int64, bufs [][]byte) error {
	return f.ranges(offsets, bufs, engine.Apart)
}

// ranges reads by a rule. Of a server that gives one range at a time each read is a request,
// so that some bytes more cost less.
func (f *jsFile) ranges(offsets []int64, bufs [][]byte, rule engine.Rule) error {
	if f.all == nil {
		if f.url == "" || f.several {
			err := engine.ReadRanges(f.size, offsets, bufs, rule, report, f.read)
			if !errors.Is(err, errOneRange) {
				return err
			}
			f.several = false
		}
		return engine.ReadRanges(f.size, offsets, bufs, engine.Requested, report, f.read)
	}
	for i, off := range offsets {
		if off < 0 || off > f.size || int64(len(bufs[i])) > f.size-off {
			return io.ErrUnexpectedEOF
		}
		copy(bufs[i], f.all[off:])
	}
	return nil
}

func (f *jsFile) read(g *engine.Gathering, to [][]byte) error {
	if len(g.Reads) > 1 && f.url != "" {
		return f.fetchSeveral(g, to)
	}
	bytes, err := f.bytes(g)
	if err != nil {
		return err
	}
	for i, part := range g.Parts {
		js.CopyBytesToGo(to[i], bytes.Call("subarray", part.Place, part.Place+part.Length))
	}
	release(bytes)
	return nil
}

// Hold implements engine.Holder.
func (f *jsFile) Hold(off, n int64) (engine.Held, error) {
	g := engine.Gathering{Reads: []recording.RangeRead{{From: off, To: off + n}}, Bytes: n}
	bytes, err := f.bytes(&g)
	if err != nil {
		return nil, err
	}
	return jsHeld{bytes}, nil
}

// jsHeld is an Uint8Array, as engine.Held.
type jsHeld struct{ bytes js.Value }

func (h jsHeld) CopyTo(p []byte, from int) {
	js.CopyBytesToGo(p, h.bytes.Call("subarray", from, from+len(p)))
}
func (h jsHeld) Release() { release(h.bytes) }

// release gives the memory of an Uint8Array back at once. Go's reference to it lasts
// until Go collects it, which does not know how large it is: a gigabyte was kept so.
func release(bytes js.Value) {
	if drop := js.Global().Get("oniscopeHost").Get("drop"); drop.Type() == js.TypeFunction {
		drop.Invoke(bytes)
	}
}

// bytes makes reads into one Uint8Array: of a file at a URL a single one.
func (f *jsFile) bytes(g *engine.Gathering) (bytes js.Value, err error) {
	from, to := g.Reads[0].From, g.Reads[0].To
	if f.blob.Truthy() {
		bytes, err = await(f.parts(g))
	} else {
		bytes, err = f.fetch(from, to)
	}
	if err != nil {
		return bytes, err
	}
	if n := int64(bytes.Length()); n != g.Bytes {
		if !f.blob.Truthy() {
			return bytes, f.cutShort(n, from, to)
		}
		return bytes, &engine.SourceError{Name: "NotReadableError", Message: fmt.Sprintf("%d bytes came from offset %d on, %d were asked for", n, from, g.Bytes)}
	}
	bytesRead.Add(g.Bytes)
	return bytes, nil
}

// parts reads a part of the Blob, or several, one after another.
func (f *jsFile) parts(g *engine.Gathering) js.Value {
	ends := make([]any, 0, 2*len(g.Reads))
	for _, r := range g.Reads {
		ends = append(ends, r.From, r.To)
	}
	return js.Global().Get("oniscopeHost").Call("read", f.blob, ends)
}

// slice gives [from, to) as a Blob: of a Blob without reading it, of a URL by
// fetching it.
func (f *jsFile) slice(from, to int64) (js.Value, error) {
	if f.blob.Truthy() {
		return f.blob.Call("slice", from, to), nil
	}
	response, err := f.request(from, to)
	if err != nil {
		return response, err
	}
	blob, err := f.body(response, "blob")
	if err != nil {
		return blob, err
	}
	if n := int64(blob.Get("size").Float()); n != to-from {
		return blob, f.cutShort(n, from, to)
	}
	bytesRead.Add(to - from)
	return blob, nil
}
