//! The life of an endpoint: created, changed, paused and resumed, its keys replaced, deleted.

use domain::{
    clock::Millis,
    event_type::EventTypeRef,
    id::{EndpointId, EventTypeId, UserId},
};
use entity::{
    endpoint,
    endpoint::{change::Change, create::NewEndpoint, event_types::WriteError, view::EndpointView},
    scope::Scope,
};
use testkit::{TestApp, on_both_shapes};

use crate::rows;

const OWNER: Scope = Scope::User(UserId(1));
const STRANGER: Scope = Scope::User(UserId(2));

fn named(name: &str) -> EventTypeRef {
    EventTypeRef::Name(name.parse().expect("a name"))
}

fn new(app: &TestApp, event_types: Vec<EventTypeRef>) -> NewEndpoint {
    let row = rows::endpoint("https://example.com/", app.clock.now());
    NewEndpoint { row, rate_limit: Some(5), max_in_flight: None, event_types }
}

async fn created(app: &TestApp, event_types: Vec<EventTypeRef>) -> EndpointView {
    let view =
        endpoint::create::create_and_view(&app.context.database, &app.clock, new(app, event_types)).await;
    view.expect("created").expect("seen")
}

on_both_shapes! {
    async fn an_endpoint_is_created_with_its_lane_and_its_types_or_not_at_all(app: TestApp) {
        let database = &app.context.database;
        app.event_type("made").await;
        let view = created(&app, vec![named("made")]).await;
        assert_eq!((view.lane.rate_limit, view.event_types.as_slice()), (Some(5), &["made".to_owned()][..]));
        let missing = new(&app, vec![named("made"), named("missing")]);
        let id = EndpointId(missing.row.id);
        let refused = endpoint::create::create(database, missing).await;
        assert!(matches!(&refused, Err(WriteError::UnknownTypes(at)) if at == &[1]), "{refused:?}");
        assert_eq!(endpoint::queries::find(database, OWNER, id).await.expect("read"), None);
        let fine = new(&app, vec![]);
        let id = EndpointId(fine.row.id);
        endpoint::create::create(database, fine).await.expect("created");
        assert!(endpoint::queries::find(database, OWNER, id).await.expect("read").is_some());
        let asked = [EventTypeRef::Id(EventTypeId::new()), named("made"), named("missing")];
        assert_eq!(endpoint::event_types::unknown(database, &asked).await.expect("read"), [0, 2]);
    }

    async fn a_change_writes_what_it_names_and_nothing_else(app: TestApp) {
        let database = &app.context.database;
        app.event_type("one").await;
        app.event_type("other").await;
        let before = created(&app, vec![named("one")]).await;
        let id = EndpointId(before.endpoint.id);
        let change = async |scope, change: Change| {
            endpoint::change::change::<WriteError>(database, &app.clock, scope, id, |_| Ok(change)).await
        };
        let changed = Change {
            description: Some("new".to_owned()),
            rate_limit: Some(None),
            max_in_flight: Some(Some(2)),
            event_types: Some(vec![named("other")]),
            ..Change::default()
        };
        let after = change(OWNER, changed).await.expect("changed").expect("seen");
        assert_eq!(after.event_types, ["other"]);
        assert_eq!((after.lane.rate_limit, after.lane.max_in_flight), (None, Some(2)));
        assert_eq!((after.endpoint.description.as_str(), &after.endpoint.url), ("new", &before.endpoint.url));
        assert!(after.endpoint.updated_at > before.endpoint.updated_at);
        let same = change(OWNER, Change::default()).await.expect("changed").expect("seen");
        assert_eq!(same.endpoint, after.endpoint);
        assert!(change(STRANGER, Change::default()).await.expect("no error").is_none());
    }

    async fn a_paused_endpoint_is_resumed_and_a_deleted_one_is_gone(app: TestApp) {
        let (database, clock) = (&app.context.database, &app.clock);
        let id = EndpointId(created(&app, vec![]).await.endpoint.id);
        let paused = endpoint::pause::pause(database, clock, OWNER, id).await.expect("paused").expect("seen");
        assert!(paused.lane.state == "paused" && paused.lane.off_since > 0);
        let resumed = endpoint::pause::resume(database, clock, OWNER, id).await.expect("resumed").expect("seen");
        assert_eq!((resumed.lane.state.as_str(), resumed.lane.off_since), ("active", 0));
        assert!(resumed.lane.resumed_at >= paused.lane.off_since);
        assert!(endpoint::pause::pause(database, clock, STRANGER, id).await.expect("no error").is_none());
        assert!(!endpoint::delete::delete(database, clock, STRANGER, id).await.expect("no error"));
        assert!(endpoint::delete::delete(database, clock, OWNER, id).await.expect("deleted"));
        assert!(!endpoint::delete::delete(database, clock, OWNER, id).await.expect("no error"));
        assert!(endpoint::pause::resume(database, clock, OWNER, id).await.expect("no error").is_none());
    }

    async fn keys_are_replaced_only_where_they_are_what_they_were(app: TestApp) {
        let (database, clock) = (&app.context.database, &app.clock);
        let old = created(&app, vec![]).await.endpoint;
        let id = EndpointId(old.id);
        let find = async |scope| endpoint::secret::find(database, scope, id).await.expect("read");
        assert_eq!(find(OWNER).await, Some(old.clone()));
        assert_eq!(find(STRANGER).await, None);
        let later = Millis(old.updated_at + 7);
        let replace = async |old, key| endpoint::secret::replace(database, old, vec![key], later).await.expect("tried");
        assert!(replace(&old, 8).await);
        assert!(!replace(&old, 9).await, "it has another key by now");
        let new = find(OWNER).await.expect("found");
        assert_eq!((new.sealed_secret.as_slice(), new.updated_at), (&[8][..], later.0));
        assert!(endpoint::delete::delete(database, clock, OWNER, id).await.expect("deleted"));
        assert_eq!(find(OWNER).await, None);
        assert!(!replace(&endpoint::Model { sealed_secret: vec![], ..new }, 9).await, "it is deleted");
    }
}
