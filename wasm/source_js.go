package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
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
	size int64
	blob js.Value // the Blob, or undefined
	url  string   // of a file whose server answers range requests
	all  []byte   // of small files: everything
}

// newJSFile opens source, a Blob or the text of a URL.
func newJSFile(source js.Value) (*jsFile, error) {
	f := &jsFile{}
	switch {
	case source.Type() == js.TypeString:
		f.url = source.String()
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
	if f.all == nil {
		return engine.ReadRanges(f.size, offsets, bufs, report, f.read)
	}
	for i, off := range offsets {
		if off < 0 || off > f.size || int64(len(bufs[i])) > f.size-off {
			return io.ErrUnexpectedEOF
		}
		copy(bufs[i], f.all[off:])
	}
	return nil
}

func (f *jsFile) read(p recording.RangeRead, to [][]byte) error {
	var buffer js.Value
	var err error
	if f.blob.Truthy() {
		buffer, err = await(f.blob.Call("slice", p.From, p.To).Call("arrayBuffer"))
	} else {
		buffer, err = f.fetch(p.From, p.To)
	}
	if err != nil {
		return err
	}
	bytes := js.Global().Get("Uint8Array").New(buffer)
	if n := int64(bytes.Length()); n != p.To-p.From {
		return &engine.SourceError{Name: "NotReadableError", Message: fmt.Sprintf("%d bytes came at offset %d, %d were asked for", n, p.From, p.To-p.From)}
	}
	bytesRead.Add(p.To - p.From)
	for i, part := range p.Parts {
		from := part.At - p.From
		js.CopyBytesToGo(to[i], bytes.Call("subarray", from, from+part.Length))
	}
	return nil
}

// requestTimeout bounds one request, in ms: a server that has gone away must
// not block the stream for ever.
const requestTimeout = 60_000

// request asks for [from, to), to exclusive. It returns the Response, whose
// status is 206.
func (f *jsFile) request(from, to int64) (js.Value, error) {
	response, err := f.call("GET", fmt.Sprintf("bytes=%d-%d", from, to-1))
	if err != nil {
		return response, err
	}
	switch status := response.Get("status").Int(); {
	case status == 206:
		return response, nil
	case status == 200:
		discard(response)
		return response, &engine.SourceError{Name: "NetworkError", Message: fmt.Sprintf("%s: the server sends the whole file and no ranges of it", f.url),
			Next: "Use a server that answers range requests, such as oniscope view, or drop the file."}
	case status == 416:
		discard(response)
		return response, &engine.SourceError{Name: "NetworkError", Message: fmt.Sprintf("%s: the server has no bytes %d to %d", f.url, from, to),
			Next: "The file may have changed; open it again."}
	default:
		discard(response)
		return response, &engine.SourceError{Name: "NetworkError", Message: fmt.Sprintf("%s: the server answers %d %s", f.url, status, response.Get("statusText").String()),
			Next: "Check the address."}
	}
}

func (f *jsFile) call(method, ranges string) (js.Value, error) {
	headers := map[string]any{}
	if ranges != "" {
		headers["Range"] = ranges
	}
	// no-store: a recording does not belong in the browser's cache, and the
	// cache would answer requests for one address one after the other.
	response, err := await(js.Global().Call("fetch", f.url, map[string]any{
		"method": method, "headers": headers, "cache": "no-store",
		"signal": js.Global().Get("AbortSignal").Call("timeout", requestTimeout),
	}))
	if err != nil {
		return response, &engine.SourceError{Name: "NetworkError", Message: fmt.Sprintf("%s: %v", f.url, err),
			Next: "Check the address and the connection; a server of another origin must allow this page (CORS)."}
	}
	return response, nil
}

func discard(response js.Value) {
	if body := response.Get("body"); body.Truthy() {
		// A body that is not read would be fetched to its end.
		await(body.Call("cancel")) // its failure changes nothing
	}
}

// fetch gives the bytes [from, to) as an ArrayBuffer.
func (f *jsFile) fetch(from, to int64) (js.Value, error) {
	response, err := f.request(from, to)
	if err != nil {
		return response, err
	}
	if first, _, ok := contentRange(response); ok && first != from {
		discard(response)
		return response, &engine.SourceError{Name: "NetworkError", Message: fmt.Sprintf("%s: bytes from %d came, from %d were asked for", f.url, first, from)}
	}
	return await(response.Call("arrayBuffer"))
}

// contentRange reads "bytes 0-7/1234"; a server of another origin may hide it.
func contentRange(response js.Value) (first, size int64, ok bool) {
	header := response.Get("headers").Call("get", "Content-Range")
	if header.Type() != js.TypeString {
		return 0, 0, false
	}
	ranges, total, ok := strings.Cut(strings.TrimPrefix(header.String(), "bytes "), "/")
	if !ok {
		return 0, 0, false
	}
	start, _, _ := strings.Cut(ranges, "-")
	first, err1 := strconv.ParseInt(start, 10, 64)
	size, err2 := strconv.ParseInt(total, 10, 64)
	return first, size, err1 == nil && err2 == nil && size >= 0
}

// probe finds the size of the file and whether its server gives ranges.
func (f *jsFile) probe() error {
	response, err := f.request(0, 8)
	if err != nil {
		if size, ok := f.length(); ok && size == 0 { // no range of an empty file can be had
			f.size = 0
			return nil
		}
		return err
	}
	_, size, ok := contentRange(response)
	discard(response)
	if !ok {
		if size, ok = f.length(); !ok {
			return &engine.SourceError{Name: "NetworkError", Message: fmt.Sprintf("%s: the server does not say the size of the file", f.url),
				Next: "A server of another origin must expose Content-Range or Content-Length (Access-Control-Expose-Headers)."}
		}
	}
	f.size = size
	return nil
}

func (f *jsFile) length() (int64, bool) {
	response, err := f.call("HEAD", "")
	if err != nil || !response.Get("ok").Bool() {
		return 0, false
	}
	header := response.Get("headers").Call("get", "Content-Length")
	if header.Type() != js.TypeString {
		return 0, false
	}
	size, err := strconv.ParseInt(header.String(), 10, 64)
	return size, err == nil && size >= 0
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
	blob, err := await(response.Call("blob"))
	if err != nil {
		return blob, err
	}
	if n := int64(blob.Get("size").Float()); n != to-from {
		return blob, &engine.SourceError{Name: "NetworkError", Message: fmt.Sprintf("%s: %d bytes came at offset %d, %d were asked for", f.url, n, from, to-from)}
	}
	bytesRead.Add(to - from)
	return blob, nil
}
