//! Former names of what has moved into the folders of the tables.

pub use crate::{delivery::insert::DeliveryRow, event::insert::EventRow, stamp::Stamp};

/// Former names.
pub mod postgres {
    pub use crate::{delivery::insert::postgres::insert_deliveries, event::insert::postgres::insert_events};
}

/// Former names.
pub mod sqlite {
    pub use crate::{
        delivery::insert::sqlite::insert_deliveries,
        event::insert::sqlite::insert_events,
        rows::sqlite::{ROWS, places, push_list, push_list_of, push_rows},
    };
}
