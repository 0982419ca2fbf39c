//! Rows as arrays: one array a column, so that a statement is the same for any number of rows.

/// Returns one column of many rows, to be bound as an array.
pub(crate) fn column<'r, Row, Value>(rows: &'r [Row], value: impl Fn(&'r Row) -> Value) -> Vec<Value> {
    rows.iter().map(value).collect()
}
