//! Writes errors in the format of the listener. A handler only marks its answer with an error; it is rendered here, as are
//! panics and the bare errors of the framework.

use std::{any::Any, panic::AssertUnwindSafe};

use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::CONTENT_TYPE;

/// The errors of a listener, and how it writes them for one request.
pub trait ErrorFormat {
    /// What handlers mark their answers with.
    type Error: Clone + Send + Sync + 'static;

    /// The error after a panic; its cause is logged and never sent.
    fn panicked(&self) -> Self::Error;

    /// The error that a bare status of the framework stands for; `None` sends the answer as it is.
    fn of_status(&self, status: u16) -> Option<Self::Error>;

    /// Writes the error into the answer that was marked with it.
    fn render(&self, error: &Self::Error, answer: Response) -> Response;
}

/// Waits for the answer and renders its error, if it has one.
pub async fn render_errors<F: ErrorFormat>(format: F, answer: impl Future<Output = Response>) -> Response {
    let mut answer = match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(answer) => answer,
        Err(panic) => {
            log_panic(&*panic);
            let answer = http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
            return format.render(&format.panicked(), answer);
        }
    };
    let marked = answer.extensions_mut().remove::<F::Error>();
    match marked.or_else(|| bare_status(&answer).and_then(|status| format.of_status(status))) {
        Some(error) => format.render(&error, answer),
        None => answer,
    }
}

/// The status of an error that no handler of ours wrote.
fn bare_status(answer: &Response) -> Option<u16> {
    let media_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let status = answer.status().as_u16();
    (status >= 400 && !media_type.contains("json")).then_some(status)
}

fn log_panic(panic: &(dyn Any + Send)) {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = message.unwrap_or("no message"), "a handler panicked");
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    /// Writes errors as the value of a header.
    struct Plain;

    impl ErrorFormat for Plain {
        type Error = &'static str;

        fn panicked(&self) -> &'static str {
            "panicked"
        }

        fn of_status(&self, status: u16) -> Option<&'static str> {
            (status != 418).then_some("bare")
        }

        fn render(&self, error: &&'static str, mut answer: Response) -> Response {
            answer.headers_mut().insert("error", http::HeaderValue::from_static(error));
            answer
        }
    }

    async fn rendered(answer: impl Future<Output = Response>) -> (u16, String) {
        let answer = render_errors(Plain, answer).await;
        let error = answer.headers().get("error").map_or("", |value| value.to_str().expect("text"));
        (answer.status().as_u16(), error.to_owned())
    }

    fn marked(status: StatusCode) -> Response {
        let mut answer = status.into_response();
        answer.extensions_mut().insert("marked");
        answer
    }

    #[tokio::test]
    async fn marked_and_bare_errors_and_panics_are_rendered_and_nothing_else() {
        let panicking = async { panic!("a cause that no caller may see") };
        assert_eq!(rendered(panicking).await, (500, "panicked".to_owned()));
        for (answer, status, error) in [
            (marked(StatusCode::CONFLICT), 409, "marked"),
            (StatusCode::NOT_FOUND.into_response(), 404, "bare"),
            ((StatusCode::NOT_FOUND, "plain text").into_response(), 404, "bare"),
            ((StatusCode::NOT_FOUND, axum::Json("ours")).into_response(), 404, ""),
            (StatusCode::IM_A_TEAPOT.into_response(), 418, ""),
            (StatusCode::OK.into_response(), 200, ""),
        ] {
            assert_eq!(rendered(async { answer }).await, (status, error.to_owned()));
        }
    }
}
