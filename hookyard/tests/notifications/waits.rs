//! `Prefer: wait=N`: the answer knows what has become of it.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, telegram::Reply};

use crate::{Town, in_both_towns};

async fn notify(town: &Town, wait: &str) -> (Option<String>, Value) {
    let request = town.app.http.post(format!("{}/api/notify", town.app.base)).json(&json!({"message": "m"}));
    let answer = request.header("prefer", wait).send().await.expect("an answer");
    let applied =
        answer.headers().get("preference-applied").map(|value| value.to_str().expect("text").to_owned());
    (applied, answer.json().await.expect("JSON"))
}

in_both_towns! {
    async fn who_waits_is_told_who_got_it_and_who_will_not(town: Town) {
        town.subscriber("1").await;
        town.subscriber("2").await;
        let browser = town.browser().await;
        town.telegram.reply("2", [Reply::BLOCKED]);
        browser.answer([Answer::Status(410)]);
        let working = town.app.work();
        let (applied, told) = notify(&town, "wait=20").await;
        assert_eq!(applied.as_deref(), Some("wait=20"));
        let expected = json!({
            "telegram": {"total": 2, "queued": 2, "succeeded": 1, "failed": 1},
            "web_push": {"total": 1, "queued": 1, "succeeded": 0, "failed": 1},
        });
        assert_eq!(told, json!({"success": true, "results": expected}));
        town.telegram.reply("1", [Reply::BLOCKED]);
        let (_, told) = notify(&town, "wait=20").await;
        assert_eq!((&told["success"], &told["results"]["telegram"]["failed"]), (&json!(false), &json!(1)), "{told}");
        working.stop().await;
    }

    async fn who_waits_in_vain_is_told_so_in_time(town: Town) {
        town.subscriber("1").await;
        let started = std::time::Instant::now();
        let (applied, told) = notify(&town, "wait=1").await;
        assert!(started.elapsed() < Duration::from_secs(20), "no worker runs");
        assert_eq!((applied.as_deref(), &told["success"]), (Some("wait=1"), &json!(true)));
        assert_eq!(told["results"]["telegram"], json!({"total": 1, "queued": 1, "succeeded": 0, "failed": 0}));
        let (applied, told) = notify(&town, "respond-async").await;
        assert_eq!((applied, &told["results"]["telegram"]), (None, &json!({"total": 1, "queued": 1})));
    }
}
