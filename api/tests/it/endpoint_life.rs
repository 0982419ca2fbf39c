//! Pause, resume and delete: what they leave in the rows, also when they meet.

use domain::id::EndpointId;
use entity::{endpoint, lane};
use futures_util::future::join_all;
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait,
};
use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    endpoints::{valid, with},
    harness::TestApi,
};

const MISSING: &str = "/v1/endpoints/441a53ea-93d1-4a87-9b99-ac20616458c3";

async fn lane(api: &TestApi, path: &str) -> lane::Model {
    let found = lane::Entity::find_by_id(id(path).0).one(api.context.database.writer()).await;
    found.expect("read").expect("a lane")
}

async fn set(api: &TestApi, path: &str, change: lane::ActiveModel) {
    let change = lane::ActiveModel { id: Unchanged(id(path).0), ..change };
    lane::Entity::update(change).exec(api.context.database.writer()).await.expect("changed");
}

fn id(path: &str) -> EndpointId {
    path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

async fn switched(api: &TestApi, path: &str, how: &str) -> Value {
    let answer = api.post(&format!("{path}/{how}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Near now, by a clock that may be the server's.
fn is_now(api: &TestApi, at: i64) -> bool {
    (api.context.clock.now().0 - at).abs() < 20_000
}

fn disabled(since: i64) -> lane::ActiveModel {
    lane::ActiveModel {
        state: Set("disabled".into()),
        off_since: Set(since),
        off_reason: Set(Some("gone".into())),
        failures: Set(10),
        failing_since: Set(5),
        breaker_until: Set(7),
        breaker_wait: Set(30_000),
        blocked_until: Set(9),
        tell_owner: Set(true),
        ..Default::default()
    }
}

on_both_databases! {
    async fn pausing_again_keeps_the_first_pause_time(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        let reply = switched(&api, &path, "pause").await;
        assert_eq!((&reply["state"], &reply["disabled_reason"]), (&json!("paused"), &json!(null)));
        let first = lane(&api, &path).await;
        assert!(is_now(&api, first.off_since), "{first:?}");
        set(&api, &path, lane::ActiveModel { off_since: Set(5), ..Default::default() }).await;
        assert_eq!(switched(&api, &path, "pause").await, reply);
        assert_eq!(lane(&api, &path).await.off_since, 5, "asked again, nothing changes");
        assert_eq!(api.get(&path).await.json(), reply);
        api.post(&format!("{MISSING}/pause")).await.problem(404, "not_found");
    }

    async fn resuming_resets_the_failure_state(api: TestApi) {
        let path = api.endpoint_path(&with("rate_limit", json!(5))).await;
        set(&api, &path, disabled(5)).await;
        let reply = api.get(&path).await.json();
        assert_eq!((&reply["state"], &reply["disabled_reason"]), (&json!("disabled"), &json!("gone")));
        let reply = switched(&api, &path, "resume").await;
        assert_eq!(
            (&reply["state"], &reply["disabled_reason"], &reply["breaker"]),
            (&json!("active"), &json!(null), &json!("closed"))
        );
        let after = lane(&api, &path).await;
        assert!(is_now(&api, after.resumed_at), "{after:?}");
        let fresh = lane::Model {
            id: after.id, channel: "webhook".into(), state: "active".into(), blocked_until: 0,
            backlog_until: 0, rate_limit: Some(5), max_in_flight: None, failures: 0, failing_since: 0,
            succeeded_at: 0, breaker_until: 0, breaker_wait: 0, off_since: 0, off_reason: None,
            resumed_at: after.resumed_at, drain_before: after.resumed_at, rate_slot_us: 0, tell_owner: false,
        };
        assert_eq!(after, fresh);
        assert_eq!(switched(&api, &path, "resume").await, reply);
        assert_eq!(lane(&api, &path).await, after, "asked again, nothing changes");
        api.post(&format!("{MISSING}/resume")).await.problem(404, "not_found");
    }

    async fn resuming_an_active_endpoint_closes_its_breaker(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        let later = api.context.clock.now().0 + 3_600_000;
        for (until, shown) in [(later, "open"), (1, "half_open")] {
            let open = lane::ActiveModel { breaker_until: Set(until), failures: Set(10), ..Default::default() };
            set(&api, &path, open).await;
            assert_eq!(api.get(&path).await.json()["breaker"], shown);
        }
        assert_eq!(switched(&api, &path, "resume").await["breaker"], "closed");
        let after = lane(&api, &path).await;
        assert_eq!((after.failures, after.breaker_until), (0, 0));
        assert!(is_now(&api, after.drain_before));
    }

    async fn a_breaker_follows_the_databases_clock(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        let until = api.context.clock.now().0 + 60_000;
        set(&api, &path, lane::ActiveModel { breaker_until: Set(until), ..Default::default() }).await;
        assert_eq!(api.get(&path).await.json()["breaker"], "open");
        api.context.clock.forward(std::time::Duration::from_secs(61));
        assert_eq!(api.get(&path).await.json()["breaker"], "half_open");
    }

    async fn pausing_a_disabled_endpoint_does_not_extend_its_held_time(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        set(&api, &path, disabled(5)).await;
        assert_eq!(switched(&api, &path, "pause").await["state"], "paused");
        let after = lane(&api, &path).await;
        assert_eq!((after.off_since, after.off_reason, after.tell_owner), (5, None, true));
    }

    async fn concurrent_pause_and_resume_leave_a_consistent_state(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        for _ in 0..10 {
            let asks = ["pause", "resume", "pause", "resume"].map(|how| format!("{path}/{how}"));
            for (answer, how) in join_all(asks.iter().map(|ask| api.post(ask))).await.iter().zip(&asks) {
                let wanted = if how.ends_with("pause") { "paused" } else { "active" };
                assert_eq!((answer.status, &answer.json()["state"]), (200, &json!(wanted)), "{answer:?}");
            }
            let row = lane(&api, &path).await;
            assert_eq!(row.state == "active", row.off_since == 0, "{row:?}");
            assert_eq!(api.get(&path).await.json()["state"], row.state);
        }
    }

    async fn a_deleted_endpoint_is_404_and_its_secrets_are_erased(api: TestApi) {
        let path = api.endpoint_path(&with("custom_headers", json!({"authorization": "x"}))).await;
        let answer = api.delete(&path).await;
        assert_eq!((answer.status, answer.text()), (204, ""));
        for answer in [
            api.get(&path).await, api.get(&format!("{path}/secret")).await, api.delete(&path).await,
            api.patch(&path, &json!({"description": "x"})).await, api.post(&format!("{path}/pause")).await,
            api.post(&format!("{path}/resume")).await,
        ] {
            answer.problem(404, "not_found");
        }
        let upload = format!("/upload_file/webhook_id/{}", id(&path));
        let multipart = [("content-type", "multipart/form-data; boundary=b")];
        let file = b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
        api.send("POST", &upload, &multipart, file).await.refused(404);
        assert_eq!(api.get("/v1/endpoints").await.json()["data"], json!([]));
        let db = api.context.database.writer();
        let row = endpoint::Entity::find_by_id(id(&path).0).one(db).await.expect("read").expect("history");
        assert_eq!((row.sealed_secret.len(), &row.sealed_headers, row.url.as_str()), (0, &None, "https://hooks.test/in"));
        let lane = lane(&api, &path).await;
        assert!(lane.state == "deleted" && is_now(&api, lane.off_since) && row.updated_at > row.created_at);
        assert_eq!(api.count("endpoint_event_type").await, 0);
        api.delete(MISSING).await.problem(404, "not_found");
    }

    async fn of_many_concurrent_deletes_one_succeeds(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        let asks = join_all((0..4).map(|_| api.delete(&path))).await;
        let mut statuses: Vec<u16> = asks.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404, 404, 404]);
        let resumed = api.post(&format!("{path}/resume")).await;
        resumed.problem(404, "not_found");
        assert_eq!(lane(&api, &path).await.state, "deleted");
        assert_eq!(lane(&api, &path).await.resumed_at, 0);
    }
}
