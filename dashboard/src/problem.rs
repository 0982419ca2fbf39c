//! The errors of pages: few, each a page of its own, and a bare status for fragments.

use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use platform::database::DatabaseError;
use web::middleware::ErrorFormat;

use crate::{app::App, layout::Layout};

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is nothing at this address.
    NotFound,
    /// The address does not allow the method.
    MethodNotAllowed,
    /// `Host` names a host that is not served.
    ForeignHost,
    /// A page of another origin sends it.
    ForeignOrigin,
    /// The form or the query can't be read.
    BadRequest,
    /// The database does not answer.
    Database,
    /// It took longer than the deadline.
    Slow,
    /// Too many streams are open.
    Busy,
    /// A handler panicked.
    Internal,
}

impl Problem {
    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing here",
                "No such page, or what it showed is kept no longer. Finished deliveries are kept for 30 days, dead letters for 90.",
            ),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "Not this way", "This address does not take this method.")
            }
            Self::ForeignHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "Not under this name",
                "The dashboard answers to localhost, to addresses, to names without a dot and to the host of PUBLIC_URL. With ADMIN_API_KEY set and DASHBOARD_ADDR beyond loopback it answers to every name.",
            ),
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "Not from there",
                "Changes are taken from pages of this dashboard only.",
            ),
            Self::BadRequest => (StatusCode::BAD_REQUEST, "Not understood", "The request can't be read."),
            Self::Database => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer",
                "Accepted work stays stored and resumes when the database is back. Reload in a moment; the log has details.",
            ),
            Self::Slow => (
                StatusCode::SERVICE_UNAVAILABLE,
                "This took too long",
                "The database is busy. Deliveries go first; reload in a moment.",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many watchers",
                "Too many pages are live at the moment. This one shows what it was when you opened it.",
            ),
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Something failed on our side", "The log says more.")
            }
        }
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        tracing::warn!(%error, "a page of the dashboard could not be read");
        Self::Database
    }
}

impl IntoResponse for Problem {
    /// A bare status that carries the problem; [`ErrorPages`] turns it into a page.
    fn into_response(self) -> Response {
        let mut response = self.row().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "message/page.html")]
struct MessagePage {
    layout: Layout,
    title: &'static str,
    text: &'static str,
    code: u16,
}

/// Renders the errors of one request: as a page, or as a bare status for a fragment, which keeps what it shows.
pub(crate) struct ErrorPages {
    layout: Layout,
    is_fragment: bool,
}

impl ErrorPages {
    /// In the layout of the request.
    pub(crate) fn of(app: &App, request: &Request) -> Self {
        let (path, headers) = (request.uri().path(), request.headers());
        Self { layout: Layout::of(app, path, headers), is_fragment: is_htmx(headers) }
    }
}

impl ErrorFormat for ErrorPages {
    type Error = Problem;

    fn panicked(&self) -> Problem {
        Problem::Internal
    }

    /// Handlers answer some errors with text or a page of their own.
    fn of_status(&self, _: u16) -> Option<Problem> {
        None
    }

    fn render(&self, problem: &Problem, _: Response) -> Response {
        let (status, title, text) = problem.row();
        if self.is_fragment {
            return (status, [("hx-reswap", "none")]).into_response();
        }
        let page = MessagePage { layout: self.layout.clone(), title, text, code: status.as_u16() };
        (status, page).into_response()
    }
}

/// Returns whether the request comes from a fragment that fetches its content.
pub(crate) fn is_htmx(headers: &HeaderMap) -> bool {
    headers.get("hx-request").is_some_and(|value| value == "true")
}
