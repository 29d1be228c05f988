//go:build mage

package main

import (
	"context"

	"github.com/oniscope/oniscope/internal/buildtool"
)

// Build makes bin/oniscope with the page and its WebAssembly engine embedded.
func Build() error { return buildtool.Build() }

// Demo builds, records ten seconds from a simulated rig, and shows them in the page until Ctrl-C.
func Demo(ctx context.Context) error { return buildtool.Demo(ctx) }

// Test runs every test: Go native and WebAssembly, page modules, page in Chromium, Python readers.
func Test() error { return buildtool.Test() }

// Lint runs gofmt, go vet and staticcheck (native and WebAssembly) and tsc over the page's JSDoc.
func Lint() error { return buildtool.Lint() }

// Interop lets pyarrow, pandas and NumPy read what the recorder wrote, every value compared.
func Interop() error { return buildtool.Interop() }

// Page tests the page in headless Chromium only.
func Page() error { return buildtool.Page() }

// Tokens writes the colours of plot from the page's theme.
func Tokens() error { return buildtool.Tokens() }

// Screenshot makes docs/page.png, README's picture, from a simulated recording.
func Screenshot() error { return buildtool.Screenshot() }

// BenchOpen measures the time from drop to first exact traces for 1 MB, 1 GB and 20 GB files.
func BenchOpen() error { return buildtool.BenchOpen() }

// BenchPage measures in Chromium what the engine does with long recordings.
func BenchPage() error { return buildtool.BenchPage() }

// BenchMemory measures what the tab takes at most while 10 GB are opened, looked at and verified.
func BenchMemory() error { return buildtool.BenchMemory() }

// BenchFrames measures how long the page's own thread is busy in a frame while 384 channels move.
func BenchFrames() error { return buildtool.BenchFrames() }

// BenchLive measures in Chromium how late the page of a recorder is, and how busy.
func BenchLive() error { return buildtool.BenchLive() }

// Bench measures reading, repairing and exporting, and what other programs take (BENCH=regexp: some of it).
func Bench() error { return buildtool.Bench() }

// Foreign writes testdata/foreign anew with the writers of others, pinned, and what any reader must report of each file.
func Foreign() error { return buildtool.Foreign() }

// Campaign damages ten thousand files at random, in children with limits (ONISCOPE_CASES, ONISCOPE_SEED: others).
func Campaign() error { return buildtool.Campaign() }

// Fuzz runs every fuzz target for ten minutes (FUZZTIME=30s: shorter).
func Fuzz() error { return buildtool.Fuzz() }
