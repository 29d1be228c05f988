// Package vectors is a door between the format packages: what a
// recording.Vector holds besides numbers, and the schema of a recording.Reader,
// without showing it to all that
// imports recording.
package vectors

import (
	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// Array returns the decoded values of a *recording.Vector of text, nested,
// dictionary-encoded and like types; nil for vectors of numbers. Package
// recording sets it.
var Array func(vector any) *array.Array

// Schema lends the schema of a *recording.Reader to a file of the same stream
// that has lost its own. Package recording sets it.
var Schema func(reader any) messages.Options
