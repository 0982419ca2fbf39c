//! One API per test, and a client that sends exactly the given bytes.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use api::{App, Limits, Listeners, accept::Accept};
use migration::Migrator;
use platform::{
    config::{Config, Role},
    context::Context,
    supervisor::{Service, Supervisor},
    telemetry::Telemetry,
};
use sea_orm_migration::MigratorTrait;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::database::Throwaway;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// The seeded event type.
pub const UPLOAD_FILE: &str = "21f8e1f7-4142-42f9-ac30-74961702b2eb";
/// Longest wait for anything in a test.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Waits of bodies, shortened.
pub const STALL: Duration = Duration::from_millis(300);

/// A running API.
pub struct TestApi {
    pub address: SocketAddr,
    pub context: Context,
    pub stop: CancellationToken,
    pub running: JoinHandle<()>,
    _postgres: Option<Throwaway>,
    dir: TempDir,
}

impl TestApi {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// On the tests' Postgres, with settings by name.
    pub async fn on_postgres(settings: &[(&str, &str)]) -> Self {
        let database = Throwaway::postgres().await.expect("the tests' Postgres");
        let api = Self::with(&[settings, &[("DATABASE_URL", database.url.as_str())]].concat()).await;
        Self { _postgres: Some(database), ..api }
    }

    /// With settings by name, as the environment would have them.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::with_limits(settings, Limits { stall: STALL, ..Limits::default() }).await
    }

    pub async fn with_limits(settings: &[(&str, &str)], limits: Limits) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let listeners =
            Listeners::bind(&["127.0.0.1:0".parse().expect("a literal")]).await.expect("a free port");
        let address = listeners.addresses()[0];
        let context = Self::context(&dir, address, settings).await;
        let (accept, mut services) = Accept::new(&context);
        let app = App::with_limits(&context, accept, limits);
        services.insert(0, Service::new("api", move |stop| api::serve(app, listeners, stop)));
        let stop = CancellationToken::new();
        let reply = stop.clone();
        let running = tokio::spawn(async move {
            Supervisor::run(services, reply, PATIENCE).await.expect("an orderly end");
        });
        Self { address, context, stop, running, _postgres: None, dir }
    }

    async fn context(dir: &TempDir, address: SocketAddr, settings: &[(&str, &str)]) -> Context {
        let data = dir.path().display();
        let mut map = HashMap::from([
            ("DATA_DIR".to_owned(), data.to_string()),
            ("DATABASE_URL".to_owned(), format!("sqlite:///{data}/app.db")),
            ("API_ADDR".to_owned(), address.to_string()),
        ]);
        map.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let config = Config::load(Role::AllInOne, |name| map.get(name).cloned()).expect("valid settings");
        let context = Context::connect(config, Telemetry::for_tests()).await.expect("a database");
        Migrator::up(context.database.writer(), None).await.expect("migrations");
        context
    }

    /// Sends bytes and reads the one answer.
    pub async fn raw(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.expect("sent");
        Answer::read(stream).await
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.raw(self.request(method, path, headers, body)).await
    }

    /// A request as bytes: `Host`, `Connection: close` and `Content-Length` unless given.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let has = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !has("host") {
            head += &format!("host: {}\r\n", self.address);
        }
        if !has("content-length") && !has("transfer-encoding") && (!body.is_empty() || method == "POST") {
            head += &format!("content-length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.send("POST", path, &[], b"").await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"").await
    }

    /// Registers a webhook and returns its id.
    pub async fn webhook(&self) -> String {
        let body =
            json!({"event_type_id": UPLOAD_FILE, "user_id": 1, "url": "https://webhook-test.com/hook"});
        let answer = self.post_json("/webhook/register", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["data"]["id"].as_str().expect("an id").to_owned()
    }

    /// Every file in the storage, finished or not.
    pub fn stored_files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.context.config.storage_dir, &mut found);
        assert!(self.context.config.storage_dir.starts_with(self.dir.path()));
        found
    }

    pub async fn count(&self, table: &str) -> i64 {
        use sea_orm::{ConnectionTrait, Statement};
        let db = self.context.database.writer();
        let question =
            Statement::from_string(db.get_database_backend(), format!("SELECT count(*) AS n FROM {table}"));
        let row = db.query_one_raw(question).await.expect("a count").expect("a row");
        row.try_get("", "n").expect("a number")
    }

    /// Neither a file nor a row of an upload is there, or is about to go.
    pub async fn assert_nothing_left(&self) {
        until("no file is left behind", || self.stored_files().is_empty()).await;
        assert_eq!(self.count("upload").await, 0, "a row was left behind");
    }
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

/// Waits for something that another task does.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    });
    assert!(waited.await.is_ok(), "in vain: {what}");
}

/// The fields that a problem names, in its order.
#[track_caller]
pub fn fields(problem: &Value) -> Vec<String> {
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().map(|error| error["field"].as_str().expect("a field").to_owned()).collect()
}

/// The ids of rows, in their order.
#[track_caller]
pub fn ids(rows: &Value) -> Vec<Value> {
    rows.as_array().expect("rows").iter().map(|row| row["id"].clone()).collect()
}

/// The ids of a list, page after page.
pub async fn walk(api: &TestApi, path: &str, limit: usize) -> Vec<Value> {
    let (mut seen, mut next) = (Vec::new(), format!("{path}?limit={limit}"));
    loop {
        let page = api.get(&next).await.json();
        let rows = ids(&page["data"]);
        assert!(rows.len() <= limit, "a page of {}", rows.len());
        seen.extend(rows);
        let Some(cursor) = page["next_cursor"].as_str() else { return seen };
        next = format!("{path}?limit={limit}&cursor={cursor}");
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an answer in time");
        assert!(read.is_ok() || !bytes.is_empty(), "no answer: {read:?}");
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of ASCII");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        if status == 100 {
            return Self::parse(&bytes[end + 4..]);
        }
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub fn header<'a>(&'a self, wanted: &'a str) -> Option<&'a str> {
        self.headers(wanted).next()
    }

    /// Every value of a header.
    pub fn headers<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|wrong| panic!("{wrong}: {self:?}"))
    }

    /// A refusal in the envelope, with no framework's words; returns the message.
    #[track_caller]
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let reply = self.json();
        assert_eq!((&reply["error"], &reply["data"]), (&json!(true), &json!({})), "{self:?}");
        assert_eq!(reply.as_object().map(serde_json::Map::len), Some(3), "{self:?}");
        reply["message"].as_str().expect("a message").to_owned()
    }

    /// A problem of `/v1`; returns it.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let reply = self.json();
        assert_eq!((&reply["code"], &reply["status"]), (&json!(code), &json!(status)), "{self:?}");
        assert_eq!(reply["request_id"].as_str(), self.header("x-request-id"), "{self:?}");
        assert!(
            reply["type"].is_string() && reply["title"].is_string() && reply["detail"].is_string(),
            "{self:?}"
        );
        reply
    }
}
