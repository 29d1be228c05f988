package recording

import "github.com/oniscope/oniscope/shared/internal/body"

// UseZstd has frames of zstd decoded by what a host has, from now on and by every
// Reader, recovery and verification too. decode decodes a frame into out, which has as
// many bytes as the frame may hold, and returns how many there are; ok is false where
// it cannot, or the frame is not right: Go's decoder then decides. It must accept
// nothing that Go's refuses. Nothing may be read yet when it is called.
func UseZstd(decode func(frame, out []byte) (n int, ok bool)) { body.FasterZstd = decode }
