//go:build !js

package main

import (
	"fmt"
	"os"
)

// The engine runs in a page; this file keeps native builds and tests of the
// rest of the package green.
func main() {
	fmt.Fprintln(os.Stderr, "oniscope: the engine runs in the page only; build it with GOOS=js GOARCH=wasm")
	os.Exit(2)
}
