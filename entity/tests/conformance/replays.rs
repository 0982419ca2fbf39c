//! Replays and the sets of deliveries that they are about.

use domain::{
    clock::Millis,
    delivery::DeliveryState,
    id::{ReplayId, UserId},
    replay::ReplayState,
};
use entity::{
    replay,
    replay::queries::{Candidate, Set},
    scope::Scope,
};
use testkit::on_both_shapes;
use uuid::Uuid;

use crate::{
    read,
    rows::{self, insert},
};

const OWNER: Scope = Scope::User(UserId(1));

fn row(user_id: Option<i64>, state: ReplayState) -> replay::Model {
    replay::Model {
        id: Uuid::now_v7(),
        state: state.as_str().to_owned(),
        user_id,
        endpoint_id: None,
        of_state: "dead".to_owned(),
        event_type: None,
        since: None,
        until: None,
        rate: 10,
        next_at: 0,
        cursor: Uuid::nil(),
        bound: Uuid::max(),
        total: 3,
        done: 0,
        skipped: 0,
        created_at: i64::MAX,
        finished_at: None,
    }
}

on_both_shapes! {
    async fn the_set_of_dead_deliveries_reaches_over_both_tables(app: TestApp) {
        let (db, now) = (app.context.database.writer(), app.clock.now());
        let (endpoint, event) = (rows::endpoint("https://example.com/", now), rows::event("upload file", "{}", now));
        insert(db, rows::lane(&endpoint)).await.expect("a lane");
        insert(db, event.clone()).await.expect("an event");
        let gone = rows::event("long gone", "{}", Millis(now.0 - 40 * 24 * 3_600_000));
        let letter = rows::delivery(&gone, &endpoint);
        insert(db, rows::dead_letter(letter.clone(), &gone, "gone")).await.expect("a letter");
        let [dead, arrived] = ["dead", "succeeded"].map(|state| rows::finished(rows::delivery(&event, &endpoint), state, None));
        let without_event = rows::finished(rows::delivery(&rows::event("x", "{}", now), &endpoint), "dead", None);
        for finished in [&dead, &arrived, &without_event] {
            insert(db, finished.clone()).await.expect("a finished delivery");
        }
        let set = Set::rest_of(&row(None, ReplayState::Running)).expect("a set");
        let members: Vec<Candidate> = read(&app, &set.candidates(10)).await;
        let mut expected = [(letter.id, true), (dead.id, true), (without_event.id, false)];
        expected.sort();
        assert_eq!(members.iter().map(|one| (one.id, one.alive)).collect::<Vec<_>>(), expected);
        let count = async |set: &Set, most| -> i64 {
            let counted: Vec<(i64,)> = read(&app, &set.count(most)).await;
            counted[0].0
        };
        assert_eq!((count(&set, 10).await, count(&set, 2).await), (3, 2));
        let typed = Set { event_type: Some("long gone".to_owned()), ..set.clone() };
        assert_eq!(count(&typed, 10).await, 1);
        let arrived = Set { of_state: DeliveryState::Succeeded, ..set.clone() };
        assert_eq!(count(&arrived, 10).await, 1);
        let other = Set { user_id: Some(UserId(2)), ..set };
        assert_eq!(count(&other, 10).await, 0);
    }

    async fn a_replay_is_found_by_its_owner_and_turned_once(app: TestApp) {
        let database = &app.context.database;
        let mut mine = [row(Some(1), ReplayState::Running), row(Some(1), ReplayState::Done)];
        mine.sort_by_key(|row| std::cmp::Reverse(row.id));
        let all = row(None, ReplayState::Paused);
        for one in mine.iter().chain([&all]) {
            replay::queries::insert(database, one.clone()).await.expect("a replay");
        }
        let id = ReplayId(all.id);
        assert_eq!(replay::queries::find(database, OWNER, id).await.expect("read"), None);
        assert_eq!(replay::queries::find(database, Scope::Everyone, id).await.expect("read"), Some(all.clone()));
        assert_eq!(replay::queries::page(database, OWNER, None, 10).await.expect("read"), mine);
        let before = Some(ReplayId(mine[0].id));
        assert_eq!(replay::queries::page(database, OWNER, before, 10).await.expect("read"), mine[1..]);
        assert_eq!(replay::queries::unfinished(database, Some(UserId(1))).await.expect("counted"), 1);
        assert_eq!(replay::queries::unfinished(database, None).await.expect("counted"), 1);
        let cancel = async || {
            let from = [ReplayState::Running, ReplayState::Paused];
            let turned = replay::queries::turn(database, Scope::Everyone, id, &from, ReplayState::Cancelled, Some(Millis(9)));
            turned.await.expect("turned")
        };
        assert!(cancel().await);
        assert!(!cancel().await);
        let found = replay::queries::find(database, Scope::Everyone, id).await.expect("read").expect("found");
        assert_eq!((found.state.as_str(), found.finished_at), ("cancelled", Some(9)));
    }
}
