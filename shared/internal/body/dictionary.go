package body

import (
	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// EmptyDictionary is the message of a dictionary of no values at offset at of an
// output, each buffer at a multiple of align, and the footer's block for it.
func EmptyDictionary(s *arrowipc.Schema, id, at int64, align int) ([]byte, arrowipc.Block, error) {
	values, err := array.Empty(messages.DictionaryField(s.Fields, id))
	if err != nil {
		return nil, arrowipc.Block{}, err
	}
	batch := arrowipc.RecordBatch{Codec: arrowipc.Uncompressed}
	var body []byte
	values.Walk(
		func(n arrowipc.FieldNode) { batch.Nodes = append(batch.Nodes, n) },
		func(p []byte) {
			batch.Buffers = append(batch.Buffers, arrowipc.Buffer{Offset: int64(len(body)), Length: int64(len(p))})
			body = append(body, p...)
			body = append(body, make([]byte, -len(body)&(align-1))...)
		},
		func(n int64) { batch.VariadicCounts = append(batch.VariadicCounts, n) },
	)
	message := arrowipc.AppendDictionaryBatch(nil, at, align, id, false, &batch, int64(len(body)), nil)
	block := arrowipc.Block{Offset: at, MetaLength: int32(len(message)), BodyLength: int64(len(body))}
	return append(message, body...), block, nil
}

// EachDictionary calls visit for every field that has a dictionary, those
// inside others first.
func EachDictionary(fields []arrowipc.Field, visit func(f *arrowipc.Field)) {
	for i := range fields {
		EachDictionary(fields[i].Children, visit)
		if fields[i].Dictionary != nil {
			visit(&fields[i])
		}
	}
}
