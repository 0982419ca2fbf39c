//! Connections in, answers out. On hyper itself: a connection must be able to end without an answer.

use std::{convert::Infallible, io, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{Message, Reply, html, log::Log, reply::refusal};

/// The bot's token.
pub(super) const TOKEN: &str = "987654:AAF-testkit_0123456789abcdefghijklm";
/// Largest body that is read.
const MAX_BODY_BYTES: usize = 256 * 1_024;

type Answer = io::Result<Response<Full<Bytes>>>;

/// Takes connections until `stop`.
pub(super) async fn serve(listener: TcpListener, log: Arc<Log>, stop: CancellationToken) {
    while let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await {
        tokio::spawn(connection(stream, Arc::clone(&log), stop.clone()));
    }
}

async fn connection(stream: TcpStream, log: Arc<Log>, stop: CancellationToken) {
    let answer = service_fn(|request| answer(request, Arc::clone(&log)));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    // A connection that broke is the client's affair; one that was dropped on purpose breaks too.
    let _ = stop.run_until_cancelled(served).await;
}

/// An error closes the connection without an answer.
async fn answer(request: Request<Incoming>, log: Arc<Log>) -> Answer {
    if let Err((code, description)) = knows(request.method(), request.uri().path()) {
        return refuse(code, description);
    }
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await;
    let Some((chat, html)) = body.ok().and_then(|body| message(&body.to_bytes())) else {
        return refuse(400, "Bad Request: can't parse the message");
    };
    if let Some(why) = html::objection(&html) {
        log.keep(Message { chat, html, taken: false });
        return refuse(400, &why);
    }
    let reply = log.next_reply(&chat);
    let number = log.keep(Message { chat: chat.clone(), html: html.clone(), taken: reply.takes() });
    if let Reply::Slow(wait) = reply {
        tokio::time::sleep(wait).await;
    }
    match reply {
        Reply::Hang => match std::future::pending::<Infallible>().await {},
        Reply::Drop | Reply::Lose => Err(io::ErrorKind::ConnectionAborted.into()),
        _ => {
            let (status, body) = reply.refusal().unwrap_or_else(|| (200, accepted(number, &chat, &html)));
            respond(status, &body)
        }
    }
}

/// The real one looks at the token first: 404 for one of no known form, 401 for another bot's.
fn knows(method: &Method, path: &str) -> Result<(), (u16, &'static str)> {
    let Some((token, called)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
        return Err((404, "Not Found"));
    };
    match token.split_once(':') {
        None => Err((404, "Not Found")),
        Some(_) if token != TOKEN => Err((401, "Unauthorized")),
        Some(_) if called == "sendMessage" && method == Method::POST => Ok(()),
        Some(_) => Err((404, "Not Found: method not found")),
    }
}

/// The chat and the text of a message in HTML.
fn message(body: &[u8]) -> Option<(String, String)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let chat = match &body["chat_id"] {
        Value::Number(number) => number.to_string(),
        Value::String(name) if name.starts_with('@') => name.clone(),
        _ => return None,
    };
    let text = body["text"].as_str().filter(|_| body["parse_mode"] == "HTML")?;
    Some((chat, text.to_owned()))
}

fn accepted(number: usize, chat: &str, html: &str) -> Value {
    let text = html::text(html).expect("checked");
    json!({"ok": true, "result": {"message_id": number, "chat": {"id": chat}, "date": 1_700_000_000, "text": text}})
}

fn refuse(code: u16, description: &str) -> Answer {
    respond(code, &refusal(code, description, &Value::Null))
}

fn respond(status: u16, body: &Value) -> Answer {
    let mut response = Response::new(Full::from(ascii(&body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    Ok(response)
}

/// As the real one writes JSON: six bytes for each unit that is not ASCII.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let units = character
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            text.push_str(&units);
        }
    }
    text
}
