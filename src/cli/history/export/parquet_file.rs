//! Rows as Apache Parquet, column by column, with types: times as `TIMESTAMP(MILLIS, UTC)`, text as UTF-8, absent values as
//! null. <https://parquet.apache.org/docs/file-format/types/logicaltypes/>
//!
//! Written by the format's low-level writer: Arrow's arrays in between would be a second copy of each row, and a large crate.
//! Memory holds one row group, which is bounded by rows and by bytes.

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::anyhow;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::Sink;
use crate::cli::Failure;
use crate::history::{Cell, Kind, PublicColumn, View};

/// A row group's rows at the most.
const ROWS: usize = 50_000;
/// A row group's text at the most, in bytes: a message, or a resource model, may be long.
const BYTES: usize = 16 * 1024 * 1024;

pub(super) struct ParquetFile<W: Write + Send> {
    out: SerializedFileWriter<W>,
    columns: Vec<Gathered>,
    rows: usize,
    bytes: usize,
}

/// What a column has in the row group that is being gathered.
struct Gathered {
    column: &'static PublicColumn,
    values: Values,
    /// 1 for each row that has a value and 0 for each that has none; of no use where each has one.
    levels: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    /// Times, too.
    Integer(Vec<i64>),
    Real(Vec<f64>),
    Bool(Vec<bool>),
}

impl<W: Write + Send> ParquetFile<W> {
    pub(super) fn new(view: View, out: W) -> Result<Self, Failure> {
        let fields = view.columns().iter().map(|column| field(column).map(Arc::new));
        let schema = Type::group_type_builder(view.name())
            .with_fields(fields.collect::<Result<_, _>>().map_err(failed)?)
            .build()
            .map_err(failed)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let columns = view.columns().iter().map(|column| Gathered {
            column,
            values: Values::of(column.kind),
            levels: Vec::new(),
        });
        Ok(Self {
            out: SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?,
            columns: columns.collect(),
            rows: 0,
            bytes: 0,
        })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.out.next_row_group()?;
        for gathered in &mut self.columns {
            let levels = gathered.column.is_optional.then_some(gathered.levels.as_slice());
            match &mut gathered.values {
                Values::Text(values) => write_column::<ByteArrayType, _>(&mut group, values, levels)?,
                Values::Integer(values) => write_column::<Int64Type, _>(&mut group, values, levels)?,
                Values::Real(values) => write_column::<DoubleType, _>(&mut group, values, levels)?,
                Values::Bool(values) => write_column::<BoolType, _>(&mut group, values, levels)?,
            }
            gathered.levels.clear();
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl<W: Write + Send> Sink for ParquetFile<W> {
    fn row(&mut self, cells: Vec<Cell>) -> Result<(), Failure> {
        for (gathered, cell) in self.columns.iter_mut().zip(cells) {
            if let Cell::Text(text) = &cell {
                self.bytes += text.len();
            }
            let is_there = gathered.values.push(cell);
            gathered.levels.push(i16::from(is_there));
        }
        self.rows += 1;
        if self.rows >= ROWS || self.bytes >= BYTES {
            self.write_group().map_err(failed)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        self.write_group().map_err(failed)?;
        self.out.finish().map_err(failed)?;
        Ok(self.out.inner_mut().flush()?)
    }
}

impl Values {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Vec::new()),
            Kind::Integer | Kind::Time => Self::Integer(Vec::new()),
            Kind::Real => Self::Real(Vec::new()),
            Kind::Bool => Self::Bool(Vec::new()),
        }
    }

    /// Returns whether there is a value. A cell is of its column's kind, or absent.
    fn push(&mut self, cell: Cell) -> bool {
        match (self, cell) {
            (Self::Text(values), Cell::Text(text)) => values.push(text.into_bytes().into()),
            (Self::Integer(values), Cell::Integer(number)) => values.push(number),
            (Self::Integer(values), Cell::Time(time)) => values.push(time.as_millis()),
            (Self::Real(values), Cell::Real(number)) => values.push(number),
            (Self::Bool(values), Cell::Bool(yes)) => values.push(yes),
            _ => return false,
        }
        true
    }
}

fn write_column<D: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &mut Vec<D::T>,
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("the schema has fewer columns".to_owned()));
    };
    column.typed::<D>().write_batch(values, levels, None)?;
    values.clear();
    column.close()
}

fn field(column: &PublicColumn) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Integer => (Physical::INT64, None),
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        Kind::Real => (Physical::DOUBLE, None),
        Kind::Bool => (Physical::BOOLEAN, None),
    };
    let repetition = if column.is_optional {
        Repetition::OPTIONAL
    } else {
        Repetition::REQUIRED
    };
    Type::primitive_type_builder(column.name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

fn failed(error: ParquetError) -> Failure {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => Failure::from(*source),
            Err(source) => Failure::Work(anyhow!("can't write Parquet: {source}")),
        },
        other => Failure::Work(anyhow!("can't write Parquet: {other}")),
    }
}
