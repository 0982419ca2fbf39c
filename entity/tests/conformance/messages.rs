//! Lists of messages, by each way that leads to a page, and their statistics.

use entity::{
    message,
    message::queries::{Filter, Row, Stats, Total, Way},
    message_sender, message_total,
};
use sea_orm::{ConnectionTrait, EntityTrait};
use testkit::{TestApp, on_both_shapes};
use uuid::Uuid;

use crate::{read, rows::insert};

/// Three messages of one sender and one of another, in the order of their times.
async fn plant(app: &TestApp) {
    let db = app.context.database.writer();
    for (n, (sender, text)) in
        [("+1", Some("Hello")), ("+1", None), ("+2", Some("100 %")), ("+1", Some("hello again"))]
            .into_iter()
            .enumerate()
    {
        let row = message::Model {
            message_id: format!("m{n}"),
            sender: sender.to_owned(),
            recipient: "+9".to_owned(),
            ts: format!("2026-01-0{}T00:00:00Z", n + 1),
            ts_key: format!("2026-01-0{}", n + 1),
            text: text.map(str::to_owned),
            folded: text.map(str::to_lowercase).filter(|folded| Some(folded.as_str()) != text),
            event_id: Uuid::now_v7(),
            created_at: 1,
        };
        insert(db, row).await.expect("a message");
    }
    for (sender, messages) in [("+1", 3), ("+2", 1)] {
        insert(db, message_sender::Model { sender: sender.to_owned(), messages }).await.expect("a sender");
    }
    db.execute_unprepared("UPDATE message_total SET messages = 2, senders = 1 WHERE shard IN (0, 15)")
        .await
        .expect("totals");
    assert_eq!(
        message_total::Entity::find().all(app.context.database.reader()).await.expect("read").len(),
        16
    );
}

on_both_shapes! {
    async fn each_way_leads_to_the_same_page(app: TestApp) {
        plant(&app).await;
        let filters = [
            (Filter::default(), vec!["m0", "m1", "m2", "m3"]),
            (Filter { from: Some("+1".to_owned()), ..Filter::default() }, vec!["m0", "m1", "m3"]),
            (Filter { since_key: Some("2026-01-03".to_owned()), ..Filter::default() }, vec!["m2", "m3"]),
            (Filter { contains: Some("hello".to_owned()), ..Filter::default() }, vec!["m0", "m3"]),
            (Filter { contains: Some("0 %".to_owned()), from: Some("+2".to_owned()), ..Filter::default() }, vec!["m2"]),
            (Filter { from: Some("+3".to_owned()), ..Filter::default() }, vec![]),
        ];
        for (filter, expected) in filters {
            let total: Vec<Total> = read(&app, &filter.count()).await;
            let total = total.first().map_or(0, |total| total.messages);
            assert_eq!(usize::try_from(total), Ok(expected.len()), "{filter:?}");
            for way in [Way::Walk, Way::Keys, Way::Sift] {
                let all: Vec<Row> = read(&app, &filter.page(way, 10, 0)).await;
                let ids: Vec<&str> = all.iter().map(|row| row.message_id.as_str()).collect();
                assert_eq!(ids, expected, "{filter:?} {way:?}");
                let rest: Vec<Row> = read(&app, &filter.page(way, 1, 1)).await;
                assert_eq!(rest, all.get(1..2).unwrap_or_default(), "{filter:?} {way:?}");
            }
        }
    }

    async fn the_statistics_are_of_the_counts_and_of_the_first_and_last_message(app: TestApp) {
        let none: Vec<Stats> = read(&app, &message::queries::stats()).await;
        assert_eq!((none.len(), none[0].messages, none[0].sender.as_deref()), (1, 0, None));
        plant(&app).await;
        let stats: Vec<Stats> = read(&app, &message::queries::stats()).await;
        let senders: Vec<_> = stats.iter().map(|row| (row.sender.as_deref(), row.from_sender)).collect();
        assert_eq!(senders, [(Some("+1"), Some(3)), (Some("+2"), Some(1))]);
        for row in &stats {
            assert_eq!((row.messages, row.senders), (4, 2));
            assert_eq!(row.first_ts.as_deref(), Some("2026-01-01T00:00:00Z"));
            assert_eq!(row.last_ts.as_deref(), Some("2026-01-04T00:00:00Z"));
        }
    }
}
