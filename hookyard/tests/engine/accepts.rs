//! Accept: everything answered with 2xx is stored, and users do not affect each other.

use std::sync::Arc;

use api::accept::{AcceptError, NewEvent, NewUpload};
use domain::id::{EndpointId, EventId, UploadId, UserId};
use serde_json::{json, value::RawValue};
use testkit::{Receiver, on_both_shapes};

on_both_shapes! {
    async fn many_at_once_are_all_stored_with_their_deliveries(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/a")).await;
        app.register(&receiver.url("/b")).await;
        let accepts = (0..500).map(|n| app.publish(json!({"n": n})));
        for accepted in futures_util::future::join_all(accepts).await {
            assert_eq!(accepted.expect("accepted").1.deliveries, 2);
        }
        assert_eq!(app.counts().await, (1_000, 0));
        assert_eq!(app.events().await.len(), 500);
    }

    async fn as_many_as_fit_a_statement_and_a_transaction_and_one_more_are_all_stored(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let mut stored = 0;
        for count in [1, 511, 512, 513, 2_048, 2_049] {
            let accepts = (0..count).map(|n| app.publish(json!({"n": n})));
            for accepted in futures_util::future::join_all(accepts).await {
                assert_eq!(accepted.expect("accepted").1.deliveries, 1, "of {count}");
            }
            stored += count;
            assert_eq!(app.counts().await, (stored, 0), "after {count}");
        }
    }

    async fn one_bad_row_never_fails_another_users_request(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (first, _) = app.publish(json!({})).await.expect("accepted");
        let again = NewEvent {
            id: first,
            user_id: Some(UserId(1)),
            event_type: "upload file".into(),
            data: RawValue::from_string("{}".into()).expect("JSON"),
            request_id: None,
        };
        let good = futures_util::future::join_all((0..50).map(|n| app.publish(json!({"n": n}))));
        let (bad, good) = tokio::join!(app.accept.event(again), good);
        assert_eq!(bad, Err(AcceptError::Refused), "its id is taken");
        assert!(good.into_iter().all(|accepted| accepted.is_ok()));
        assert_eq!(app.events().await.len(), 51);
    }

    async fn a_caller_that_disconnects_cancels_no_other_request(app: TestApp) {
        let app = Arc::new(app);
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let gone: Vec<_> = (0..20)
            .map(|n| {
                let app = Arc::clone(&app);
                tokio::spawn(async move { app.publish(json!({"n": n})).await })
            })
            .collect();
        gone.iter().step_by(2).for_each(tokio::task::JoinHandle::abort);
        let (mine, _) = app.publish(json!({"mine": true})).await.expect("accepted");
        assert_eq!(app.deliveries_of(mine).await.len(), 1);
        for (n, task) in gone.into_iter().enumerate() {
            match task.await {
                Ok(accepted) => assert!(accepted.is_ok()),
                Err(error) => assert!(error.is_cancelled() && n % 2 == 0),
            }
        }
    }

    async fn an_event_goes_to_the_endpoints_of_its_user_and_type_alone(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/mine")).await;
        let other = json!({"event_type_id": testkit::app::publish::UPLOAD_FILE, "user_id": 2, "url": receiver.url("/other")});
        app.register_with(other).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        assert_eq!(app.deliveries_of(event).await.len(), 1);
        let to_all = NewEvent {
            id: EventId::new(),
            user_id: None,
            event_type: "upload file".into(),
            data: RawValue::from_string("{}".into()).expect("JSON"),
            request_id: None,
        };
        assert_eq!(app.accept.event(to_all).await.expect("accepted").deliveries, 2);
        app.drain().await;
        let mut paths: Vec<String> = receiver.calls().into_iter().map(|call| call.path).collect();
        paths.sort();
        assert_eq!(paths, ["/mine", "/mine", "/other"]);
    }

    async fn the_data_is_sent_byte_for_byte(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let data = r#"{ "big": 12345678901234567890.10,  "dup": 1, "dup": 2, "z": "\u00e9" }"#;
        let event = NewEvent {
            id: EventId::new(),
            user_id: Some(UserId(1)),
            event_type: "upload file".into(),
            data: RawValue::from_string(data.into()).expect("JSON"),
            request_id: None,
        };
        app.accept.event(event).await.expect("accepted");
        app.drain().await;
        let body = String::from_utf8(receiver.calls()[0].body.to_vec()).expect("text");
        assert!(body.ends_with(&format!(r#""data":{data}}}"#)), "{body}");
    }

    async fn uploads_are_accepted_in_groups_too(app: TestApp) {
        let uploads = (0..100).map(|n| NewUpload {
            id: UploadId::new(),
            endpoint_id: EndpointId::new(),
            user_id: UserId(1),
            file_name: format!("{n}.txt"),
            storage_key: format!("{n}"),
            size_bytes: n,
            request_id: None,
        });
        let accepted = futures_util::future::join_all(uploads.map(|upload| app.accept.upload(upload))).await;
        assert!(accepted.into_iter().all(|accepted| accepted.is_ok()));
        assert_eq!(app.uploads().await.len(), 100);
    }
}
