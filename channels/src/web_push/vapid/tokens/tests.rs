//! Tokens: what they say, that the signature holds, and how long one is used.

use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use serde_json::{Value, json};

use super::*;

const ORIGIN: &str = "https://push.example:8443";
const NOW: Millis = Millis(1_700_000_000_123);

fn tokens() -> Tokens {
    let (private, public) = VapidKeys::generate();
    Tokens::new(VapidKeys::new(&private, &public, "ops@example.com").expect("our own pair"))
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect(text)
}

fn json_of(part: &str) -> Value {
    serde_json::from_slice(&decoded(part)).expect("JSON")
}

#[test]
fn a_token_says_for_whom_until_when_and_by_whom() {
    let value = tokens().authorization(ORIGIN, NOW);
    assert!(value.is_sensitive());
    let text = value.to_str().expect("ASCII");
    let (token, key) = text.strip_prefix("vapid t=").and_then(|text| text.split_once(", k=")).expect(text);
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    assert_eq!(json_of(header), json!({"typ": "JWT", "alg": "ES256"}));
    let expected = json!({"aud": ORIGIN, "exp": 1_700_000_000 + 43_200, "sub": "mailto:ops@example.com"});
    assert_eq!(json_of(claims), expected);
    let key = VerifyingKey::from_sec1_bytes(&decoded(key)).expect("a key");
    let signature = Signature::from_slice(&decoded(signature)).expect("a signature");
    assert!(key.verify(format!("{header}.{claims}").as_bytes(), &signature).is_ok());
    assert!(key.verify(format!("{claims}.{header}").as_bytes(), &signature).is_err());
}

#[test]
fn the_signature_of_the_example_of_rfc_8292_is_understood_as_ours_is() {
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA";
    let key = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    assert!(signed.starts_with(HEADER));
    let key = VerifyingKey::from_sec1_bytes(&decoded(key)).expect("a key");
    let signature = Signature::from_slice(&decoded(signature)).expect("a signature");
    assert!(key.verify(signed.as_bytes(), &signature).is_ok());
}

#[test]
fn a_token_is_used_for_half_of_its_life_and_for_its_origin_only() {
    let tokens = tokens();
    let first = tokens.authorization(ORIGIN, NOW);
    let last_use = Millis(NOW.0 - 1) + USED;
    assert_eq!(tokens.authorization(ORIGIN, last_use), first);
    assert_ne!(tokens.authorization("https://push.example", NOW), first);
    let second = tokens.authorization(ORIGIN, NOW + USED);
    assert_ne!(second, first, "a new one");
    assert_eq!(tokens.authorization(ORIGIN, NOW + USED + USED / 2), second);
}

#[test]
fn a_clock_that_was_put_back_makes_a_new_token() {
    let tokens = tokens();
    let ahead = tokens.authorization(ORIGIN, NOW + USED);
    assert_eq!(tokens.authorization(ORIGIN, Millis(NOW.0 + 1)), ahead, "sends end in any order");
    assert_ne!(tokens.authorization(ORIGIN, NOW), ahead);
    // The longest that a token can be valid from a send: within what RFC 8292 allows.
    assert!(VALID + USED < Duration::from_secs(24 * 3_600));
}

#[test]
fn so_many_tokens_are_kept_and_no_more() {
    const MOST: usize = 3;
    let tokens = Tokens::with_bound(tokens().keys, MOST);
    let kept = || tokens.kept.lock().expect("not poisoned").len();
    for index in (0..MOST).chain(0..MOST) {
        tokens.authorization(&format!("https://{index}.example"), NOW);
    }
    assert_eq!(kept(), MOST);
    tokens.authorization(ORIGIN, NOW);
    assert_eq!(kept(), 1, "afresh");
}

#[test]
fn debug_shows_no_token() {
    let tokens = tokens();
    let token = tokens.authorization(ORIGIN, NOW);
    let debug = format!("{tokens:?} {token:?}");
    assert!(!debug.contains("vapid") && !debug.contains("eyJ"), "{debug}");
}
