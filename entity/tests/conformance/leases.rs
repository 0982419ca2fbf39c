//! Leases on rows that a worker owns, and the claims of uploads.

use std::time::Duration;

use domain::job::{LEASE, Leased};
use entity::{delivery, lease, lease::Table, upload};
use platform::database::Pool;
use sea_orm::EntityTrait;
use testkit::{TestApp, on_both_shapes};
use uuid::Uuid;

use crate::rows::{self, insert};

/// A delivery with a live lease of its first claim.
async fn leased(app: &TestApp) -> Uuid {
    let now = app.clock.now();
    let (event, endpoint) = (rows::event("x", "{}", now), rows::endpoint("https://example.com/", now));
    let row = delivery::Model { claim: 1, lease_until: now.0 + 2_000, ..rows::delivery(&event, &endpoint) };
    insert(app.context.database.writer(), row.clone()).await.expect("a delivery");
    row.id
}

async fn lease_of(app: &TestApp, id: Uuid) -> i64 {
    let found = delivery::Entity::find_by_id(id).one(app.context.database.reader()).await.expect("read");
    found.expect("found").lease_until
}

on_both_shapes! {
    async fn leases_are_renewed_and_released_by_those_who_have_the_claim(app: TestApp) {
        let (database, now) = (&app.context.database, app.clock.now());
        let (ours, theirs) = (leased(&app).await, leased(&app).await);
        let leases = [(ours, 1), (theirs, 2), (Uuid::now_v7(), 1)];
        let renewed = lease::renew(database, &app.clock, &leases).await.expect("renewed");
        assert_eq!(renewed, [ours]);
        assert!(lease_of(&app, ours).await > now.0 + 10_000);
        assert!(lease_of(&app, theirs).await < now.0 + 10_000);
        lease::release(database, Table::Deliveries, &leases).await.expect("released");
        assert_eq!(lease_of(&app, ours).await, 0);
        assert!(lease_of(&app, theirs).await > 0);
        lease::release(database, Table::Deliveries, &[]).await.expect("nothing to release");
        let all = lease::release_all(database).await.expect("released");
        match database.pool() {
            Pool::Sqlite(_) => assert_eq!((all, lease_of(&app, theirs).await), (1, 0)),
            Pool::Postgres(_) => assert!(all == 0 && lease_of(&app, theirs).await > 0),
        }
    }

    async fn an_upload_is_claimed_once_until_its_lease_ends(app: TestApp) {
        let (database, clock, now) = (&app.context.database, &app.clock, app.clock.now());
        let endpoint = rows::endpoint("https://example.com/", now);
        let row = upload::Model {
            state: "received".to_owned(), attempts: 0, claim: 0, finished_at: None, due_at: 0,
            ..rows::upload(&endpoint, "a.txt", now)
        };
        insert(database.writer(), row.clone()).await.expect("an upload");
        let next = async || upload::claim::claim_next(database, clock).await.expect("claimed");
        let first = next().await.expect("it is due");
        assert_eq!((first.id().0, first.claim, first.has_endpoint), (row.id, 1, false));
        assert!(next().await.is_none(), "it is leased");
        let take_over = async |claim| {
            let leased = Leased { id: row.id, claim };
            upload::claim::take_over(database, clock, leased).await.expect("no error").is_some()
        };
        assert!(take_over(1).await);
        assert!(!take_over(2).await);
        app.clock.forward(LEASE + Duration::from_secs(1));
        assert!(upload::claim::renew(database, clock, &first).await.expect("renewed"));
        assert!(next().await.is_none(), "it is leased again");
        app.clock.forward(LEASE + Duration::from_secs(1));
        let second = next().await.expect("its lease is over");
        assert!(!upload::claim::renew(database, clock, &first).await.expect("no error"));
        let wait = Duration::from_secs(60);
        upload::finish::reschedule(database, clock, &second, "a failure of ours", wait).await.expect("rescheduled");
        assert!(next().await.is_none(), "it is not due");
        app.clock.forward(wait + Duration::from_secs(1));
        assert_eq!(next().await.map(|third| (third.claim, third.attempts)), Some((3, 1)));
    }
}
