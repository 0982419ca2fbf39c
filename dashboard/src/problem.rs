//! How a page fails: few ways, each a page of its own to people and a silent status to fragments.

use askama::Template;
use askama_web::WebTemplate;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sea_orm::DbErr;

use crate::{app::App, layout::Layout};

/// Longest work on one page. Streams are not counted: only their beginning is.
const PAGE_DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Nothing stands under this address.
    NotFound,
    /// The method is not one of the address'.
    MethodNotAllowed,
    /// Asked for under a name that is not ours.
    ForeignHost,
    /// Driven by a page that is not ours.
    ForeignOrigin,
    /// The form or the query can't be read.
    BadRequest,
    /// The database does not answer.
    Database,
    /// It took too long.
    Slow,
    /// Too many streams are open.
    Busy,
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
        }
    }
}

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        tracing::warn!(%error, "a page of the dashboard could not be read");
        Self::Database
    }
}

impl IntoResponse for Problem {
    /// A bare status that carries the problem; [`dress`] turns it into a page.
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

/// Ends work that takes too long, and turns problems into pages; fragments keep what they show.
pub(crate) async fn dress(State(app): State<App>, request: Request, next: Next) -> Response {
    let layout = Layout::of(&app, request.uri().path(), request.headers());
    let is_fragment = is_htmx(request.headers());
    let answer = tokio::time::timeout(PAGE_DEADLINE, next.run(request)).await;
    let response = answer.unwrap_or_else(|_| Problem::Slow.into_response());
    let Some(&problem) = response.extensions().get::<Problem>() else {
        return response;
    };
    let (status, title, text) = problem.row();
    if is_fragment {
        return (status, [("hx-reswap", "none")]).into_response();
    }
    (status, MessagePage { layout, title, text, code: status.as_u16() }).into_response()
}

/// Whether the request comes from a fragment that fetches itself.
pub(crate) fn is_htmx(headers: &HeaderMap) -> bool {
    headers.get("hx-request").is_some_and(|value| value == "true")
}
