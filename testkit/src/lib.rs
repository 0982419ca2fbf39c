//! For tests only: temporary databases and servers, an app driven step by step, a recording receiver.
//! Nothing here is part of the product.

pub mod app;
pub mod database;
pub mod http;
pub mod ingest;
pub mod process;
pub mod push_service;
pub mod rows;
pub mod servers;
pub mod telegram;
pub mod wait;

pub use app::{Shape, TestApp};
pub use push_service::PushService;
pub use receiver::{Answer, Call, Receiver};
