//! What users own and are shown: endpoints, event types, events, the error log.

use domain::{
    delivery::LaneState,
    event_type::EventTypeRef,
    id::{EndpointId, ErrorId, EventId, EventTypeId, UserId},
};
use entity::{endpoint, endpoint::queries::Filter, error_log, event, event_type, lane, scope::Scope};
use testkit::{TestApp, on_both_shapes};

use crate::rows::{self, insert};

const OWNER: Scope = Scope::User(UserId(1));
const STRANGER: Scope = Scope::User(UserId(2));

async fn endpoint(app: &TestApp, state: LaneState) -> endpoint::Model {
    let (db, row) = (app.context.database.writer(), rows::endpoint("https://example.com/", app.clock.now()));
    insert(db, lane::Model { state: state.as_str().to_owned(), ..rows::lane(&row) }).await.expect("a lane");
    insert(db, row.clone()).await.expect("an endpoint");
    row
}

on_both_shapes! {
    async fn endpoints_are_shown_to_their_owner_until_they_are_deleted(app: TestApp) {
        let database = &app.context.database;
        let (active, paused) = (endpoint(&app, LaneState::Active).await, endpoint(&app, LaneState::Paused).await);
        let deleted = endpoint(&app, LaneState::Deleted).await;
        let id = EndpointId(active.id);
        let found = async |scope, id| endpoint::queries::find(database, scope, id).await.expect("read");
        assert_eq!(found(OWNER, id).await, Some(active.clone()));
        assert_eq!(found(STRANGER, id).await, None);
        assert_eq!(found(Scope::Everyone, EndpointId(deleted.id)).await, None);
        let page = async |filter| {
            let page = endpoint::view::page(database, &app.clock, OWNER, filter, 10).await.expect("read");
            page.into_iter().map(|view| view.endpoint.id).collect::<Vec<_>>()
        };
        let mut newest_first = [active.id, paused.id];
        newest_first.sort_by(|one, other| other.cmp(one));
        assert_eq!(page(Filter::default()).await, newest_first);
        assert_eq!(page(Filter { state: Some(LaneState::Paused), ..Filter::default() }).await, [paused.id]);
        assert!(page(Filter { user: Some(UserId(2)), ..Filter::default() }).await.is_empty());
        let before = Some(EndpointId(newest_first[0]));
        assert_eq!(page(Filter { before, ..Filter::default() }).await, newest_first[1..]);
        let types = app.event_type("conformance").await;
        let registered = entity::endpoint_event_type::Model { event_type_id: types.0, endpoint_id: id.0, user_id: 1 };
        insert(database.writer(), registered).await.expect("registered");
        let view = endpoint::view::find(database, &app.clock, OWNER, id).await.expect("read").expect("found");
        assert_eq!((view.lane.id, view.event_types), (id.0, vec!["conformance".to_owned()]));
        assert!((view.now.0 - app.clock.now().0).abs() < 60_000);
        let none = endpoint::view::find(database, &app.clock, STRANGER, id).await.expect("read");
        assert!(none.is_none());
    }

    async fn event_types_are_found_by_name_and_by_id(app: TestApp) {
        let database = &app.context.database;
        let (first, second) = (app.event_type("zz first").await, app.event_type("zz second").await);
        let by_name = event_type::queries::by_name(database).await.expect("read");
        let mine: Vec<_> = by_name.iter().filter(|one| one.name.starts_with("zz")).map(|one| one.id).collect();
        assert_eq!(mine, [first.0, second.0]);
        let page = event_type::queries::page(database, None, 100).await.expect("read");
        assert!(page.is_sorted_by_key(|one| std::cmp::Reverse(one.id)) && page.len() > 2);
        let page = event_type::queries::page(database, Some(second), 1).await.expect("read");
        assert_eq!(page.iter().map(|one| one.id).collect::<Vec<_>>(), [first.0]);
        let asked = [EventTypeRef::Id(first), EventTypeRef::Name("zz second".parse().expect("a name")), EventTypeRef::Id(EventTypeId::new())];
        let named = event_type::queries::named(database, &asked).await.expect("read");
        assert_eq!(named.iter().map(|one| one.id).collect::<Vec<_>>(), [first.0, second.0]);
        let rival = event_type::Model { id: EventTypeId::new().0, ..named[0].clone() };
        assert!(!event_type::queries::insert(database, rival.clone()).await.expect("no error"), "its name is taken");
        let other = event_type::Model { name: "zz third".to_owned(), ..rival };
        assert!(event_type::queries::insert(database, other).await.expect("inserted"));
    }

    async fn an_event_shows_its_deliveries_and_the_endpoints_that_got_none(app: TestApp) {
        let (database, now) = (&app.context.database, app.clock.now());
        let (reached, left_out) = (endpoint(&app, LaneState::Active).await, endpoint(&app, LaneState::Paused).await);
        let row = rows::event("upload file", "{}", now);
        insert(database.writer(), row.clone()).await.expect("an event");
        let open = rows::delivery(&row, &reached);
        insert(database.writer(), open.clone()).await.expect("a delivery");
        let dead = rows::delivery(&row, &reached);
        insert(database.writer(), rows::finished(dead.clone(), "dead", Some("gone"))).await.expect("a dead one");
        let letter = rows::delivery(&row, &reached);
        insert(database.writer(), rows::dead_letter(letter.clone(), &row, "gone")).await.expect("a letter");
        let id = EventId(row.id);
        let found = async |scope| event::queries::find(database, scope, id).await.expect("read");
        assert_eq!(found(OWNER).await, Some(row.clone()));
        assert_eq!(found(STRANGER).await, None);
        let time = database.statement_time(&app.clock);
        let deliveries = event::queries::deliveries(database, id, time, 10).await.expect("read");
        let mut expected = [(open.id, None), (dead.id, Some("dead")), (letter.id, Some("dead"))];
        expected.sort();
        let listed: Vec<_> = deliveries.iter().map(|one| (one.id, one.state.as_deref())).collect();
        assert_eq!(listed, expected);
        assert!(deliveries.iter().all(|one| (one.now - now.0).abs() < 60_000));
        let without = event::queries::endpoints_without(database, UserId(1), &row, 10).await.expect("read");
        let without: Vec<_> = without.iter().map(|one| (one.id, one.lane_state.as_str(), one.registrations)).collect();
        assert_eq!(without, [(left_out.id, "paused", 0)]);
    }

    async fn the_error_log_is_read_newest_first_by_those_who_may(app: TestApp) {
        let (database, now) = (&app.context.database, app.clock.now());
        let mut lines: Vec<_> = (1..=3).map(|n| rows::error(uuid::Uuid::now_v7(), "answered 503", n, None, now)).collect();
        for line in &lines {
            insert(database.writer(), line.clone()).await.expect("a line");
        }
        lines.sort_by_key(|row| std::cmp::Reverse(row.id));
        let page = async |scope, before| error_log::queries::page(database, scope, before, 2).await.expect("read");
        assert_eq!(page(OWNER, None).await, lines[..2]);
        assert_eq!(page(Scope::Everyone, Some(ErrorId(lines[1].id))).await, lines[2..]);
        assert!(page(STRANGER, None).await.is_empty());
    }
}
