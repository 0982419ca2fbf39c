//! A dashboard over a throw-away database, asked directly or over a real listener.

#![allow(dead_code, reason = "each test uses a part of it")]

pub mod rows;

use std::net::{SocketAddr, TcpListener};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use http_body_util::BodyExt;
use migration::Migrator;
use platform::{
    config::{Config, Role},
    context::Context,
    telemetry::Telemetry,
};
use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;
use testkit::database::Throwaway;
use tower::ServiceExt;

/// The administrator's key of a locked dashboard.
pub const KEY: &str = "correct-horse-battery-staple";

/// A dashboard and what it reads.
pub struct TestDashboard {
    pub context: Context,
    pub router: Router,
    postgres: Option<Throwaway>,
    _folder: TempDir,
}

/// An answer, read to its end.
pub struct Page {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub text: String,
}

impl TestDashboard {
    /// Without a key, on loopback.
    pub async fn open() -> Self {
        Self::with(&[]).await
    }

    /// Behind [`KEY`].
    pub async fn locked() -> Self {
        Self::with(&[("ADMIN_API_KEY", KEY)]).await
    }

    /// Without a key, on the tests' Postgres.
    pub async fn on_postgres() -> Self {
        let database = Throwaway::postgres().await.expect("the tests' Postgres");
        let app = Self::with(&[("DATABASE_URL", &database.url)]).await;
        Self { postgres: Some(database), ..app }
    }

    /// With these settings, on SQLite unless they say otherwise.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().to_string_lossy().into_owned();
        let config = Config::load(Role::AllInOne, |name| match name {
            "DATA_DIR" => Some(data_dir.clone()),
            _ => settings.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned()),
        })
        .expect("settings");
        let context = Context::connect(config, Telemetry::for_tests()).await.expect("a database");
        Migrator::up(context.database.writer(), None).await.expect("migrations");
        Self { router: dashboard::router(&context), context, postgres: None, _folder: folder }
    }

    /// Where tests put rows.
    pub fn db(&self) -> &DatabaseConnection {
        self.context.database.writer()
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Page {
        self.ask(Request::get(path)).await
    }

    /// Asks with headers of the caller's; `Host` is ours unless they say otherwise.
    pub async fn ask(&self, request: axum::http::request::Builder) -> Page {
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// Posts a form from a page of ours.
    pub async fn post(&self, path: &str, form: &str) -> Page {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(form.to_owned())).expect("a request")).await
    }

    /// Sends any request.
    pub async fn send(&self, mut request: Request<Body>) -> Page {
        let host = "127.0.0.1:5555".parse().expect("a host");
        request.headers_mut().entry(header::HOST).or_insert(host);
        self.send_as_it_is(request).await
    }

    /// Sends a request that may have no `Host`.
    pub async fn send_as_it_is(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        read(response).await
    }
}

async fn read(response: Response<Body>) -> Page {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    Page { status: head.status, headers: head.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

impl Page {
    /// A header's value, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Fails unless the page shows `text`.
    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text:?} is not on the page:\n{}", self.text);
        self
    }

    /// Fails if the page shows `text`.
    #[track_caller]
    pub fn hides(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} is on the page");
        self
    }
}

/// A listener on a port of the system's choice.
pub fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}
