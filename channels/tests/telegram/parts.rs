//! Messages in several parts: sent in order, each once, whatever happens between them.

use domain::delivery::{ErrorClass, SendResult};
use testkit::telegram::Reply;

use super::*;

/// Three parts, each of one letter.
fn three() -> Notification {
    note(&["a", "b", "c"].map(|letter| letter.repeat(4_096)).concat())
}

/// The letters of the parts that the chat shows.
fn shown(api: &Telegram) -> String {
    api.texts(CHAT).iter().filter_map(|text| text.chars().next()).collect()
}

async fn resume(api: &Telegram, parts_sent: u16) -> SendReport {
    send(api, TelegramRequest { parts_sent, ..request(&three()) }).await
}

#[tokio::test]
async fn a_long_message_comes_whole_and_in_order() {
    let api = Telegram::start().await;
    let report = resume(&api, 0).await;
    assert_eq!((report.result, report.parts_sent), (SendResult::Accepted, 3));
    assert_eq!(api.texts(CHAT).concat(), three().message);
    assert!(report.timing.first_byte.is_some_and(|first| first <= report.timing.total));
}

#[tokio::test]
async fn a_part_that_is_told_to_wait_is_where_the_next_attempt_goes_on() {
    let api = Telegram::start().await;
    api.reply(CHAT, [Reply::Ok, Reply::TooMany(5)]);
    let report = resume(&api, 0).await;
    assert_eq!(report.result, SendResult::Overloaded { retry_after: Some(Duration::from_secs(5)) });
    assert_eq!(report.error.as_deref(), Some("part 2 of 3: answered 429: Too Many Requests: retry after 5"));
    assert_eq!((report.parts_sent, shown(&api)), (1, "a".to_owned()));
    let report = resume(&api, report.parts_sent).await;
    assert_eq!((report.result, report.parts_sent, shown(&api)), (SendResult::Accepted, 3, "abc".to_owned()));
}

#[tokio::test]
async fn an_attempt_that_gets_nowhere_loses_nothing() {
    let api = Telegram::start().await;
    for reply in [Reply::BROKEN, Reply::BLOCKED, Reply::Drop] {
        api.reply(CHAT, [reply]);
        let report = resume(&api, 2).await;
        assert_eq!((report.parts_sent, shown(&api)), (2, String::new()));
        assert!(report.error.expect("failed").starts_with("part 3 of 3: "));
    }
    assert_eq!((resume(&api, 2).await.parts_sent, shown(&api)), (3, "c".to_owned()));
}

#[tokio::test]
async fn a_connection_that_breaks_at_a_part_leaves_the_others_counted() {
    let api = Telegram::start().await;
    api.reply(CHAT, [Reply::Ok, Reply::Drop]);
    let report = resume(&api, 0).await;
    assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(ErrorClass::Reset)));
    assert_eq!((report.status_code, report.parts_sent, shown(&api)), (None, 1, "a".to_owned()));
    assert_eq!((resume(&api, 1).await.parts_sent, shown(&api)), (3, "abc".to_owned()));
}

#[tokio::test]
async fn a_part_whose_answer_is_lost_is_not_counted() {
    let api = Telegram::start().await;
    api.reply(CHAT, [Reply::Lose]);
    let report = resume(&api, 0).await;
    assert_eq!((report.result, report.parts_sent), (SendResult::Failed, 0));
    assert_eq!((resume(&api, 0).await.parts_sent, shown(&api)), (3, "aabc".to_owned()), "at least once");
}

#[tokio::test]
async fn where_every_part_is_out_or_nothing_is_to_see_nobody_is_called() {
    let api = Telegram::start().await;
    for parts_sent in [3, 4, u16::MAX] {
        let report = resume(&api, parts_sent).await;
        assert_eq!((report.result, report.parts_sent), (SendResult::Accepted, parts_sent));
    }
    let report = send(&api, request(&note(" \u{200b}\n"))).await;
    assert_eq!((report.result, report.parts_sent), (SendResult::Unreadable, 0));
    assert!(api.calls().is_empty());
}

#[tokio::test]
async fn a_part_that_is_not_answered_meets_the_deadline() {
    let api = Telegram::start().await;
    api.reply(CHAT, [Reply::Ok, Reply::Hang]);
    let report = send(&api, TelegramRequest { deadline: SHORT * 5, ..request(&three()) }).await;
    assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(ErrorClass::Timeout)));
    assert!(report.timing.total >= SHORT * 5 && report.timing.total < PATIENT, "{:?}", report.timing);
    assert_eq!(report.parts_sent, 1);
}

#[tokio::test]
async fn the_deadline_is_for_all_parts_together() {
    let api = Telegram::start().await;
    let long = note(&"a".repeat(40 * 4_096));
    api.reply(CHAT, [Reply::Slow(SHORT / 4); 40]);
    let report = send(&api, TelegramRequest { deadline: SHORT, ..request(&long) }).await;
    assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(ErrorClass::Timeout)));
    assert!(report.parts_sent < 5 && report.timing.total >= SHORT, "{report:?}");
}

#[tokio::test]
async fn without_time_nothing_is_sent() {
    let api = Telegram::start().await;
    let report = send(&api, TelegramRequest { deadline: Duration::ZERO, ..request(&three()) }).await;
    assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(ErrorClass::Timeout)));
    assert!(api.calls().is_empty());
}
