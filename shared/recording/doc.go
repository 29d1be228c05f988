// Package recording reads, writes and slices recordings: Arrow IPC files of one
// stream each, from whatever writer. Package recovery checks and repairs them.
//
// Everything works on an io.ReaderAt and a size, or on a File: an *os.File, a
// browser's Blob and a byte slice alike. Nothing here opens files or looks at
// the wall clock.
//
// # Reading
//
// [NewReader], or [Open] if the caller wants progress, returns a [Reader];
// opening costs the footer and two batch headers, however long the recording is.
// [Reader.Stream] says what the columns are. [Reader.Select] finds out what a
// [Selection] means, rows or seconds, names or globs; its [Excerpt] is read
// batch by batch, at the cost of the columns that are asked for, and knows what
// was lost in it:
//
//	r, err := recording.NewReader(file, size)
//	t, err := r.TimeOf("60", "61")
//	x, err := r.Select(ctx, recording.Selection{Time: t, Columns: []string{"SpikeData*", "Clock"}})
//	for batch, err := range x.Batches(ctx) {
//		// batch.Columns are in the order of x.Columns()
//	}
//	findings, rows := x.Lost()
//
// [Values] gives the numbers of a [Vector] without a copy, [Vector.Text] any
// value as text. [Excerpt.Follow] finds the rows that were lost before they reached
// the file.
//
// # Damage
//
// A damaged file is no error as long as it has a schema: what cannot be read
// is a [Finding], kept by the reader, and a *[CorruptError] where it is touched.
// Where its batches are is what recovery finds too.
//
// # Writing
//
// [NewWriter] writes a stream batch by batch, so that the file can be read at
// every moment; [Copy] copies an excerpt. For other
// formats, and for arrow-go's record batches, see package export.
//
// How files look, and why, is in FORMAT.md.
package recording
