//go:build !js

package export

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// rowGroupBytes is how many bytes of values one row group holds: what a reader
// takes at once, and what the writer keeps in memory once it is compressed.
const rowGroupBytes = 128 << 20

// Parquet writes the excerpt as a Parquet file: types, names, schema and field
// metadata as in the recording, run-end encoded columns written out, bodies
// compressed as codec says (None or Zstd).
func Parquet(ctx context.Context, w io.Writer, x *recording.Excerpt, o *Options, codec recording.Codec) (Report, error) {
	j, err := showableJob(ctx, w, x, o)
	if err != nil {
		return Report{}, err
	}
	columns, err := parquetColumns(j)
	if err != nil {
		return Report{}, err
	}
	schema := parquetSchema(j, columns)
	width := 0
	for i := range j.columns {
		width += max(1, j.columns[i].ByteWidth)
	}
	rows := int64(max(1, rowGroupBytes/width))
	props := parquetProperties(schema, codec, rows)
	var pages *pageWriter
	if !slices.ContainsFunc(j.columns, func(c stream.Column) bool { return c.Type == stream.Other }) {
		if pages, err = newPageWriter(j, schema, props); err != nil {
			return Report{}, err
		}
	}
	if pages != nil {
		if err := j.each(pages.write); err != nil {
			return Report{}, err
		}
		if err := pages.close(); err != nil {
			return Report{}, err
		}
		return j.report, nil
	}
	pq, err := pqarrow.NewFileWriter(schema, j, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return Report{}, fmt.Errorf("export: parquet: %w", err)
	}
	err = j.each(func(b *recording.Batch) error {
		batch, err := parquetBatch(schema, columns, b)
		if err != nil {
			return err
		}
		defer batch.Release()
		err = guarded(func() error { return pq.WriteBuffered(batch) })
		if err != nil && j.failed == nil {
			return kindf("parquet: %v; choose arrow", err)
		}
		return err
	})
	if err != nil {
		return Report{}, err
	}
	if err := guarded(pq.Close); err != nil {
		return Report{}, fmt.Errorf("export: parquet: %w", err)
	}
	return j.report, nil
}

// parquetBatch makes a batch of arrow-go's.
func parquetBatch(schema *arrow.Schema, columns []parquetColumn, b *recording.Batch) (batch arrow.RecordBatch, err error) {
	err = guarded(func() error {
		arrays := make([]arrow.Array, len(columns))
		for i := range columns {
			data, err := columns[i].data(&b.Columns[i])
			if err != nil {
				return err
			}
			arrays[i] = array.MakeFromData(data)
			data.Release()
		}
		batch = array.NewRecordBatch(schema, arrays, int64(b.Rows))
		return nil
	})
	return batch, err
}

// parquetProperties choose what suits samples: whole numbers as differences of
// neighbours, in as few bits as a block of them takes. For noise of 5 bits that
// is 2.5 times smaller than 16 bits, and faster than any compression.
func parquetProperties(schema *arrow.Schema, codec recording.Codec, rows int64) *parquet.WriterProperties {
	list := []parquet.WriterProperty{
		parquet.WithDictionaryDefault(false),
		parquet.WithMaxRowGroupLength(rows),
		parquet.WithDataPageSize(1 << 20),
		parquet.WithBatchSize(64 << 10),
		parquet.WithStats(true),
		parquet.WithVersion(parquet.V2_LATEST),
	}
	for _, field := range schema.Fields() {
		if arrow.IsInteger(field.Type.ID()) {
			list = append(list, parquet.WithEncodingPath(parquet.ColumnPath{field.Name}, parquet.Encodings.DeltaBinaryPacked))
		}
	}
	if codec == recording.Zstd {
		list = append(list, parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(1))
	}
	return parquet.NewWriterProperties(list...)
}
