//! The envelope in which registration and upload answer.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// `{"message": …, "data": …, "error": false}`. The middleware renders refusals.
#[derive(Serialize)]
pub(crate) struct Envelope<T> {
    message: &'static str,
    data: T,
    error: bool,
}

impl<T> Envelope<T> {
    pub(crate) const fn of(message: &'static str, data: T) -> Self {
        Self { message, data, error: false }
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
