//! Load: keep-alive connections that publish, in a closed loop or at a steady pace. Cheap, because it shares the machine
//! with what it measures.

mod answer;
mod bare;
mod closed;
mod connection;
mod labelled;
mod pool;
mod request;

pub(crate) use bare::bare_limit;
pub(crate) use closed::{Closed, Loaded};
pub(crate) use connection::Connection;
pub(crate) use labelled::{Labelled, MakeRequest, Pace};
pub(crate) use request::{EVENT_TYPE, LABEL_MARK, PostRequest};
