//go:build !js

// Command wasm is the bridge from the page to wasm/internal/engine. It only
// converts messages and values; everything that decides is in the engine.
package main

import (
	"fmt"
	"os"
)

// The bridge runs in a page; this file keeps native builds green.
func main() {
	fmt.Fprintln(os.Stderr, "oniscope: the engine runs in the page only; build it with GOOS=js GOARCH=wasm")
	os.Exit(2)
}
