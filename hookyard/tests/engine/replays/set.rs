//! Which deliveries a replay delivers again: what its filter lets through, what is skipped, and never its own.

use super::*;

on_both_shapes! {
    async fn a_replay_never_meets_what_came_of_itself(app: TestApp) {
        let (_receiver, endpoint) = hooked(&app).await;
        dead_letters(&app, endpoint, 5).await;
        let id = start(&app, json!({"rate_per_second": 2})).await;
        assert!(step(&app.context).await.expect("a step"));
        let mut buried = HashSet::new();
        for _ in 0..20 {
            app.clock.forward(Duration::from_secs(2));
            let ids: Vec<_> = under_way(&app).await.iter().map(|row| row.id).collect();
            buried.extend(ids.iter().copied());
            let claimed = app.claim(&ids).await;
            record(&app, claimed.into_iter().map(|one| ended(one, NextStep::DeadLetter(DeadReason::Rejected))).collect()).await;
            step(&app.context).await.expect("a step");
        }
        assert_eq!(progress(&app, id).await, ("done".into(), 5, 5, 0));
        assert_eq!(buried.len(), 5, "each once");
        assert_eq!(total(&app, json!({"dry_run": true})).await, 10, "the next one would take them in");
    }

    async fn what_cannot_be_delivered_again_is_skipped_and_counted(app: TestApp) {
        let (_one, kept) = hooked(&app).await;
        let (_other, deleted) = hooked(&app).await;
        dead_letters(&app, deleted, 4).await;
        dead_letters(&app, kept, 3).await;
        let now = app.context.database.now(&app.clock).await.expect("the time");
        let of_nothing = letter(EventId::new(), kept, now);
        finished_delivery::Entity::insert(of_nothing).exec_without_returning(app.context.database.writer()).await.expect("a row");
        let id = start(&app, json!({})).await;
        let hex = deleted.0.simple();
        let literal = if app.context.config.redis_url.is_some() || matches!(app.context.database.pool(), platform::database::Pool::Postgres(_)) { format!("'{hex}'") } else { format!("x'{hex}'") };
        execute(&app, &format!("UPDATE lane SET state = 'deleted' WHERE id = {literal}")).await;
        work_off(&app).await;
        assert_eq!(progress(&app, id).await, ("done".into(), 8, 3, 5));
        assert!(under_way(&app).await.iter().all(|row| row.lane_id == kept.0));
    }

    async fn what_left_the_set_meanwhile_is_skipped_and_old_dead_letters_belong_to_it(app: TestApp) {
        let (_receiver, endpoint) = hooked(&app).await;
        dead_letters(&app, endpoint, 6).await;
        execute(&app, "INSERT INTO dead_letter (id, event_id, user_id, lane_id, channel, recipient_id, event_type, body, reason, position, attempts, claim, created_at, finished_at)
            SELECT f.id, f.event_id, f.user_id, f.lane_id, f.channel, f.recipient_id, e.event_type, e.body, f.reason, f.position, f.attempts, f.claim, f.created_at, f.finished_at
            FROM finished_delivery f JOIN event e ON e.id = f.event_id ORDER BY f.id LIMIT 2").await;
        execute(&app, "DELETE FROM finished_delivery WHERE id IN (SELECT id FROM dead_letter)").await;
        let id = start(&app, json!({"filter": {"type": "upload file"}})).await;
        assert_eq!(progress(&app, id).await, ("running".into(), 6, 0, 0));
        let last = finished_delivery::Entity::find().order_by_desc(finished_delivery::Column::Id);
        let last = last.one(app.context.database.reader()).await.expect("a look").expect("a row").id;
        let retried = app.http.post(format!("{}/v1/deliveries/{last}/retry", app.base)).send().await.expect("an answer");
        assert_eq!(retried.status(), 200);
        work_off(&app).await;
        assert_eq!(progress(&app, id).await, ("done".into(), 6, 5, 1));
        let made = under_way(&app).await;
        assert_eq!((made.len(), made.iter().filter(|row| row.body.is_some()).count()), (6, 2));
    }

    async fn each_filter_narrows_the_set(app: TestApp) {
        let (_one, endpoint) = hooked(&app).await;
        dead_letters(&app, endpoint, 3).await;
        let count = async |filter: Value| total(&app, json!({"filter": filter, "dry_run": true})).await;
        let (before, after) = (Millis(app.clock.now().0 - 60_000), Millis(app.clock.now().0 + 60_000));
        for (filter, wanted) in [
            (json!({}), 3),
            (json!({"state": "dead"}), 3),
            (json!({"state": "succeeded"}), 0),
            (json!({"state": "cancelled"}), 0),
            (json!({"user_id": 1}), 3),
            (json!({"user_id": 2}), 0),
            (json!({"endpoint_id": endpoint}), 3),
            (json!({"endpoint_id": EndpointId::new()}), 0),
            (json!({"type": "upload file"}), 3),
            (json!({"type": "invoice.paid"}), 0),
            (json!({"since": before.rfc3339(), "until": after.rfc3339()}), 3),
            (json!({"since": after.rfc3339()}), 0),
            (json!({"until": before.rfc3339()}), 0),
        ] {
            assert_eq!(count(filter.clone()).await, wanted, "{filter}");
        }
        assert_eq!(under_way(&app).await, [], "a dry run makes nothing");
    }
}
