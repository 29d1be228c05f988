package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// An ErrorReply is an error as it crosses to the page; the JSON names are
// those of EngineError in web/src/protocol.d.ts.
type ErrorReply struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Offset  *int64 `json:"offset,omitempty"`
	Next    string `json:"next,omitempty"` // what the person can do
}

// An ArgumentError is a request that cannot be understood.
type ArgumentError struct{ Op, Detail string }

func (e *ArgumentError) Error() string { return "engine: " + e.Op + ": " + e.Detail }

// A SourceError is a failure to read the file: by the browser (NotReadableError
// and the like, by their DOM names) or over the network.
type SourceError struct {
	Name    string // of the DOM error, or NetworkError
	Message string
	Next    string
}

func (e *SourceError) Error() string { return e.Message }

// A panicError is a bug of ours, caught at the border of an operation.
type panicError struct {
	op    string
	value any
}

func (e *panicError) Error() string {
	return fmt.Sprintf("engine: %s: internal error: %v", e.op, e.value)
}

// Guard calls f; a panic in it is passed to report with its stack and
// returned as an error, so that it ends the request and not the engine.
func Guard(op string, report func(text string), f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			if report != nil {
				report(fmt.Sprintf("oniscope: %s: %v\n%s", op, value, debug.Stack()))
			}
			err = &panicError{op, value}
		}
	}()
	return f()
}

// ReplyFromError names an error for the page. The innermost cause that has a
// name of its own wins: a file that cannot be read is not a corrupt file.
func ReplyFromError(err error) ErrorReply {
	reply := ErrorReply{Name: "EngineError", Message: recording.PlainText(err)}
	var (
		source   *SourceError
		argument *ArgumentError
		caught   *panicError
		corrupt  *recording.CorruptError
		ranged   *recording.RangeError
		column   *recording.ColumnError
	)
	switch {
	case errors.Is(err, context.Canceled):
		reply.Name, reply.Message = "AbortError", "cancelled"
	case errors.As(err, &source):
		reply.Name, reply.Next = source.Name, source.Next
		if source.Name == "NotReadableError" && reply.Next == "" {
			reply.Next = "The file changed on disk; drop it again."
		}
	case errors.As(err, &argument):
		reply.Name = "TypeError"
	case errors.As(err, &caught):
		reply.Next = "This is a bug of Oniscope; please report it with the text of the console."
	case errors.As(err, &ranged):
		reply.Name = "RangeError"
	case errors.As(err, &column):
		reply.Name = "ColumnError"
		if len(column.Near) > 0 {
			reply.Next = "Near misses: " + strings.Join(column.Near, ", ")
		}
	case errors.Is(err, recording.ErrNoClock), errors.Is(err, stream.ErrNoRate):
		reply.Name = "ClockError"
	case errors.Is(err, export.ErrKind):
		reply.Name = "FormatError"
	case errors.Is(err, recording.ErrEmpty):
		reply.Name = "EmptyFileError" // its text says all there is to say
	case errors.Is(err, recording.ErrNotArrow):
		reply.Name = "NotArrowError" // its text says what to do
	case errors.As(err, &corrupt):
		reply.Name, reply.Offset = "CorruptError", &corrupt.Offset
		reply.Next = "Recover saves a copy with every intact batch."
	}
	return reply
}
