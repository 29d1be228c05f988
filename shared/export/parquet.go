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
	j, err := newJob(ctx, w, x, o)
	if err == nil {
		err = j.findGaps()
	}
	if err != nil {
		return Report{}, err
	}
	schema, err := arrowSchema(j)
	if err != nil {
		return Report{}, err
	}
	schema = parquetSchema(schema, j.columns)
	width := 0
	for i := range j.columns {
		width += max(1, j.columns[i].ByteWidth)
	}
	rows := int64(max(1, rowGroupBytes/width))
	props := parquetProperties(schema, codec, rows)
	pages, err := newPageWriter(j, schema, props)
	if err != nil {
		return Report{}, err
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
	arrowProps := pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema())
	for _, f := range schema.Fields() {
		if err := refused(f, props, arrowProps); err != nil {
			return Report{}, kindf("column %q is of type %s: %v; leave it out, or choose arrow", f.Name, f.Type, err)
		}
	}
	pq, err := pqarrow.NewFileWriter(schema, j, props, arrowProps)
	if err != nil {
		return Report{}, fmt.Errorf("export: parquet: %w", err)
	}
	err = j.each(func(b *recording.Batch) error {
		batch, err := recordBatch(schema, b)
		if err != nil {
			return err
		}
		defer batch.Release()
		for i, c := range batch.Columns() {
			if d, ok := c.(*array.Dictionary); ok && d.Dictionary().NullN() > 0 {
				return kindf("column %q has a null in its dictionary, which arrow-go does not write as Parquet; leave it out, or choose arrow", schema.Field(i).Name)
			}
		}
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

// refused returns why arrow-go does not write a column as Parquet.
func refused(f arrow.Field, props *parquet.WriterProperties, arrowProps pqarrow.ArrowWriterProperties) error {
	return guarded(func() error {
		w, err := pqarrow.NewFileWriter(arrow.NewSchema([]arrow.Field{f}, nil), io.Discard, props, arrowProps)
		if err == nil {
			err = w.Close()
		}
		return err
	})
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

// withEntry returns metadata with one entry more.
func withEntry(m arrow.Metadata, key, value string) arrow.Metadata {
	return arrow.NewMetadata(append(slices.Clone(m.Keys()), key), append(slices.Clone(m.Values()), value))
}

// parquetSchema replaces run-end encoded types by those of their values, and
// views by what they show, and durations by numbers, of which alone Parquet
// knows.
//
// Names are those of the columns: Parquet knows a column by its name alone.
func parquetSchema(schema *arrow.Schema, columns []stream.Column) *arrow.Schema {
	fields := make([]arrow.Field, schema.NumFields())
	for i := range fields {
		fields[i] = schema.Field(i)
		fields[i].Name = columns[i].Name
		switch t := fields[i].Type.(type) {
		case *arrow.RunEndEncodedType:
			if _, fixed := t.Encoded().(arrow.FixedWidthDataType); fixed {
				fields[i].Type = t.Encoded()
			}
		case *arrow.DurationType: // the type is told by the metadata
			fields[i].Type, fields[i].Metadata = arrow.PrimitiveTypes.Int64, withEntry(fields[i].Metadata, "arrow_type", t.String())
		case *arrow.StringViewType:
			fields[i].Type = arrow.BinaryTypes.String
		case *arrow.BinaryViewType:
			fields[i].Type = arrow.BinaryTypes.Binary
		}
		fields[i].Nullable = true // a file may have nulls where its schema says that there are none
	}
	metadata := schema.Metadata()
	return arrow.NewSchema(fields, &metadata)
}
