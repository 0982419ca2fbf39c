//! Lists of deliveries, narrowed by each filter, whatever table a delivery is in.

use std::time::Duration;

use domain::{
    delivery::{DeadReason, NextStep},
    id::{DeliveryId, EndpointId, EventId, UserId},
};
use entity::{
    delivery::queries::{self as delivery, Filter},
    scope::Scope,
};
use platform::database::Pool;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use testkit::{Answer, Receiver, TestApp, on_both_shapes};

use crate::manual_moves::{ended, record};

async fn get(app: &TestApp, query: &str) -> Value {
    let answer = app.http.get(format!("{}/v1/deliveries?{query}", app.base)).send().await.expect("an answer");
    let status = answer.status();
    let response: Value = answer.json().await.expect("JSON");
    assert_eq!(status, 200, "{query}: {response}");
    response
}

/// The ids of a page, in its order.
async fn ids(app: &TestApp, query: &str) -> Vec<DeliveryId> {
    let page = get(app, query).await;
    let rows = page["data"].as_array().expect("rows").iter();
    rows.map(|row| row["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")).collect()
}

async fn execute(app: &TestApp, sql: &str) {
    app.context.database.writer().execute_unprepared(sql).await.expect(sql);
}

async fn publish(app: &TestApp) -> (EventId, DeliveryId) {
    let (event, _) = app.publish(json!({})).await.expect("accepted");
    (event, app.delivery_of(event).await.id)
}

/// One delivery for each thing that one may be called, oldest first: succeeded, dead, cancelled, sending, failing once.
struct Some5 {
    _receiver: Receiver,
    endpoint: EndpointId,
    events: Vec<EventId>,
    ids: Vec<DeliveryId>,
}

async fn some(app: &TestApp) -> Some5 {
    let receiver = Receiver::start(0).await.expect("a receiver");
    let endpoint = app.register(&receiver.url("/")).await;
    let mut made = vec![publish(app).await];
    app.drain().await;
    receiver.answer([Answer::Status(500)]);
    made.push(publish(app).await);
    app.drain().await;
    app.clock.forward(Duration::from_secs(10));
    let claimed = app.claim(&[made[1].1.0]).await.remove(0);
    record(app, vec![ended(claimed, NextStep::DeadLetter(DeadReason::Rejected))]).await;
    made.push(publish(app).await);
    let url = format!("{}/v1/deliveries/{}/cancel", app.base, made[2].1);
    assert_eq!(app.http.post(url).send().await.expect("an answer").status(), 200);
    made.push(publish(app).await);
    receiver.answer([Answer::Drop]);
    made.push(publish(app).await);
    app.send(&[made[4].1.0]).await;
    assert_eq!(app.claim(&[made[3].1.0]).await.len(), 1);
    let (events, ids) = made.into_iter().unzip();
    Some5 { _receiver: receiver, endpoint, events, ids }
}

on_both_shapes! {
    async fn each_filter_lets_through_what_it_names_and_nothing_else(app: TestApp) {
        let Some5 { endpoint, events, ids: all, .. } = &some(&app).await;
        let of = |wanted: &[usize]| -> Vec<DeliveryId> { wanted.iter().map(|at| all[*at]).collect() };
        for (query, wanted) in [
            (String::new(), of(&[4, 3, 2, 1, 0])),
            ("state=succeeded".into(), of(&[0])),
            ("state=dead".into(), of(&[1])),
            ("state=cancelled".into(), of(&[2])),
            ("state=sending".into(), of(&[3])),
            ("state=pending".into(), of(&[4])),
            ("state=held".into(), of(&[])),
            (format!("endpoint_id={endpoint}"), of(&[4, 3, 2, 1, 0])),
            (format!("endpoint_id={}", EndpointId::new()), of(&[])),
            (format!("endpoint_id={endpoint}&state=dead"), of(&[1])),
            (format!("event_id={}", events[2]), of(&[2])),
            (format!("event_id={}", events[3]), of(&[3])),
            ("user_id=1".into(), of(&[4, 3, 2, 1, 0])),
            ("user_id=1&state=dead&type=upload+file&channel=webhook".into(), of(&[1])),
            ("user_id=2".into(), of(&[])),
            ("user_id=-9223372036854775808".into(), of(&[])),
            ("channel=webhook".into(), of(&[4, 3, 2, 1, 0])),
            ("channel=telegram".into(), of(&[])),
            ("type=upload+file".into(), of(&[4, 3, 2, 1, 0])),
            ("type=invoice.paid".into(), of(&[])),
            ("error_class=status".into(), of(&[1])),
            ("error_class=reset".into(), of(&[4])),
            ("error_class=reset&state=dead".into(), of(&[])),
        ] {
            assert_eq!(ids(&app, &query).await, wanted, "{query}");
        }
        execute(&app, "UPDATE lane SET state = 'paused'").await;
        assert_eq!(ids(&app, "state=held").await, of(&[4]), "what is sent is not held");
        assert_eq!(ids(&app, "state=pending").await, of(&[]));
        assert_eq!(ids(&app, "state=sending").await, of(&[3]));
    }

    async fn a_list_is_cut_into_pages_that_miss_and_repeat_nothing(app: TestApp) {
        let all = some(&app).await.ids;
        let (mut seen, mut cursor) = (vec![], String::new());
        loop {
            let page = get(&app, &format!("limit=2{cursor}")).await;
            let rows = page["data"].as_array().expect("rows");
            seen.extend(rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            assert_eq!(rows.len(), 2);
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, all.iter().rev().map(ToString::to_string).collect::<Vec<_>>());
        let exact = get(&app, "limit=5").await;
        assert_eq!((exact["data"].as_array().map(Vec::len), &exact["next_cursor"]), (Some(5), &json!(null)));
        assert!(get(&app, "limit=4").await["next_cursor"].is_string());
    }

    async fn since_takes_in_its_moment_and_until_does_not(app: TestApp) {
        let all = some(&app).await.ids;
        let made = all[2].0.get_timestamp().expect("a v7 id").to_unix();
        let at = domain::clock::Millis(i64::try_from(made.0).expect("this era") * 1_000 + i64::from(made.1 / 1_000_000));
        let next = domain::clock::Millis(at.0 + 1);
        let taken = |found: Vec<DeliveryId>| found.contains(&all[2]);
        assert!(taken(ids(&app, &format!("since={at}")).await));
        assert!(!taken(ids(&app, &format!("until={at}")).await));
        assert!(!taken(ids(&app, &format!("since={next}")).await));
        assert!(taken(ids(&app, &format!("until={next}")).await));
        assert!(taken(ids(&app, &format!("since={at}&until={next}")).await));
        let offset = at.rfc3339().replace('Z', "+00:00");
        assert!(taken(ids(&app, &format!("since={offset}")).await), "a bare plus is one");
    }

    async fn a_users_key_sees_that_users_deliveries_only(app: TestApp) {
        let all = some(&app).await.ids;
        let found = async |scope, filter: &Filter| {
            let pieces = delivery::search(scope, filter, 10);
            rows(&app, &pieces).await
        };
        let (own, other) = (Scope::User(UserId(1)), Scope::User(UserId(2)));
        assert_eq!(found(own, &Filter::default()).await, 5);
        assert_eq!(found(other, &Filter::default()).await, 0);
        let asks_for_another = Filter { user_id: Some(UserId(1)), ..Filter::default() };
        assert_eq!(found(other, &asks_for_another).await, 0);
        for id in all {
            assert_eq!(rows(&app, &delivery::find(own, id)).await, 1);
            assert_eq!(rows(&app, &delivery::find(other, id)).await, 0);
        }
    }
}

async fn rows(app: &TestApp, pieces: &entity::sql_builder::SqlBuilder) -> usize {
    let time = app.context.database.statement_time(&app.clock);
    let found: Vec<delivery::Row> = match app.context.database.pool() {
        Pool::Postgres(pool) => pieces.postgres(time).build_query_as().fetch_all(pool).await.expect("rows"),
        Pool::Sqlite(pool) => pieces.sqlite(time).build_query_as().fetch_all(pool).await.expect("rows"),
    };
    found.len()
}
