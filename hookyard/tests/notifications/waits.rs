//! `Prefer: wait=N`: the response contains the outcome.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, telegram::Reply};

use crate::{Fixture, fixture_on_both_shapes};

async fn notify(fixture: &Fixture, wait: &str) -> (Option<String>, Value) {
    let request =
        fixture.app.http.post(format!("{}/api/notify", fixture.app.base)).json(&json!({"message": "m"}));
    let answer = request.header("prefer", wait).send().await.expect("an answer");
    let applied =
        answer.headers().get("preference-applied").map(|value| value.to_str().expect("text").to_owned());
    (applied, answer.json().await.expect("JSON"))
}

fixture_on_both_shapes! {
    async fn a_waiting_caller_learns_the_outcome(fixture: Fixture) {
        fixture.subscriber("1").await;
        fixture.subscriber("2").await;
        let browser = fixture.browser().await;
        fixture.telegram.reply("2", [Reply::BLOCKED]);
        browser.answer([Answer::Status(410)]);
        let working = fixture.app.work();
        let (applied, response) = notify(&fixture, "wait=20").await;
        assert_eq!(applied.as_deref(), Some("wait=20"));
        let expected = json!({
            "telegram": {"total": 2, "queued": 2, "succeeded": 1, "failed": 1},
            "web_push": {"total": 1, "queued": 1, "succeeded": 0, "failed": 1},
        });
        assert_eq!(response, json!({"success": true, "results": expected}));
        fixture.telegram.reply("1", [Reply::BLOCKED]);
        let (_, response) = notify(&fixture, "wait=20").await;
        assert_eq!((&response["success"], &response["results"]["telegram"]["failed"]), (&json!(false), &json!(1)), "{response}");
        working.stop().await;
    }

    async fn a_caller_that_waits_too_long_gets_a_response_in_time(fixture: Fixture) {
        fixture.subscriber("1").await;
        let started = std::time::Instant::now();
        let (applied, response) = notify(&fixture, "wait=1").await;
        assert!(started.elapsed() < Duration::from_secs(20), "no worker runs");
        assert_eq!((applied.as_deref(), &response["success"]), (Some("wait=1"), &json!(true)));
        assert_eq!(response["results"]["telegram"], json!({"total": 1, "queued": 1, "succeeded": 0, "failed": 0}));
        let (applied, response) = notify(&fixture, "respond-async").await;
        assert_eq!((applied, &response["results"]["telegram"]), (None, &json!({"total": 1, "queued": 1})));
    }
}
