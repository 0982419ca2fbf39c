//! Deliveries wherever they stand: under way, finished, among the old dead letters.

use domain::{
    clock::Millis,
    delivery::DisplayStatus,
    id::{DeliveryId, EventId},
};
use entity::{bounded::Bounded, delivery, delivery::queries::Filter, scope::Scope};
use testkit::{TestApp, on_both_shapes};
use uuid::Uuid;

use crate::rows::{self, insert};

/// One delivery of each kind to an active endpoint, and one to an endpoint that is paused.
struct Planted {
    event: EventId,
    open: Uuid,
    sending: Uuid,
    held: Uuid,
    succeeded: Uuid,
    dead: Uuid,
    letter: Uuid,
}

async fn plant(app: &TestApp) -> Planted {
    let (db, now) = (app.context.database.writer(), app.clock.now());
    let [active, paused] =
        ["https://example.com/active", "https://example.com/paused"].map(|url| rows::endpoint(url, now));
    insert(db, rows::lane(&active)).await.expect("a lane");
    insert(db, entity::lane::Model { state: "paused".to_owned(), ..rows::lane(&paused) })
        .await
        .expect("a lane");
    for endpoint in [&active, &paused] {
        insert(db, endpoint.clone()).await.expect("an endpoint");
    }
    let event = rows::event("upload file", "the event", now);
    insert(db, event.clone()).await.expect("an event");
    let due = delivery::Model { due_at: now.0 - 5_000, attempts: 1, ..rows::delivery(&event, &active) };
    let leased = delivery::Model { lease_until: now.0 + 60_000, claim: 1, ..rows::delivery(&event, &active) };
    let held = delivery::Model { due_at: now.0 - 7_000, ..rows::delivery(&event, &paused) };
    for open in [&due, &leased, &held] {
        insert(db, open.clone()).await.expect("a delivery");
    }
    let done = delivery::Model { attempts: 1, claim: 1, ..rows::delivery(&event, &active) };
    let mut succeeded = rows::finished(done, "succeeded", None);
    succeeded.started_at = Some(now.0);
    insert(db, succeeded.clone()).await.expect("a finished delivery");
    let own = delivery::Model { body: Some(b"its own".to_vec()), ..rows::delivery(&event, &active) };
    insert(db, rows::finished(own.clone(), "dead", Some("gone"))).await.expect("a dead delivery");
    let gone = rows::event("long gone", "the letter", Millis(now.0 - 40 * 24 * 3_600_000));
    let letter = rows::delivery(&gone, &active);
    insert(db, rows::dead_letter(letter.clone(), &gone, "schedule_spent")).await.expect("a letter");
    let event = EventId(event.id);
    let [open, sending, held] = [due.id, leased.id, held.id];
    Planted { event, open, sending, held, succeeded: succeeded.id, dead: own.id, letter: letter.id }
}

fn ids(rows: &[delivery::queries::Row]) -> Vec<Uuid> {
    rows.iter().map(|row| row.id).collect()
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort();
    ids
}

const fn exactly(count: u64) -> Bounded {
    Bounded { count, more: false }
}

on_both_shapes! {
    async fn one_list_shows_the_deliveries_of_all_tables(app: TestApp) {
        let planted = plant(&app).await;
        let (database, time) = (&app.context.database, app.context.database.statement_time(&app.clock));
        let latest = delivery::queries::latest(database, time, 10).await.expect("read");
        let Planted { open, sending, held, succeeded, dead, letter, .. } = planted;
        let newest_first: Vec<Uuid> = sorted(vec![open, sending, held, succeeded, dead, letter]).into_iter().rev().collect();
        assert_eq!(ids(&latest), newest_first);
        let few = delivery::queries::latest(database, time, 2).await.expect("read");
        assert_eq!(ids(&few), newest_first[..2]);
        for row in &latest {
            let found = delivery::queries::load(database, time, DeliveryId(row.id)).await.expect("read").expect("found");
            assert!(found.shows_the_same(row), "{found:?} {row:?}");
            let built = delivery::queries::find(Scope::Everyone, DeliveryId(row.id));
            assert!(crate::read::<delivery::queries::Row>(&app, &built).await[0].shows_the_same(row));
        }
        assert_eq!(delivery::queries::load(database, time, DeliveryId::new()).await.expect("read"), None);
        for (status, expected) in [
            (DisplayStatus::Pending, vec![open]),
            (DisplayStatus::Sending, vec![sending]),
            (DisplayStatus::Held, vec![held]),
            (DisplayStatus::Succeeded, vec![succeeded]),
            (DisplayStatus::Dead, vec![dead, letter]),
            (DisplayStatus::Cancelled, vec![]),
        ] {
            let filter = Filter { status: Some(status), ..Filter::default() };
            let found = crate::read(&app, &delivery::queries::search(Scope::Everyone, &filter, 10)).await;
            assert_eq!(sorted(ids(&found)), sorted(expected), "{status:?}");
            for row in &found {
                assert_eq!(row.facts(None, 10).status, status);
            }
        }
    }

    async fn a_delivery_carries_its_own_bytes_or_those_of_its_event(app: TestApp) {
        let planted = plant(&app).await;
        for (id, expected) in
            [(planted.open, Some("the event")), (planted.dead, Some("its own")), (planted.letter, Some("the letter"))]
        {
            let body = delivery::queries::body(&app.context.database, DeliveryId(id), planted.event).await.expect("read");
            assert_eq!(body.as_deref(), expected.map(str::as_bytes));
        }
        let none = delivery::queries::body(&app.context.database, DeliveryId::new(), EventId::new()).await;
        assert_eq!(none.expect("read"), None);
    }

    async fn attempts_come_newest_first_with_the_one_that_is_kept_with_its_delivery(app: TestApp) {
        let planted = plant(&app).await;
        let (db, now) = (app.context.database.writer(), app.clock.now());
        for number in 1..=3 {
            insert(db, rows::answered(planted.open, number, 503, now)).await.expect("an attempt");
        }
        let numbers = async |id| {
            let attempts = delivery::queries::attempts(&app.context.database, DeliveryId(id)).await.expect("read");
            attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(planted.open).await, [3, 2, 1]);
        assert_eq!(numbers(planted.succeeded).await, [1]);
        assert_eq!(numbers(planted.dead).await, Vec::<i32>::new());
    }

    async fn the_backlog_counts_what_is_due_held_failing_and_being_sent(app: TestApp) {
        plant(&app).await;
        let now = app.clock.now();
        let backlog = delivery::backlog::backlog(&app.context.database, now).await.expect("counted");
        assert_eq!((backlog.open, backlog.due, backlog.held), (exactly(3), exactly(1), exactly(1)));
        assert_eq!((backlog.failing, backlog.sending), (exactly(1), exactly(1)));
        assert!(backlog.oldest_due_at.is_some_and(|at| now.0 - at.0 >= 5_000));
    }

    async fn the_totals_and_the_gauges_count_the_same_dead_letters(app: TestApp) {
        plant(&app).await;
        let (database, now) = (&app.context.database, app.clock.now());
        let totals = delivery::totals::totals(database, now).await.expect("counted");
        assert_eq!((totals.accepted, totals.delivered, totals.given_up), (exactly(1), exactly(1), exactly(1)));
        assert_eq!(totals.dead_letters, exactly(2));
        let counts = delivery::gauges::counts(database, now).await.expect("counted");
        assert_eq!((counts.open, counts.dead_letters, counts.held), (3, 2, 1));
        assert_eq!((counts.processes, counts.open_breakers), (0, 0));
        // Of an active lane the oldest, whether or not it is due or leased.
        let oldest = delivery::gauges::oldest_due(database, now).await.expect("asked");
        assert!(oldest.is_some_and(|due_at| now.0 - due_at >= 5_000), "{oldest:?}");
    }

    async fn a_table_with_few_dead_rows_is_not_vacuumed(app: TestApp) {
        assert!(!delivery::vacuum::vacuum_when_due(&app.context.database, 1_000, 1_000_000).await.expect("asked"));
    }
}
