package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall/js"
	"time"

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
	mark string   // of the file at the URL, by which its server tells versions apart; "" none
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
	return f.ranges(offsets, bufs, f.rule())
}

func (f *jsFile) rule() engine.Rule {
	if f.url != "" {
		return engine.Requested
	}
	return engine.Joined
}

// ReadExactRanges implements recording.ExactRangesReader. Of a URL each read is a request,
// so that some bytes more cost less.
func (f *jsFile) ReadExactRanges(offsets []int64, bufs [][]byte) error {
	if f.url != "" {
		return f.ranges(offsets, bufs, f.rule())
	}
	return f.ranges(offsets, bufs, engine.Apart)
}

func (f *jsFile) ranges(offsets []int64, bufs [][]byte, rule engine.Rule) error {
	if f.all == nil {
		return engine.ReadRanges(f.size, offsets, bufs, rule, report, f.read)
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
	buffer, err := f.buffer(g)
	if err != nil {
		return err
	}
	bytes := js.Global().Get("Uint8Array").New(buffer)
	for i, part := range g.Parts {
		js.CopyBytesToGo(to[i], bytes.Call("subarray", part.Place, part.Place+part.Length))
	}
	release(buffer)
	return nil
}

// release frees an ArrayBuffer at once. Go's reference to it lasts until Go collects
// it, which does not know how large it is: a gigabyte of them was kept so.
func release(buffer js.Value) {
	if drop := js.Global().Get("oniscopeHost").Get("drop"); drop.Type() == js.TypeFunction {
		drop.Invoke(buffer)
	}
}

// buffer makes reads into one ArrayBuffer: of a file at a URL a single one.
func (f *jsFile) buffer(g *engine.Gathering) (buffer js.Value, err error) {
	from, to := g.Reads[0].From, g.Reads[0].To
	if f.blob.Truthy() {
		buffer, err = await(f.gathered(g).Call("arrayBuffer"))
	} else {
		buffer, err = f.fetch(from, to)
	}
	if err != nil {
		return buffer, err
	}
	if n := int64(buffer.Get("byteLength").Int()); n != g.Bytes {
		if !f.blob.Truthy() {
			return buffer, f.cutShort(n, from, to)
		}
		return buffer, &engine.SourceError{Name: "NotReadableError", Message: fmt.Sprintf("%d bytes came from offset %d on, %d were asked for", n, from, g.Bytes)}
	}
	bytesRead.Add(g.Bytes)
	return buffer, nil
}

// gathered is the part of the Blob that some reads are, or a Blob of several parts.
func (f *jsFile) gathered(g *engine.Gathering) js.Value {
	parts := make([]any, len(g.Reads))
	for i, r := range g.Reads {
		parts[i] = f.blob.Call("slice", r.From, r.To)
	}
	if len(parts) == 1 {
		return parts[0].(js.Value)
	}
	return newBlob(parts)
}

// cutShort says that an answer has fewer bytes than were asked for and promised.
func (f *jsFile) cutShort(n, from, to int64) error {
	return f.failed("Try again; if it stays, something between cuts answers short: download the file and drop it.",
		"the server sent fewer bytes than it promised: %d of %d, from byte %d on", n, to-from, from)
}

// failed is an error about the file at the URL.
func (f *jsFile) failed(next, format string, args ...any) error {
	return &engine.SourceError{Name: "NetworkError", Message: f.url + ": " + fmt.Sprintf(format, args...), Next: next}
}

// requestTimeout bounds one request, in ms: a server that has gone away must
// not block the stream for ever.
const requestTimeout = 60_000

// request asks for [from, to), to exclusive. It returns the Response, whose
// status is 206.
func (f *jsFile) request(from, to int64) (js.Value, error) {
	response, err := f.tried(fmt.Sprintf("bytes=%d-%d", from, to-1))
	if err != nil {
		return response, err
	}
	switch status := response.Get("status").Int(); {
	case status == 206:
		if err := f.same(response); err != nil {
			discard(response)
			return response, err
		}
		return response, nil
	case status == 200:
		discard(response)
		return response, f.failed("Use a server that answers range requests, such as oniscope view, or drop the file.", "the server sends the whole file and no ranges of it")
	case status == 401 || status == 403 || status == 407:
		discard(response)
		return response, f.failed("Open the address in a browser and sign in, or download the file and drop it.", "the server does not give the file to this page (%s)", answered(response))
	case status == 404 || status == 410:
		discard(response)
		return response, f.failed("Check the address.", "there is no such file (%s)", answered(response))
	case status == 416:
		discard(response)
		return response, f.failed("The file may have changed; open it again.", "the server has no bytes %d to %d", from, to)
	case passing(status):
		discard(response)
		return response, f.failed("Wait a while and try again.", "the server is busy, and was asked %d times (%s)", len(retryAfter)+1, answered(response))
	}
	discard(response)
	return response, f.failed("Check the address.", "the server answers %s", answered(response))
}

func answered(response js.Value) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", response.Get("status").Int(), response.Get("statusText").String()))
}

// retryAfter is how long is waited before a busy server is asked again, in ms.
var retryAfter = [...]int{300, 1000, 3000}

// passing reports whether a status may be another in a moment.
func passing(status int) bool {
	return status == 429 || status == 502 || status == 503 || status == 504
}

// tried asks for a range, and again where the server is busy.
func (f *jsFile) tried(ranges string) (response js.Value, err error) {
	for try := 0; ; try++ {
		response, err = f.call("GET", ranges)
		if err != nil || !passing(response.Get("status").Int()) || try == len(retryAfter) {
			return response, err
		}
		discard(response)
		wait(retryAfter[try])
	}
}

// wait sleeps for so many milliseconds.
func wait(ms int) { time.Sleep(time.Duration(ms) * time.Millisecond) }

// same makes sure that an answer is of the file that was opened, as it is in the
// file's own bytes: a replaced file must not be read half and half.
func (f *jsFile) same(response js.Value) error {
	headers := response.Get("headers")
	text := func(name string) string {
		if v := headers.Call("get", name); v.Type() == js.TypeString { // a server of another origin may hide it
			return v.String()
		}
		return ""
	}
	if coding := text("Content-Encoding"); coding != "" && coding != "identity" {
		return f.failed("Turn compression off for this kind of file on the server, or download the file and drop it.", "the server compresses its answer (%s), so that its ranges are none of the file", coding)
	}
	mark := text("ETag")
	if mark == "" {
		mark = text("Last-Modified")
	}
	if f.mark == "" {
		f.mark = mark
	}
	if mark != "" && mark != f.mark {
		return f.failed("Open it again.", "the file was replaced on the server since it was opened")
	}
	return nil
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
		return response, f.failed("Check the address and the connection; a server of another origin must allow this page (CORS).", "no answer: %v", err)
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
		return response, f.failed("Download the file and drop it.", "the server answers wrong: bytes from %d came, from %d were asked for", first, from)
	}
	return f.body(response, "arrayBuffer")
}

// body reads what a server sent.
func (f *jsFile) body(response js.Value, as string) (js.Value, error) {
	body, err := await(response.Call(as))
	if err != nil {
		return body, f.failed("Try again; if it stays, download the file and drop it.", "the answer broke off, or could not be unpacked: %v", err)
	}
	return body, nil
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
