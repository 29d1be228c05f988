package main

import (
	"fmt"
	"strconv"
	"syscall/js"

	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// A jsStore is an engine.Store in the browser's private files, web/src/store.js.
type jsStore struct{ read, write js.Value }

// storeOf gives the store of the worker, or nil.
func storeOf(host js.Value) engine.Store {
	store := host.Get("store")
	if store.Type() != js.TypeObject {
		return nil
	}
	return &jsStore{store.Get("read"), store.Get("write")}
}

// Read implements engine.Store.
func (s *jsStore) Read(name string, from, to int64) []byte {
	buffer, err := await(s.read.Invoke(name, from, to))
	if err != nil || buffer.Type() != js.TypeObject {
		return nil
	}
	return taken(buffer)
}

// Write implements engine.Store.
func (s *jsStore) Write(name string, at int64, data []byte) {
	array := uint8Array(data)
	_, _ = await(s.write.Invoke(name, at, array)) // what fails can be made again
	release(array)
}

// Identity tells a file from others of its size.
func (f *jsFile) Identity() string {
	if !f.blob.Truthy() {
		if f.mark == "" {
			return ""
		}
		return fmt.Sprintf("%s %s", f.url, f.mark)
	}
	if changed := f.blob.Get("lastModified"); changed.Type() == js.TypeNumber {
		return strconv.FormatFloat(changed.Float(), 'f', 0, 64)
	}
	return ""
}
