//! Groups that have become supergroups: their id has changed, and messages follow.

use domain::delivery::SendResult;
use testkit::telegram::Reply;

use super::*;

const NEW: i64 = -1_009_876_543_210;

#[tokio::test]
async fn a_message_follows_its_group_with_all_its_parts() {
    let api = Telegram::start().await;
    api.reply(CHAT, [Reply::Ok, Reply::MovedTo(NEW)]);
    let report = send(&api, request(&note(&"a".repeat(3 * 4_096)))).await;
    assert_eq!((report.result, report.parts_sent), (SendResult::Accepted, 3));
    assert_eq!((api.texts(CHAT).len(), api.texts(&NEW.to_string()).len()), (1, 2));
    assert_eq!(api.calls().len(), 4, "it is asked for the way once");
}

#[tokio::test]
async fn what_the_new_group_says_counts() {
    let api = Telegram::start().await;
    api.reply(CHAT, [Reply::MovedTo(NEW)]);
    api.reply(&NEW.to_string(), [Reply::TooMany(3)]);
    let report = send(&api, request(&note("hello"))).await;
    assert_eq!(report.result, SendResult::Overloaded { retry_after: Some(Duration::from_secs(3)) });
}

#[tokio::test]
async fn a_group_that_moves_in_circles_is_left() {
    let api = Telegram::start().await;
    let itself = CHAT.parse().expect("a number");
    api.reply(CHAT, [Reply::MovedTo(itself), Reply::MovedTo(NEW)]);
    api.reply(&NEW.to_string(), [Reply::MovedTo(itself)]);
    for calls in [1, 3] {
        let report = send(&api, request(&note("hello"))).await;
        assert_eq!((report.result, report.parts_sent), (SendResult::Unsubscribed, 0));
        assert_eq!(api.calls().len(), calls);
    }
}
