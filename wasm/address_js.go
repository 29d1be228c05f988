package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/wasm/internal/engine"
)

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
	response, err := f.tried(engine.RangeHeader([]recording.RangeRead{{From: from, To: to}}))
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

// ofThisServer reports whether a URL is of the origin that the page is from. Another is
// asked for one range at a time: of several the browser would ask it for leave first.
func ofThisServer(url string) bool {
	here := js.Global().Get("location")
	return here.Truthy() && js.Global().Get("URL").New(url).Get("origin").String() == here.Get("origin").String()
}

// errOneRange is of a server that gives no more than one range in an answer.
var errOneRange = errors.New("the server gives one range at a time")

// fetchSeveral makes the reads in one request, and puts their bytes where they belong.
func (f *jsFile) fetchSeveral(g *engine.Gathering, to [][]byte) error {
	response, err := f.tried(engine.RangeHeader(g.Reads))
	if err != nil {
		return err
	}
	kind := response.Get("headers").Call("get", "Content-Type")
	if response.Get("status").Int() != 206 || kind.Type() != js.TypeString || !strings.HasPrefix(kind.String(), "multipart/") {
		discard(response)
		return errOneRange // which says better what else may be wrong
	}
	if err := f.same(response); err != nil {
		discard(response)
		return err
	}
	buffer, err := f.body(response, "arrayBuffer")
	if err != nil {
		return err
	}
	if !g.FillOf(taken(buffer), to) {
		return errOneRange
	}
	bytesRead.Add(g.Bytes)
	return nil
}

// fetch gives the bytes [from, to) as an Uint8Array.
func (f *jsFile) fetch(from, to int64) (js.Value, error) {
	response, err := f.request(from, to)
	if err != nil {
		return response, err
	}
	if first, _, ok := contentRange(response); ok && first != from {
		discard(response)
		return response, f.failed("Download the file and drop it.", "the server answers wrong: bytes from %d came, from %d were asked for", first, from)
	}
	buffer, err := f.body(response, "arrayBuffer")
	if err != nil {
		return buffer, err
	}
	return bytesIn(buffer), nil
}

// body reads what a server sent.
func (f *jsFile) body(response js.Value, as string) (js.Value, error) {
	body, err := await(response.Call(as))
	if err != nil {
		return body, f.failed("Try again; if it stays, download the file and drop it.", "the answer broke off, or could not be unpacked: %v", err)
	}
	return body, nil
}

// contentRange is what an answer says of the bytes that it has; a server of another
// origin may hide it.
func contentRange(response js.Value) (first, size int64, ok bool) {
	header := response.Get("headers").Call("get", "Content-Range")
	if header.Type() != js.TypeString {
		return 0, 0, false
	}
	first, _, size, ok = engine.ContentRange(header.String())
	return first, size, ok
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
	if !ok || size < 0 {
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
