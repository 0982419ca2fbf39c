//! Which push services are taken, and how many subscriptions callers without a key may make.

use api::Limits;
use sea_orm::sea_query::Expr;

use super::*;

#[tokio::test]
async fn only_known_or_configured_push_services_are_accepted() {
    let known =
        ["https://fcm.googleapis.com/fcm/send/x", "https://wns2-par02p.notify.windows.com/w/?token=x"];
    let others =
        ["https://push.example.com/x", "https://fcm.googleapis.com.evil.example/x", "https://8.8.8.8/x"];
    let api = TestApi::with(&[&VAPID[..3], &[("ALLOW_NETWORKS", "127.0.0.0/8")]].concat()).await;
    for endpoint in known.into_iter().chain(["https://127.0.0.1:9/x"]) {
        assert!(done(&api, SUBSCRIBE, &subscription(endpoint)).await, "{endpoint}");
    }
    for endpoint in others {
        let body = subscription(endpoint);
        let answer = api.post_json(SUBSCRIBE, &body).await;
        assert_eq!(faults(&answer, &body), ["body.endpoint value_error"], "{endpoint}");
        assert!(answer.text().contains("PUSH_SERVICES"), "{answer:?}");
        assert!(!done(&api, UNSUBSCRIBE, &body).await, "to leave is always possible");
    }
    let api = TestApi::with(&[&VAPID[..3], &[("PUSH_SERVICES", "*")]].concat()).await;
    for endpoint in known.into_iter().chain(others) {
        assert!(done(&api, SUBSCRIBE, &subscription(endpoint)).await, "{endpoint}");
    }
    assert_eq!(api.count("lane").await, 2, "only the service that is listed by its name has a lane at once");
    let other_port = subscription("https://fcm.googleapis.com:8443/x");
    assert_eq!(
        faults(&api.post_json(SUBSCRIBE, &other_port).await, &other_port),
        ["body.endpoint value_error"]
    );
    assert!(done(&api, SUBSCRIBE, &subscription("https://fcm.googleapis.com:443/x")).await, "the usual port");
}

const KEY: &str = "correct-horse-battery";

/// What a caller gets who has no key, and one who has.
async fn subscribes(api: &TestApi, path: &str) -> (u16, u16) {
    let body = |n: u8| subscription(&format!("https://push.example.org/{path}/{n}"));
    let bearer = format!("Bearer {KEY}");
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    let stranger = api.post_json(SUBSCRIBE, &body(1)).await.status;
    (stranger, api.send("POST", SUBSCRIBE, &headers, body(2).to_string().as_bytes()).await.status)
}

#[tokio::test]
async fn new_subscriptions_are_limited_per_address_and_day_but_renewals_are_not() {
    let api = app(&[("ADMIN_API_KEY", KEY), ("PUSH_SUBSCRIPTIONS_PER_DAY", "3")]).await;
    for n in 0..3 {
        assert_eq!(subscribes(&api, &format!("a{n}")).await, (200, 200));
    }
    assert_eq!(subscribes(&api, "b").await, (429, 200));
    let refused = api.post_json(SUBSCRIBE, &subscription(ENDPOINT)).await;
    let wait: u32 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((28_000..=28_800).contains(&wait), "a third of a day: {wait}");
    assert_eq!(subscribes(&api, "a0").await, (200, 200), "it is stored already");
    api.context.clock.forward(Duration::from_secs(28_800));
    assert_eq!(subscribes(&api, "c").await, (200, 200));
    assert_eq!(subscribes(&api, "d").await, (429, 200));
}

on_both_databases! {
    with VAPID;

    async fn unreached_subscriptions_have_a_total_limit(api: TestApi) {
        let stored = &api.context.database;
        for n in 0..5_u64 {
            assert_eq!(entity::push_subscription::queries::unreached(stored, 4).await.expect("a count"), n.min(4));
            assert!(done(&api, SUBSCRIBE, &subscription(&format!("https://push.example.org/{n}"))).await);
        }
        let reached = push_subscription::Entity::update_many();
        let reached = reached.col_expr(push_subscription::Column::ReachedAt, Expr::value(1));
        reached.exec(api.context.database.writer()).await.expect("an update");
        assert_eq!(entity::push_subscription::queries::unreached(stored, 4).await.expect("a count"), 0);
    }
}

#[tokio::test]
async fn the_total_limit_applies_to_strangers_only() {
    let limits = Limits { unreached_subscriptions: 5, ..Limits::default() };
    let api = TestApi::with_limits(&[VAPID, &[("ADMIN_API_KEY", KEY)]].concat(), limits).await;
    // Those with the key are not counted here until the count is read again, which is not in this test.
    for n in 0..5 {
        assert_eq!(subscribes(&api, &format!("a{n}")).await, (200, 200), "{n}");
    }
    assert_eq!(subscribes(&api, "b").await, (503, 200));
    let refused = api.post_json(SUBSCRIBE, &subscription(ENDPOINT)).await;
    assert!(refused.text().contains("not been reached"), "{refused:?}");
    assert_eq!(subscribes(&api, "a0").await, (200, 200), "it is stored already");
}
