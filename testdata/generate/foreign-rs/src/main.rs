//! Writes testdata/foreign/arrow-rs: small files by arrow-rs's own writers, in
//! each of its alignments, versions, framings and codecs.

use std::{collections::HashMap, error::Error, fs::File, path::Path, sync::Arc};

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::*;
use arrow_buffer::{IntervalMonthDayNano, i256};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_ipc::{CompressionType, MetadataVersion};
use arrow_schema::{DataType, Field, Schema};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("usage: foreign FOLDER")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let batch = every_type()?;
    let (v4, v5) = (MetadataVersion::V4, MetadataVersion::V5);
    for (name, stream, options) in [
        ("types_alignment_8", false, IpcWriteOptions::try_new(8, false, v5)?),
        ("types_alignment_16", false, IpcWriteOptions::try_new(16, false, v5)?),
        ("types_alignment_64", false, IpcWriteOptions::try_new(64, false, v5)?),
        ("types_v4", false, IpcWriteOptions::try_new(64, false, v4)?),
        ("types_0.14", false, IpcWriteOptions::try_new(8, true, v4)?),
        ("types_stream", true, IpcWriteOptions::try_new(64, false, v5)?),
        ("types_stream_alignment_8", true, IpcWriteOptions::try_new(8, false, v5)?),
        ("types_stream_0.14", true, IpcWriteOptions::try_new(8, true, v4)?),
        ("types_zstd", false, compressed(CompressionType::ZSTD)?),
        ("types_lz4", false, compressed(CompressionType::LZ4_FRAME)?),
        ("types_stream_zstd", true, compressed(CompressionType::ZSTD)?),
        ("types_stream_lz4", true, compressed(CompressionType::LZ4_FRAME)?),
    ] {
        let v4 = name.contains("v4") || name.contains("0.14");
        // Unions are laid out otherwise in V4, and arrow-rs writes V5's there.
        let batch = if v4 { without_unions(&batch)? } else { batch.clone() };
        let file = File::create(folder.join(format!("{name}.arrow")))?;
        let batches = [batch.slice(0, 6), batch.slice(2, 3)];
        if stream {
            let mut w = StreamWriter::try_new_with_options(file, &batch.schema(), options)?;
            batches.iter().try_for_each(|b| w.write(b))?;
            w.finish()?;
        } else {
            let mut w = FileWriter::try_new_with_options(file, &batch.schema(), options)?;
            batches.iter().try_for_each(|b| w.write(b))?;
            w.finish()?;
        }
    }
    Ok(())
}

fn compressed(codec: CompressionType) -> Result<IpcWriteOptions> {
    Ok(IpcWriteOptions::default().try_with_compression(Some(codec))?)
}

fn without_unions(batch: &RecordBatch) -> Result<RecordBatch> {
    let keep: Vec<usize> = (0..batch.num_columns())
        .filter(|&i| !matches!(batch.column(i).data_type(), DataType::Union(..)))
        .collect();
    Ok(batch.project(&keep)?)
}

fn every_type() -> Result<RecordBatch> {
    let words = vec![Some("short"), None, Some(""), Some("a text of more than twelve bytes"), Some("µ"), Some("z")];
    let bytes: Vec<Option<&[u8]>> = words.iter().map(|w| w.map(str::as_bytes)).collect();
    let lists = || vec![Some(vec![Some(1), Some(2)]), None, Some(vec![]), Some(vec![None]), Some(vec![Some(3)]), Some(vec![Some(4), Some(5)])];
    let mut map = builder::MapBuilder::new(None, builder::StringBuilder::new(), builder::Int32Builder::new());
    for i in 0..6 {
        for k in 0..i % 3 {
            map.keys().append_value(format!("k{k}"));
            map.values().append_value(i);
        }
        map.append(i != 3)?;
    }
    let mut runs = builder::StringRunBuilder::<Int32Type>::new();
    runs.extend([Some("x"), Some("x"), None, Some("y"), Some("y"), Some("y")]);
    let mut dense = builder::UnionBuilder::new_dense();
    let mut sparse = builder::UnionBuilder::new_sparse();
    for u in [&mut dense, &mut sparse] {
        u.append::<Int32Type>("i", 7)?;
        u.append::<types::Float64Type>("f", 0.5)?;
        u.append_null::<Int32Type>("i")?;
        u.append::<types::Float64Type>("f", 1.5)?;
        u.append::<Int32Type>("i", -9)?;
        u.append::<Int32Type>("i", 10)?;
    }
    let pair = StructArray::from(vec![
        (Arc::new(Field::new("a", DataType::Int8, true)), Arc::new(Int8Array::from(vec![Some(1), None, Some(3), Some(4), Some(5), Some(6)])) as ArrayRef),
        (Arc::new(Field::new("b", DataType::Utf8, true)), Arc::new(StringArray::from(words.clone())) as ArrayRef),
    ]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int8", Arc::new(Int8Array::from(vec![Some(-128), None, Some(0), Some(127), Some(7), Some(1)]))),
        ("uint16", Arc::new(UInt16Array::from(vec![0, 1, 2, 65535, 4, 5]))),
        ("int64", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(0), Some(i64::MAX), Some(7), Some(1)]))),
        ("uint64", Arc::new(UInt64Array::from(vec![0, 250, 500, 750, 1000, 1250]))),
        ("float64", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(-1e300), Some(f64::INFINITY), Some(1e-7), Some(2.5)]))),
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true), Some(true), Some(false)]))),
        ("null", Arc::new(NullArray::new(6))),
        ("date32", Arc::new(Date32Array::from(vec![Some(0), None, Some(-1), Some(20000), Some(11016), Some(1)]))),
        ("time64", Arc::new(Time64NanosecondArray::from(vec![Some(0), None, Some(86399999999999), Some(1), Some(60), Some(5)]))),
        ("timestamp", Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None, Some(-1), Some(1700000000000000), Some(1), Some(2)]).with_timezone("UTC"))),
        ("duration", Arc::new(DurationMillisecondArray::from(vec![Some(0), None, Some(-1), Some(1700000000), Some(1), Some(2)]))),
        ("interval", Arc::new(IntervalMonthDayNanoArray::from(vec![Some(IntervalMonthDayNano::new(1, 2, 3)), None, Some(IntervalMonthDayNano::new(-1, -2, -3)), Some(IntervalMonthDayNano::new(0, 0, 0)), Some(IntervalMonthDayNano::new(14, 0, 0)), Some(IntervalMonthDayNano::new(0, 0, 1500000000))]))),
        ("decimal128", Arc::new(Decimal128Array::from(vec![Some(150), None, Some(-150), Some(10i128.pow(30)), Some(-1), Some(0)]).with_precision_and_scale(38, 2)?)),
        ("decimal256", Arc::new(Decimal256Array::from(vec![Some(i256::from_i128(150)), None, Some(i256::from_i128(-150)), Some(i256::from_i128(10i128.pow(30))), Some(i256::MINUS_ONE), Some(i256::ZERO)]).with_precision_and_scale(76, 2)?)),
        ("fixed", Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some(b"abc"), None, Some(b"\0\0\0"), Some(b"xyz"), Some(b"\xff\xff\xff"), Some(b"   ")].into_iter(), 3)?)),
        ("utf8", Arc::new(StringArray::from(words.clone()))),
        ("large_utf8", Arc::new(LargeStringArray::from(words.clone()))),
        ("utf8_view", Arc::new(StringViewArray::from(words.clone()))),
        ("binary", Arc::new(BinaryArray::from(bytes.clone()))),
        ("large_binary", Arc::new(LargeBinaryArray::from(bytes.clone()))),
        ("binary_view", Arc::new(BinaryViewArray::from(bytes))),
        ("list", Arc::new(ListArray::from_iter_primitive::<Int8Type, _, _>(lists()))),
        ("large_list", Arc::new(LargeListArray::from_iter_primitive::<Int8Type, _, _>(lists()))),
        ("list_view", Arc::new(ListViewArray::from(ListArray::from_iter_primitive::<Int8Type, _, _>(lists())))),
        ("struct", Arc::new(pair)),
        ("map", Arc::new(map.finish())),
        ("dictionary", Arc::new(words.iter().copied().collect::<DictionaryArray<Int8Type>>())),
        ("runs", Arc::new(runs.finish())),
        ("dense", Arc::new(dense.build()?)),
        ("sparse", Arc::new(sparse.build()?)),
    ];
    let fields: Vec<Field> = columns.iter().map(|(name, a)| Field::new(*name, a.data_type().clone(), a.is_nullable())).collect();
    let schema = Schema::new_with_metadata(fields, HashMap::from([("writer".into(), "arrow-rs".into())]));
    Ok(RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, a)| a).collect())?)
}
