package main

import (
	"fmt"
	"strconv"
	"syscall/js"

	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// A jsStore is an engine.Store in the browser's private files, web/src/store.js.
type jsStore struct{ load, save js.Value }

// storeOf gives the store of the worker, or nil.
func storeOf(host js.Value) engine.Store {
	store := host.Get("store")
	if store.Type() != js.TypeObject {
		return nil
	}
	return &jsStore{store.Get("load"), store.Get("save")}
}

// Load implements engine.Store.
func (s *jsStore) Load(name string) []byte {
	buffer, err := await(s.load.Invoke(name))
	if err != nil || buffer.Type() != js.TypeObject {
		return nil
	}
	array := js.Global().Get("Uint8Array").New(buffer)
	data := make([]byte, array.Length())
	js.CopyBytesToGo(data, array)
	return data
}

// Save implements engine.Store.
func (s *jsStore) Save(name string, data []byte) {
	_, _ = await(s.save.Invoke(name, uint8Array(data))) // what fails can be made again
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
