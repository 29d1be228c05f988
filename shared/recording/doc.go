// Package recording reads, writes, slices, checks and repairs recordings: Arrow
// IPC files of one stream each, from whatever writer.
//
// Everything works on an io.ReaderAt and a size, or on a File: an *os.File, a
// browser's Blob and a byte slice alike. Nothing here opens files, starts
// goroutines or looks at the wall clock.
//
// # Reading
//
// [NewReader], or [Open] for who wants to follow a long opening, gives a
// [Reader]; opening costs the footer and two batch headers, however long the
// recording is. [Reader.Stream] says what the columns are, [Reader.Column] finds
// one by name. [Reader.Slice] goes over rows batch by batch and reads only the
// columns that are asked for; [Reader.ReadBatch] reads one batch. [Values] gives
// the numbers of a [Vector] without a copy, [Vector.Text] any value as text.
// [Reader.Unique] gives a signal that is slower than its rows at its own rate.
// [Reader.RowAtClock] finds a moment, [Reader.Gaps] the rows that were lost
// before they reached the file.
//
// # Damage
//
// A damaged file is no error as long as it has a schema: what cannot be read
// is a [Finding], kept by the reader, and a *[CorruptError] where it is touched.
// [Verify] reads everything and lists all that is wrong. [Recover] plans a whole
// file from what is intact in a damaged one; the [Plan] is copied, or carried
// out where the file stands.
//
// # Writing
//
// [NewWriter] writes a stream batch by batch, so that the file can be read at
// every moment; [Reader.WriteSlice] copies a part of a recording. For other
// formats, and for arrow-go's record batches, see package export.
//
// How files look, and why, is in FORMAT.md.
package recording
