// Package web is the page: the files that a static host or `oniscope view`
// serves.
package web

import (
	"embed"
	"io/fs"
)

// Files holds index.html, src/ and gen/. What lies in gen is built: without
// `go tool mage build` only its README is there, and HasEngine says so.
//
//go:embed index.html all:src all:gen
var Files embed.FS

// EnginePath is the WebAssembly engine in Files.
const EnginePath = "gen/oniscope.wasm"

// HasEngine reports whether the engine was built before the binary was.
func HasEngine() bool {
	_, err := fs.Stat(Files, EnginePath)
	return err == nil
}
