//go:build !js

package recording_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/shared/recording"
)

// Buffers that are stored as they are between compressed ones are not part of
// memory that the next batch is read into.
func TestBuffersStoredAsTheyAreAreNotUsedAgain(t *testing.T) {
	recording.AnyAhead(t)
	schema := arrow.NewSchema([]arrow.Field{{Name: "noise", Type: arrow.PrimitiveTypes.Uint64}, {Name: "same", Type: arrow.PrimitiveTypes.Uint64}}, nil)
	for name, codec := range map[string]ipc.Option{"zstd": ipc.WithZstd(), "lz4": ipc.WithLZ4()} {
		var file bytes.Buffer
		w, err := ipc.NewFileWriter(&file, ipc.WithSchema(schema), codec, ipc.WithMinSpaceSavings(0.3))
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 9 {
			b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
			for range 1000 {
				b.Field(0).(*array.Uint64Builder).Append(random.Uint64())
				b.Field(1).(*array.Uint64Builder).Append(7)
			}
			if err := w.Write(b.NewRecordBatch()); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sameAhead(t, name, file.Bytes())
	}
}
