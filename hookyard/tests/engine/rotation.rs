//! The signatures of deliveries around a rotation: receivers with the old secret and with the new one, while time goes on.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    id::EndpointId,
    signature::{SigningSecret, VerifyError},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Call, Receiver, TestApp, on_both_shapes};

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn secret(app: &TestApp, endpoint: EndpointId) -> SigningSecret {
    let (status, response) =
        answer(app.http.get(format!("{}/v1/endpoints/{endpoint}/secret", app.base))).await;
    assert_eq!(status, 200, "{response}");
    response["secret"].as_str().and_then(|text| text.parse().ok()).expect("a secret")
}

async fn rotate(app: &TestApp, endpoint: EndpointId, body: &Value) -> SigningSecret {
    let path = format!("{}/v1/endpoints/{endpoint}/secret/rotate", app.base);
    let (status, response) = answer(app.http.post(path).json(body)).await;
    assert_eq!(status, 200, "{response}");
    response["secret"].as_str().and_then(|text| text.parse().ok()).expect("a secret")
}

/// The call that one more event causes.
async fn delivered(app: &TestApp, receiver: &Receiver) -> Call {
    app.publish(json!({})).await.expect("accepted");
    app.drain().await;
    receiver.calls().pop().expect("a call")
}

fn is_believed(app: &TestApp, call: &Call, secret: &SigningSecret) -> bool {
    match call.verify(secret, app.clock.now()) {
        Ok(()) => true,
        Err(VerifyError::NoMatch) => false,
        Err(wrong) => panic!("{wrong}"),
    }
}

on_both_shapes! {
    async fn a_rotation_breaks_no_receiver_before_its_grace_has_passed(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        let old = secret(&app, endpoint).await;
        assert!(is_believed(&app, &delivered(&app, &receiver).await, &old), "before");

        let new = rotate(&app, endpoint, &json!({"grace_seconds": 3_600})).await;
        assert_eq!(secret(&app, endpoint).await.expose(), new.expose());
        let call = delivered(&app, &receiver).await;
        assert!(is_believed(&app, &call, &old) && is_believed(&app, &call, &new), "during");

        app.clock.forward(Duration::from_secs(3_590));
        let call = delivered(&app, &receiver).await;
        assert!(is_believed(&app, &call, &old) && is_believed(&app, &call, &new), "near its end");

        app.clock.forward(Duration::from_secs(10));
        let call = delivered(&app, &receiver).await;
        assert!(!is_believed(&app, &call, &old) && is_believed(&app, &call, &new), "after");
    }

    async fn without_grace_the_old_secret_signs_no_further_call(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        let old = secret(&app, endpoint).await;
        app.publish(json!({})).await.expect("accepted under the old secret");
        let own = SigningSecret::generate();
        let new = rotate(&app, endpoint, &json!({"grace_seconds": 0, "secret": own.expose()})).await;
        assert_eq!(new.expose(), own.expose());
        app.drain().await;
        let call = receiver.calls().pop().expect("a call");
        assert!(!is_believed(&app, &call, &old) && is_believed(&app, &call, &new));
    }

    async fn rotations_at_once_leave_each_secret_valid_once(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        let first = secret(&app, endpoint).await;
        let body = json!({});
        let mut secrets = join_all((0..8).map(|_| rotate(&app, endpoint, &body))).await;
        secrets.push(first);
        let call = delivered(&app, &receiver).await;
        let signatures: BTreeSet<&str> = call.header("webhook-signature").expect("signed").split(' ').collect();
        assert_eq!(signatures.len(), secrets.len());
        assert!(secrets.iter().all(|secret| is_believed(&app, &call, secret)));
        let current = secret(&app, endpoint).await;
        assert_eq!(secrets.iter().filter(|one| one.expose() == current.expose()).count(), 1);
    }
}
