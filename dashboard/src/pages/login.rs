//! The login: one key, one session. Requests without a session are redirected here.

use std::net::{IpAddr, Ipv6Addr};

use askama::Template;
use askama_web::WebTemplate;
use axum::{
    Extension, Form,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;
use web::Peer;

use crate::{
    app::App,
    layout::Layout,
    problem::{Problem, is_htmx},
};

/// Longest address that one is sent back to.
const NEXT_LIMIT: usize = 512;

#[derive(Template, WebTemplate)]
#[template(path = "login/page.html")]
struct LoginPage {
    layout: Layout,
    next: String,
    complaint: Option<&'static str>,
}

/// Where to go after the login.
#[derive(Deserialize)]
pub(crate) struct Target {
    #[serde(default)]
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Login {
    key: String,
    #[serde(default)]
    next: String,
}

/// Shows the form, or the pages to those who need none.
pub(crate) async fn page(
    layout: Layout,
    target: Result<Query<Target>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let next = local(target.map(|Query(target)| target.next).unwrap_or_default());
    if layout.admitted {
        return Redirect::to(&next).into_response();
    }
    LoginPage { layout, next, complaint: None }.into_response()
}

/// Takes the key.
pub(crate) async fn submit(
    State(app): State<App>,
    layout: Layout,
    peer: Option<Extension<Peer>>,
    form: Result<Form<Login>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Problem> {
    let Form(login) = form.map_err(|_| Problem::BadRequest)?;
    let (address, next) = (address_of(peer), local(login.next));
    if !app.sessions.are_required() {
        return Ok(Redirect::to(&next).into_response());
    }
    // The key is checked first: others behind the same address cannot keep its owner out.
    if let Some(cookie) = app.sessions.open(&login.key, app.sources.clock.now()) {
        app.wrong_keys.forget(address);
        return Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response());
    }
    Ok(refused(&app, layout, next, address))
}

/// Counts a wrong key, and answers so.
fn refused(app: &App, layout: Layout, next: String, address: IpAddr) -> Response {
    if app.wrong_keys.check(address).is_err() {
        tracing::warn!(%address, "too many logins to the dashboard");
        let page =
            LoginPage { layout, next, complaint: Some("Too many attempts. Wait a minute and try again.") };
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], page).into_response();
    }
    let complaint = Some("That is not the key. It is the value of ADMIN_API_KEY.");
    (StatusCode::UNAUTHORIZED, LoginPage { layout, next, complaint }).into_response()
}

/// Ends the session.
pub(crate) async fn end(State(app): State<App>) -> Response {
    ([(header::SET_COOKIE, app.sessions.close())], Redirect::to("/login")).into_response()
}

/// Lets those with a session pass and sends the others to the form.
pub(crate) async fn require_session(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.sessions.admits(request.headers(), app.sources.clock.now()) {
        return next.run(request).await;
    }
    if is_htmx(request.headers()) {
        let form = form_for(&shown_page(request.headers()));
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", form)]).into_response();
    }
    let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
    Redirect::to(&form_for(wanted)).into_response()
}

fn form_for(wanted: &str) -> String {
    match local(wanted.to_owned()).as_str() {
        "/" => "/login".to_owned(),
        wanted => format!("/login?next={}", byte_serialize(wanted.as_bytes()).collect::<String>()),
    }
}

/// The page that a fragment stands on.
fn shown_page(headers: &HeaderMap) -> String {
    let page = headers.get("hx-current-url").and_then(|url| url.to_str().ok()?.parse::<Uri>().ok());
    page.and_then(|page| page.path_and_query().map(ToString::to_string)).unwrap_or_default()
}

/// Only paths of ours: anything else would make the login a stepping stone to strangers.
fn local(next: String) -> String {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain =
        next.len() <= NEXT_LIMIT && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_page =
        !next.starts_with("/login") && !next.starts_with("/live") && !next.starts_with("/fragments");
    if is_path && is_plain && is_page { next } else { "/".to_owned() }
}

/// The address that a wrong key counts for. Requests that came through no listener share one.
fn address_of(peer: Option<Extension<Peer>>) -> IpAddr {
    peer.map_or(Ipv6Addr::UNSPECIFIED.into(), |Extension(Peer(address))| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_leads_to_pages_of_ours_only() {
        let long = format!("/{}", "a".repeat(NEXT_LIMIT));
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "/login",
            "/live",
            &long,
        ] {
            assert_eq!(local(foreign.to_owned()), "/", "{foreign}");
        }
        for ours in ["/errors?before=1", "/deliveries/1", &long[..NEXT_LIMIT]] {
            assert_eq!(local(ours.to_owned()), ours);
        }
        assert_eq!(form_for("/errors?before=a b"), "/login");
        assert_eq!(form_for("/errors?before=1"), "/login?next=%2Ferrors%3Fbefore%3D1");
    }
}
