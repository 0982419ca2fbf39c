//! Attempts, processes, lanes, uploads and partitions.

use std::time::Duration;

use domain::{
    clock::Millis,
    delivery::Channel,
    id::{ProcessId, UploadId},
    notification::UNPROVEN_PUSH_LANE,
};
use entity::{
    attempt, lane, partition,
    partition::{ahead::Tried, days::Dropped},
    process,
    scope::Scope,
    upload,
};
use platform::database::Pool;
use testkit::on_both_shapes;
use uuid::Uuid;

use crate::rows::{self, insert};

on_both_shapes! {
    async fn attempts_are_counted_by_the_second_in_which_they_started(app: TestApp) {
        let (db, now) = (app.context.database.writer(), app.clock.now());
        let second = Millis(now.seconds() * 1_000 - 2_000);
        let delivery = Uuid::now_v7();
        for (number, status) in [(1, 200), (2, 503), (3, 503)] {
            insert(db, rows::answered(delivery, number, status, second)).await.expect("an attempt");
        }
        let (event, endpoint) = (rows::event("x", "{}", second), rows::endpoint("https://example.com/", second));
        let mut kept = rows::finished(rows::delivery(&event, &endpoint), "succeeded", None);
        kept.started_at = Some(second.0);
        insert(db, kept).await.expect("a finished delivery");
        let since = Millis(second.0 - 1_000);
        let look = attempt::rates::per_second(&app.context.database, since).await.expect("counted");
        assert_eq!(look.complete_from, since.seconds() + 1);
        let counted: Vec<_> = look.seconds.iter().map(|row| (row.at_second, row.attempts, row.delivered)).collect();
        assert_eq!(counted, [(second.seconds(), 4, 2)]);
        let later = attempt::rates::per_second(&app.context.database, Millis(now.0 + 1_000)).await.expect("counted");
        assert!(later.seconds.is_empty());
    }

    async fn a_process_is_listed_while_it_beats_lost_when_it_is_silent_and_then_forgotten(app: TestApp) {
        let (database, now) = (&app.context.database, app.clock.now());
        let first = rows::worker("worker:1", 3, now);
        process::queries::beat(database, first.clone()).await.expect("a beat");
        let beaten = process::Model { in_flight: 5, seen_at: now.0 + 1, name: "not taken".to_owned(), ..first.clone() };
        process::queries::beat(database, beaten).await.expect("a second beat");
        let silent = rows::worker("worker:2", 0, Millis(now.0 - 20_000));
        process::queries::beat(database, silent.clone()).await.expect("a beat");
        let listed = process::queries::listed(database, now).await.expect("read");
        let seen = |name: &str| listed.iter().find(|process| process.said.name == name).expect("listed");
        assert_eq!((seen("worker:1").lost, seen("worker:1").said.in_flight), (false, 5));
        assert!(seen("worker:2").lost);
        assert_eq!(process::queries::alive(database, now).await.expect("counted"), 1);
        process::queries::forget(database, now).await.expect("forgotten");
        let left = process::queries::listed(database, now).await.expect("read");
        assert_eq!(left.iter().map(|process| process.said.id).collect::<Vec<_>>(), [first.id]);
        process::queries::remove(database, ProcessId(first.id)).await.expect("removed");
        assert!(process::queries::listed(database, now).await.expect("read").is_empty());
    }

    async fn broken_lanes_are_walked_by_id_and_unused_ones_removed(app: TestApp) {
        let (database, now) = (&app.context.database, app.clock.now());
        let db = database.writer();
        let mut endpoints: Vec<_> = (0..3).map(|n| rows::endpoint(&format!("https://example.com/{n}"), now)).collect();
        endpoints.sort_by_key(|endpoint| endpoint.id);
        for (endpoint, breaker_until) in endpoints.iter().zip([1, 0, 1]) {
            insert(db, lane::Model { breaker_until, resumed_at: 7, ..rows::lane(endpoint) }).await.expect("a lane");
        }
        let own = entity::endpoint::Model { retry_schedule: Some("[1]".to_owned()), ..endpoints[0].clone() };
        insert(db, own).await.expect("an endpoint");
        let broken = lane::queries::broken(database, Uuid::nil(), 10).await.expect("read");
        let expected = [(endpoints[0].id, 7, Some("[1]")), (endpoints[2].id, 7, None)];
        let found: Vec<_> =
            broken.iter().map(|lane| (lane.id, lane.resumed_at, lane.retry_schedule.as_deref())).collect();
        assert_eq!(found, expected);
        let rest = lane::queries::broken(database, endpoints[0].id, 10).await.expect("read");
        assert_eq!(rest, broken[1..]);

        let push = |id| lane::Model { id, channel: Channel::WebPush.as_str().to_owned(), ..rows::lane(&endpoints[0]) };
        for _ in 0..3 {
            insert(db, push(Uuid::now_v7())).await.expect("a lane");
        }
        assert_eq!(lane::queries::remove_unused(database, 2).await.expect("removed"), 2);
        assert_eq!(lane::queries::remove_unused(database, 2).await.expect("removed"), 1);
        assert_eq!(lane::queries::remove_unused(database, 2).await.expect("removed"), 0, "{UNPROVEN_PUSH_LANE} stays");
    }

    async fn an_upload_is_found_with_the_address_of_its_endpoint(app: TestApp) {
        let (database, now) = (&app.context.database, app.clock.now());
        let endpoint = rows::endpoint("https://example.com/hook", now);
        let upload = rows::upload(&endpoint, "picture.png", now);
        insert(database.writer(), upload.clone()).await.expect("an upload");
        let id = UploadId(upload.id);
        let found = upload::queries::find_with_url(database, id).await.expect("read");
        assert_eq!(found, Some((upload.clone(), None)));
        insert(database.writer(), rows::lane(&endpoint)).await.expect("a lane");
        insert(database.writer(), endpoint.clone()).await.expect("an endpoint");
        let found = upload::queries::find_with_url(database, id).await.expect("read");
        assert_eq!(found, Some((upload.clone(), Some(endpoint.url))));
        assert_eq!(upload::queries::find_with_url(database, UploadId::new()).await.expect("read"), None);
        let of = async |scope| upload::queries::find(database, scope, id).await.expect("read");
        assert_eq!(of(Scope::Everyone).await, Some(upload.clone()));
        assert_eq!(of(Scope::User(domain::id::UserId(upload.user_id))).await, Some(upload.clone()));
        assert_eq!(of(Scope::User(domain::id::UserId(99))).await, None);
        let known = upload::queries::known(database, &[id, UploadId::new()]).await.expect("read");
        assert_eq!(known.into_iter().collect::<Vec<_>>(), [upload.id]);
    }

    async fn partitions_are_made_ahead_and_dropped_when_nothing_is_unfinished(app: TestApp) {
        let database = &app.context.database;
        let missing = partition::ahead::missing(database, 9).await.expect("read");
        let now = database.now(&app.clock).await.expect("a time");
        let cutoff = now + Duration::from_secs(3 * 24 * 3_600);
        let days = partition::days::days_before(database, cutoff).await.expect("read");
        if let Pool::Sqlite(_) = database.pool() {
            assert!(missing.is_empty() && days.is_empty());
            return;
        }
        assert!(missing.len() >= 3, "{missing:?}");
        for partition in &missing {
            assert_eq!(partition::ahead::try_to_make(database, partition).await.expect("tried"), Tried::Made);
        }
        assert!(partition::ahead::missing(database, 9).await.expect("read").is_empty());
        let again = partition::ahead::try_to_make(database, &missing[0]).await.expect("tried");
        assert_eq!(again, Tried::Elsewhere);

        let endpoint = rows::endpoint("https://example.com/", now);
        let open = rows::delivery(&rows::event("x", "{}", now), &endpoint);
        insert(database.writer(), open).await.expect("a delivery");
        let dropped = async |day| partition::days::drop_day(database, day).await.expect("tried");
        let name = |at: Millis| at.rfc3339()[..10].replace('-', "");
        let named = |name: String| days.iter().find(|day| day.name() == name).expect("a day");
        let (today, tomorrow) = (named(name(now)), named(name(now + Duration::from_secs(24 * 3_600))));
        assert_eq!(dropped(today).await, Dropped::Unfinished);
        assert_eq!(dropped(tomorrow).await, Dropped::Yes);
        assert!(!partition::days::days_before(database, cutoff).await.expect("read").contains(tomorrow));
    }
}
