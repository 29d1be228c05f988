// Package web is the page: the files that a static host or `oniscope view`
// serves.
package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// embedded has what is built packed: the engine is four times its size
// otherwise.
//
//go:embed index.html all:src all:packed
var embedded embed.FS

// Files holds index.html, src/ and gen/. What lies in gen is built: without
// `go tool mage build` nothing is there, and HasEngine says so. Opening a file
// of gen unpacks it.
var Files fs.FS = files{}

// EnginePath is the WebAssembly engine in Files.
const EnginePath = "gen/oniscope.wasm"

// HasEngine reports whether the engine was built before the binary was.
func HasEngine() bool {
	_, err := fs.Stat(embedded, packed(EnginePath))
	return err == nil
}

// packed is where a file of gen lies in embedded.
func packed(name string) string { return "packed/" + strings.TrimPrefix(name, "gen/") + ".gz" }

type files struct{}

// Packed returns a file of gen as it is embedded, packed by gzip; false: it is not
// packed, or not there.
func (files) Packed(name string) ([]byte, bool) {
	if !strings.HasPrefix(name, "gen/") || !fs.ValidPath(name) {
		return nil, false
	}
	data, err := embedded.ReadFile(packed(name))
	return data, err == nil
}

// Open implements fs.FS.
func (files) Open(name string) (fs.File, error) {
	if !strings.HasPrefix(name, "gen/") || !fs.ValidPath(name) {
		return embedded.Open(name)
	}
	data, err := embedded.ReadFile(packed(name))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("web: %s: %w", name, err)
	}
	if data, err = io.ReadAll(z); err != nil {
		return nil, fmt.Errorf("web: %s: %w", name, err)
	}
	return &unpacked{bytes.NewReader(data), name[strings.LastIndexByte(name, '/')+1:], int64(len(data))}, nil
}

// An unpacked is a file of gen in memory: an fs.File that can seek, as
// http.ServeFileFS asks, and its own fs.FileInfo.
type unpacked struct {
	*bytes.Reader
	name string
	size int64
}

func (u *unpacked) Stat() (fs.FileInfo, error) { return u, nil }
func (u *unpacked) Close() error               { return nil }
func (u *unpacked) Name() string               { return u.name }
func (u *unpacked) Size() int64                { return u.size }
func (u *unpacked) Mode() fs.FileMode          { return 0o444 }
func (u *unpacked) ModTime() time.Time         { return time.Time{} }
func (u *unpacked) IsDir() bool                { return false }
func (u *unpacked) Sys() any                   { return nil }
