//! The keys that sign: the current ones always, old ones until their grace period ends, by the time of the send.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::signature::{DEFAULT_TOLERANCE, Key, PrivateKey, SignedMessage, SigningKeys, VerifyError};

use super::*;
use crate::suite::receiver::{Received, Receiver, answer};

const GRACE: Duration = Duration::from_secs(3_600);

fn now() -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Millis(i64::try_from(now.as_millis()).expect("fits"))
}

/// What arrives of a send with these keys at that time.
async fn sent(keys: &SigningKeys, sent_at: Millis) -> Received {
    let receiver = Receiver::answering(answer("204 No Content", "", b"")).await;
    let target = WebhookTarget::new(receiver.url(), &CustomHeaders::default(), keys.clone());
    sender().send(WebhookRequest { sent_at, ..request(&target, PATIENT) }).await;
    let [received] = receiver.received().try_into().expect("one request");
    received
}

fn versions(received: &Received) -> Vec<&str> {
    let signatures = received.header("webhook-signature")[0].split(' ');
    signatures.map(|one| one.split_once(',').expect("a version").0).collect()
}

/// Whether the Standard Webhooks library, which looks at the real clock, accepts it.
fn is_accepted(secret: &SigningSecret, received: &Received) -> bool {
    let mut headers = http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.header(name)[0].parse().expect("a value"));
    }
    let verifier = standardwebhooks::Webhook::new(secret.expose()).expect("a secret");
    verifier.verify(&received.body, &headers).is_ok()
}

#[tokio::test]
async fn an_independent_library_accepts_the_new_secret_from_the_rotation_on_and_the_old_one_for_its_grace() {
    let (old, new) = (SigningSecret::generate(), SigningSecret::generate());
    let before = SigningKeys::new(old.clone());
    // The library's clock is the real one, so the rotation is moved instead of the send.
    let rotated = |at| before.clone().rotated([Key::Hmac(new.clone())], at, GRACE).expect("rotated");
    let (at, grace) = (now(), i64::try_from(GRACE.as_millis()).expect("fits"));

    let received = sent(&before, at).await;
    assert!(is_accepted(&old, &received) && !is_accepted(&new, &received), "before");
    let received = sent(&rotated(at), at).await;
    assert!(is_accepted(&old, &received) && is_accepted(&new, &received), "during");
    let received = sent(&rotated(Millis(at.0 - grace + 1)), at).await;
    assert!(is_accepted(&old, &received) && is_accepted(&new, &received), "its last millisecond");
    let received = sent(&rotated(Millis(at.0 - grace)), at).await;
    assert!(!is_accepted(&old, &received) && is_accepted(&new, &received), "after");
}

#[tokio::test]
async fn the_expiry_is_looked_at_on_each_send_of_one_target() {
    let receiver = Receiver::answering(answer("200 OK", "", b"")).await;
    let keys = SigningKeys::new(SigningSecret::generate());
    let keys = keys.rotated([Key::Hmac(SigningSecret::generate())], SENT_AT, GRACE).expect("rotated");
    let target = WebhookTarget::new(receiver.url(), &CustomHeaders::default(), keys);
    let sender = sender();
    for sent_at in [SENT_AT, SENT_AT + GRACE] {
        sender.send(WebhookRequest { sent_at, ..request(&target, PATIENT) }).await;
    }
    let received = receiver.received();
    assert_eq!(received.iter().map(versions).collect::<Vec<_>>(), [vec!["v1", "v1"], vec!["v1"]]);
}

#[tokio::test]
async fn an_ed25519_key_signs_beside_the_secret() {
    let (secret, key) = (SigningSecret::generate(), PrivateKey::generate());
    let keys = SigningKeys::new(secret.clone()).with_ed25519(key.clone());
    let received = sent(&keys, now()).await;
    assert_eq!(versions(&received), ["v1", "v1a"]);
    assert!(is_accepted(&secret, &received), "v1a is passed over by who does not know it");
    let header = |name| received.header(name)[0];
    let message = SignedMessage {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: &received.body,
    };
    let verify =
        |key: &PrivateKey| message.verify_with_public_key(&key.public(), now().seconds(), DEFAULT_TOLERANCE);
    assert_eq!(verify(&key), Ok(()));
    assert_eq!(verify(&PrivateKey::generate()), Err(VerifyError::NoMatch));
}
