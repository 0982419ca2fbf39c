//! Signed messages as documents show them: their own lines, by a real shell, curl and openssl, on a real process.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{
    http::Client,
    process::{Launch, Running},
    servers::free_port,
    wait::until,
};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// What the service that Hookyard takes the place of tells its users to type.
const OLD_DOCUMENT: &str = r#"
BODY='{"message_id":"m1","from":"+919876543210","to":"+14155550100","ts":"2025-01-15T10:00:00Z","text":"Hello"}'
SIGNATURE=$(echo -n "$BODY" | openssl dgst -sha256 -hmac "mysecretkey" | cut -d' ' -f2)

curl -X POST http://localhost:8000/webhook \
  -H "Content-Type: application/json" \
  -H "X-Signature: $SIGNATURE" \
  -d "$BODY"

# Basic listing
curl http://localhost:8000/messages

# Pagination
curl http://localhost:8000/messages?limit=10&offset=20
wait

# Filter by sender
curl http://localhost:8000/messages?from=%2B919876543210

# Filter by timestamp
curl "http://localhost:8000/messages?since=2025-01-15T09:00:00Z"

# Text search
curl "http://localhost:8000/messages?q=hello"
curl http://localhost:8000/stats
curl http://localhost:8000/health/live
curl http://localhost:8000/health/ready
"#;

/// A process with the settings of that document.
struct Service {
    port: u16,
    process: Running,
    folder: TempDir,
}

impl Service {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let launch = Launch::new(Path::new(env!("CARGO_BIN_EXE_hookyard")), folder.path(), "hookyard")
            .set("DATABASE_URL", "sqlite:///./data/app.db")
            .set("WEBHOOK_SECRET", "mysecretkey")
            .set("LOG_LEVEL", "DEBUG")
            .set("LOG_FORMAT", "json")
            .set("WEBHOOK_HOST", "127.0.0.1")
            .set("WEBHOOK_PORT", port)
            .set("DASHBOARD_ADDR", format!("127.0.0.1:{}", free_port()));
        let mut process = launch.start();
        let client = Client::new(format!("http://127.0.0.1:{port}"));
        until("the API is ready", READY_WITHIN, async || {
            assert!(process.ended().is_none(), "it ended at once");
            client.is_ready().await.then_some(())
        })
        .await;
        Self { port, process, folder }
    }

    /// Runs lines of a document, with the port of this process; gives the answers in order, each a line of JSON.
    fn type_in(&self, lines: &str) -> Vec<Value> {
        let here = format!("127.0.0.1:{}", self.port);
        let lines = ["localhost:8000", "127.0.0.1:8081"]
            .iter()
            .fold(lines.to_owned(), |lines, there| lines.replace(there, &here));
        // curl does not end the line.
        let script = format!("curl() {{ command curl -sS \"$@\" && echo; }}\n{lines}");
        let output = Command::new("bash").arg("-ec").arg(script).output().expect("bash");
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && error.is_empty(), "{out}\n{error}");
        let answers = out.lines().filter(|line| !line.is_empty());
        answers.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// The lines of the log about requests of this path.
    fn requests(&self, path: &str) -> Vec<Value> {
        let lines = self.process.log();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("one object a line"));
        lines.filter(|line| line["message"] == "request" && line["path"] == path).collect()
    }
}

/// The blocks of shell of a document's section.
fn blocks(document: &str, section: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document);
    let text = std::fs::read_to_string(&path).expect("the document");
    let section = text.split(&format!("\n## {section}\n")).nth(1).expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    section.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

fn page(data: &[&Value], limit: i64) -> Value {
    json!({"data": data, "total": data.len(), "limit": limit, "offset": 0})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_old_document_work_as_they_are_printed() {
    let service = Service::start().await;
    assert!(service.folder.path().join("data/app.db").is_file(), "made where DATABASE_URL says");
    let answers = service.type_in(OLD_DOCUMENT);
    let sent = json!({"message_id": "m1", "from": "+919876543210", "to": "+14155550100", "ts": "2025-01-15T10:00:00Z", "text": "Hello"});
    let stats = json!({
        "total_messages": 1, "senders_count": 1, "messages_per_sender": [{"from": "+919876543210", "count": 1}],
        "first_message_ts": "2025-01-15T10:00:00Z", "last_message_ts": "2025-01-15T10:00:00Z"
    });
    let all = page(&[&sent], 50);
    let expected = [
        json!({"status": "ok"}),
        all.clone(),
        // The shell takes the & for its own, so only the limit is asked for.
        page(&[&sent], 10),
        all.clone(),
        all.clone(),
        all,
        stats,
        json!({"status": "ok"}),
        json!({"status": "ready"}),
    ];
    assert_eq!(answers, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_documents_lines_work_too() {
    let service = Service::start().await;
    for (document, section) in
        [("docs/tutorial.md", "Send a signed message"), ("docs/api/messages.md", "Send: `POST /webhook`")]
    {
        let answers = service.type_in(&format!("WEBHOOK_SECRET=mysecretkey\n{}", blocks(document, section)));
        assert_eq!(answers.first(), Some(&json!({"status": "ok"})), "{document}");
        assert!(answers.len() > 1 || section.starts_with("Send"), "{document}: {answers:?}");
        assert!(answers.iter().all(|answer| answer.get("detail").is_none()), "{document}: {answers:?}");
    }
    let answers = service.type_in(&blocks("docs/api/messages.md", "Look: `GET /messages`"));
    assert!(answers.len() > 3 && answers.iter().all(|answer| answer["data"].is_array()), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_of_each_request_what_became_of_it() {
    let service = Service::start().await;
    let send = r#"
        BODY='{"message_id":"m\"1","from":"+1","to":"+2","ts":"2025-01-15T10:00:00Z","text":"a secret text"}'
        SIGNATURE=$(printf %s "$BODY" | openssl dgst -sha256 -hmac mysecretkey | cut -d' ' -f2)
        curl http://localhost:8000/webhook -H "X-Signature: $SIGNATURE" -H 'X-Request-Id: one' -d "$BODY"
        curl http://localhost:8000/webhook -H "X-Signature: $SIGNATURE" -H 'X-Request-Id: two' -d "$BODY"
        curl http://localhost:8000/webhook -H "X-Signature: ${SIGNATURE:0:63}" -H 'X-Request-Id: three' -d "$BODY"
        SIGNATURE=$(printf %s '{}' | openssl dgst -sha256 -hmac mysecretkey | cut -d' ' -f2)
        curl http://localhost:8000/webhook -H "X-Signature: $SIGNATURE" -H 'X-Request-Id: four' -d '{}'
        curl "http://localhost:8000/messages?q=secret" -H 'X-Request-Id: five'"#;
    service.type_in(send);
    // Lines are written together, a moment later.
    let is_written = async || (service.process.lines_with(r#""request_id":"five""#) > 0).then_some(());
    until("the line of the last request", READY_WITHIN, is_written).await;
    let (lines, listed) = (service.requests("/webhook"), service.requests("/messages"));
    let response: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!([line["request_id"], line["status"], line["message_id"], line["dup"], line["result"]])
        })
        .collect();
    let expected = [
        json!(["one", 200, "m\"1", false, "created"]),
        json!(["two", 200, "m\"1", true, "duplicate"]),
        json!(["three", 401, null, false, "invalid_signature"]),
        json!(["four", 422, null, false, "validation_error"]),
    ];
    assert_eq!(response, expected);
    assert_eq!(listed.len(), 1);
    for line in lines.iter().chain(&listed) {
        assert!(line["latency_ms"].is_number() && line["method"].is_string(), "{line}");
    }
    let line = listed[0].as_object().expect("an object");
    assert_eq!(
        (&line["request_id"], line.contains_key("result"), line.contains_key("dup")),
        (&json!("five"), false, false)
    );
    let log = service.process.log();
    assert!(
        !log.contains("a secret text") && !log.contains("mysecretkey"),
        "neither texts nor secrets are logged"
    );
    assert!(!log.contains("\"ERROR\""), "nothing of it is an error: {log}");
}
