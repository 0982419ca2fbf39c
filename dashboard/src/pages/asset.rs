//! Scripts, styles and pictures.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::app::App;

/// Serves one file. It never changes under its name, so browsers keep it for a year.
pub(crate) async fn serve(State(app): State<App>, Path(name): Path<String>) -> Response {
    let Some((media_type, content)) = app.assets.find(&name) else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
    let headers =
        [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, content.to_vec()).into_response()
}
