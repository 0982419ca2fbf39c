//! Extractors of our own, so that nothing of the framework's plain text reaches a caller.

mod body;
mod fields;
mod list;
mod nul;
mod path;
mod query;

pub(crate) use body::{
    announced, json_bytes, json_fields, linger, no_object_is_400, raw_body_growing, refuse_body,
};
pub(crate) use fields::Fields;
pub(crate) use list::{each, json_list};
pub(crate) use path::Id;
pub(crate) use query::Query;
