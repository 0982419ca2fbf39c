use proptest::prelude::*;

use super::*;

const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const NOW: Millis = Millis(1_614_265_330_000);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIGNED_BY_SECRET: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
/// The key and the signature that the reference library for Go publishes.
const PRIVATE: &str = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";
const SIGNED_BY_PRIVATE: &str =
    "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";

fn hmac() -> Key {
    Key::Hmac(SigningSecret::generate())
}

fn keys(text: &str) -> SigningKeys {
    text.parse().expect("keys")
}

fn at(seconds: i64) -> Millis {
    Millis(NOW.0 + seconds * 1_000)
}

/// The versions of the signatures at that time.
fn versions(keys: &SigningKeys, at: Millis) -> Vec<String> {
    let signed = keys.sign(ID, at, BODY);
    signed.split(' ').map(|one| one.split_once(',').expect("a version").0.to_owned()).collect()
}

#[test]
fn the_published_vectors_are_met_the_secrets_first() {
    assert_eq!(keys(SECRET).sign(ID, NOW, BODY), SIGNED_BY_SECRET);
    let both = keys(SECRET).with_ed25519(PRIVATE.parse().expect("a key"));
    assert_eq!(both.sign(ID, NOW, BODY), format!("{SIGNED_BY_SECRET} {SIGNED_BY_PRIVATE}"));
    assert_eq!(
        both.sign(ID, Millis(NOW.0 + 999), BODY),
        both.sign(ID, NOW, BODY),
        "whole seconds are signed"
    );
    assert_eq!(both.without_ed25519().sign(ID, NOW, BODY), SIGNED_BY_SECRET);
}

#[test]
fn an_endpoint_is_switched_between_the_kinds_and_keeps_a_key_that_it_has() {
    let hmac = keys(SECRET);
    assert_eq!(hmac.signing(), Signing::Hmac);
    let both = hmac.with_signing(Signing::Ed25519);
    assert_eq!((both.signing(), versions(&both, NOW)), (Signing::Ed25519, vec!["v1".into(), "v1a".into()]));
    let again = both.clone().with_signing(Signing::Ed25519);
    assert_eq!(again.public_key(), both.public_key(), "asked again, the key stays");
    assert_eq!(*again.with_signing(Signing::Hmac).expose(), SECRET);
}

#[test]
fn an_old_key_signs_until_its_grace_has_passed_to_the_millisecond() {
    let grace = Duration::from_secs(60);
    let rotated = keys(SECRET).rotated([hmac()], NOW, grace).expect("rotated");
    let old_signs = |at: Millis| {
        let alone = keys(SECRET).sign(ID, at, BODY);
        rotated.sign(ID, at, BODY).split(' ').nth(1) == Some(&alone)
    };
    assert!(old_signs(NOW));
    assert!(old_signs(Millis(at(60).0 - 1)));
    assert!(!old_signs(at(60)));
    assert_eq!(versions(&rotated, at(60)), ["v1"]);
}

#[test]
fn without_grace_the_old_key_signs_no_more() {
    let rotated = keys(SECRET).rotated([hmac()], NOW, Duration::ZERO).expect("rotated");
    assert_eq!(versions(&rotated, NOW), ["v1"]);
    assert!(!rotated.expose().contains(SECRET));
    assert!(!rotated.sign(ID, NOW, BODY).contains(SIGNED_BY_SECRET));
}

#[test]
fn current_keys_sign_first_then_old_ones_from_the_newest_on() {
    let both = keys(&format!("{SECRET} {PRIVATE}"));
    let new = [hmac(), Key::Ed25519(PrivateKey::generate())];
    let rotated = both.rotated(new, NOW, MAX_GRACE).expect("rotated");
    assert_eq!(versions(&rotated, NOW), ["v1", "v1a", "v1a", "v1"]);
    let signed = rotated.sign(ID, NOW, BODY);
    assert!(signed.ends_with(&format!("{SIGNED_BY_PRIVATE} {SIGNED_BY_SECRET}")), "{signed}");
    assert_eq!(versions(&rotated.without_ed25519(), NOW), ["v1", "v1"]);
}

#[test]
fn each_old_key_has_an_expiry_of_its_own_and_expired_ones_are_dropped() {
    let once = keys(SECRET).rotated([hmac()], NOW, Duration::from_secs(60)).expect("rotated");
    let twice = once.rotated([hmac()], at(30), Duration::from_secs(100)).expect("rotated");
    assert_eq!(versions(&twice, at(59)).len(), 3);
    assert_eq!(versions(&twice, at(60)).len(), 2);
    assert_eq!(versions(&twice, at(130)).len(), 1);
    let thrice = twice.rotated([hmac()], at(60), DEFAULT_GRACE).expect("rotated");
    assert!(!thrice.expose().contains(SECRET), "expired, so dropped");
    assert_eq!(thrice.expose().split(' ').count(), 3);
}

#[test]
fn ten_old_keys_are_the_most() {
    let rotate = |keys: SigningKeys, at| keys.rotated([hmac()], at, Duration::from_secs(60));
    let mut full = keys(SECRET);
    for _ in 0..MAX_OLD_KEYS {
        full = rotate(full, NOW).expect("room");
    }
    assert_eq!(versions(&full, NOW).len(), 1 + MAX_OLD_KEYS);
    assert!(full.expose().parse::<SigningKeys>().is_ok());
    assert_eq!(rotate(full.clone(), NOW).err(), Some(TooManyOldKeys));
    assert!(full.clone().rotated([hmac()], NOW, Duration::ZERO).is_ok(), "no grace, no old key");
    assert!(rotate(full, at(60)).is_ok(), "all have expired");
}

#[test]
fn a_rotation_to_the_current_key_changes_nothing_and_an_old_key_may_come_back() {
    let again = keys(SECRET).rotated([SECRET.parse().expect("a key")], NOW, DEFAULT_GRACE).expect("rotated");
    assert_eq!(*again.expose(), SECRET);
    let away = again.rotated([hmac()], NOW, DEFAULT_GRACE).expect("rotated");
    let back = away.rotated([SECRET.parse().expect("a key")], NOW, DEFAULT_GRACE).expect("rotated");
    assert!(back.expose().starts_with(SECRET));
    assert_eq!(versions(&back, NOW), ["v1", "v1"]);
}

#[test]
fn the_text_is_what_it_was_and_stays_what_it_is() {
    assert_eq!(*keys(SECRET).expose(), SECRET, "rows from before there was rotation");
    let text = format!("{SECRET} {PRIVATE} {PRIVATE}@1614265330001 {SECRET}@1614265330002");
    let read = keys(&text);
    assert_eq!(*read.expose(), text);
    assert_eq!(versions(&read, NOW), ["v1", "v1a", "v1a", "v1"]);
    assert_eq!(versions(&read, Millis(NOW.0 + 1)), ["v1", "v1a", "v1"]);
    assert_eq!(format!("{read:?}").matches('…').count(), 4, "{read:?}");
    assert!(!format!("{read:?}").contains("MfKQ"));
}

#[test]
fn what_is_not_our_text_is_refused_with_its_rule() {
    let refused = |text: &str| text.parse::<SigningKeys>().expect_err("refused").to_string();
    for (text, rule) in [
        (String::new(), "a signing secret must begin with whsec_"),
        (PRIVATE.to_owned(), "a signing secret must begin with whsec_"),
        (format!("{SECRET}@1"), "a signing secret must be whsec_ followed by standard base64 with padding"),
        (format!("{SECRET} {SECRET}"), "an old key must end in @ and its time of expiry in ms"),
        (format!("{SECRET} {PRIVATE} {PRIVATE}"), "an old key must end in @ and its time of expiry in ms"),
        (format!("{SECRET} {SECRET}@soon"), "an old key must end in @ and its time of expiry in ms"),
        (format!("{SECRET} whsk_AAAA@1"), "a private key must be 32 or 64 bytes before base64"),
        (format!("{SECRET} "), "an old key must end in @ and its time of expiry in ms"),
        (format!("{SECRET}{}", format!(" {SECRET}@1").repeat(11)), "at most 10 old keys"),
    ] {
        assert_eq!(refused(&text), rule, "{text}");
    }
}

proptest! {
    /// Whatever was rotated how often, its text reads back to the same keys.
    #[test]
    fn every_text_of_ours_is_read_back(
        has_ed25519: bool,
        rotations in proptest::collection::vec((any::<bool>(), 0_i64..100, 0_u64..700_000), 0..12),
    ) {
        let mut keys = keys(SECRET);
        if has_ed25519 {
            keys = keys.with_ed25519(PrivateKey::generate());
        }
        for (ed25519, seconds, grace) in rotations {
            let new = if ed25519 { Key::Ed25519(PrivateKey::generate()) } else { hmac() };
            if let Ok(next) = keys.clone().rotated([new], at(seconds), Duration::from_secs(grace)) {
                keys = next;
            }
        }
        let text = keys.expose();
        let again: SigningKeys = text.parse().expect("our own text");
        prop_assert_eq!(&again.expose(), &text);
        prop_assert_eq!(again.sign(ID, at(50), BODY), keys.sign(ID, at(50), BODY));
        prop_assert!(versions(&keys, NOW).len() <= 2 + MAX_OLD_KEYS);
    }

    /// Text of others is refused or read, never a panic.
    #[test]
    fn no_text_breaks_the_reader(text in "(whsec_|whsk_|[A-Za-z0-9+/=@ ])*") {
        let _ = text.parse::<SigningKeys>();
        let _ = text.parse::<PublicKey>();
    }
}
