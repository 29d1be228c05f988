// Package vectors is a door between the format packages: what a
// recording.Vector holds besides numbers, without showing it to everyone who
// imports recording.
package vectors

import "github.com/oniscope/oniscope/shared/internal/array"

// Array returns the decoded values of a *recording.Vector of text, nested,
// dictionary-encoded and like types; nil for vectors of numbers. Package
// recording sets it.
var Array func(vector any) *array.Array
