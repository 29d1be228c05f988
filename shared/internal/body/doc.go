// Package body decodes the bodies of batches: buffers and their codecs, the
// layout of columns, run ends, dictionaries. A [Checker] decides whether a batch
// is intact, column after column in the same memory.
//
// Nothing here knows files or streams of messages: a body is bytes that lie
// somewhere.
package body
