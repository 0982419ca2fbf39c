//! What a browser may tell, member by member.

use bytes::Bytes;
use p256::elliptic_curve::sec1::ToSec1Point as _;

use super::*;
use crate::web_push::vapid::random_key;

const ENDPOINT: &str =
    "https://push.example/wpush/v2/gAAAAABkVerySecretCapability?token=AbCdEfGhIjKlMnOp%2bx";

fn point(compressed: bool) -> Vec<u8> {
    random_key().public_key().to_sec1_point(compressed).as_bytes().to_vec()
}

fn refused(endpoint: &str, key: &[u8], auth: &[u8]) -> PushTargetError {
    PushTarget::new(endpoint, key, auth).expect_err("refused")
}

#[test]
fn the_origin_is_what_signatures_and_lanes_go_by() {
    for (endpoint, origin) in [
        ("https://push.example/a", "https://push.example"),
        ("https://PUSH.example:443/a?b", "https://push.example"),
        ("https://push.example:8443/a", "https://push.example:8443"),
        ("http://127.0.0.1:80/a", "http://127.0.0.1"),
        ("http://[::1]:9/a", "http://[::1]:9"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example"),
    ] {
        let target = PushTarget::new(endpoint, &point(false), &[0; AUTH_BYTES]).expect(endpoint);
        assert_eq!(target.origin(), origin);
        assert!(target.endpoint().starts_with(origin), "{}", target.endpoint());
    }
}

#[test]
fn an_endpoint_keeps_the_rules_of_registered_urls() {
    let refused = |endpoint: &str| refused(endpoint, &point(false), &[0; AUTH_BYTES]);
    assert_eq!(refused("ftp://push.example/"), PushTargetError::Endpoint(UrlError::Scheme));
    assert_eq!(refused("https://user@push.example/"), PushTargetError::Endpoint(UrlError::UserInfo));
    assert_eq!(refused("https://push.example:0/"), PushTargetError::Endpoint(UrlError::PortZero));
    assert_eq!(refused("https:push.example/"), PushTargetError::Endpoint(UrlError::Spelling));
    assert!(matches!(refused("push.example"), PushTargetError::Endpoint(UrlError::NotAUrl(_))));
}

#[test]
fn an_endpoint_is_at_most_2048_bytes_as_it_is_sent() {
    let of = |path: String| {
        let endpoint = format!("https://push.example/{path}");
        PushTarget::new(&endpoint, &point(false), &[0; AUTH_BYTES]).map(|target| target.endpoint().len())
    };
    let room = MAX_URL_CHARS - "https://push.example/".len();
    assert_eq!(of("a".repeat(room)), Ok(MAX_URL_CHARS));
    assert_eq!(of("a".repeat(room + 1)), Err(PushTargetError::Endpoint(UrlError::TooLong)));
    // `ä` becomes six bytes.
    assert_eq!(of("a".repeat(room - 6) + "ä"), Ok(MAX_URL_CHARS));
    assert_eq!(of("a".repeat(room - 5) + "ä"), Err(PushTargetError::Endpoint(UrlError::TooLong)));
}

#[test]
fn a_key_is_an_uncompressed_point_on_the_curve() {
    let good = point(false);
    assert!(PushTarget::new(ENDPOINT, &good, &[0; AUTH_BYTES]).is_ok());
    let mut off_the_curve = good.clone();
    off_the_curve[64] ^= 1;
    let mut hybrid = good.clone();
    hybrid[0] = 6 + (good[64] & 1);
    let bad = [point(true), good[..64].to_vec(), [&good[..], &[0]].concat(), off_the_curve, hybrid, vec![]];
    for key in bad.into_iter().chain([vec![0], vec![0; KEY_BYTES], vec![4; KEY_BYTES]]) {
        assert_eq!(refused(ENDPOINT, &key, &[0; AUTH_BYTES]), PushTargetError::Key, "{key:?}");
    }
}

#[test]
fn an_auth_secret_has_sixteen_bytes() {
    for bytes in [0, 15, 17] {
        assert_eq!(refused(ENDPOINT, &point(false), &vec![0; bytes]), PushTargetError::Auth);
    }
}

#[test]
fn neither_debug_nor_an_answer_shows_the_address() {
    let target = PushTarget::new(ENDPOINT, &point(false), &[7; AUTH_BYTES]).expect("valid");
    assert_eq!(format!("{target:?}"), r#"PushTarget { origin: "https://push.example", .. }"#);
    for body in [
        "not found: /wpush/v2/gAAAAABkVerySecretCapability?token=AbCdEfGhIjKlMnOp%2bx",
        r"\/wpush\/v2\/gAAAAABkVerySecretCapability?token=AbCdEfGhIjKlMnOp+x",
        "%2Fwpush%2Fv2%2FgAAAAABkVerySecretCapability AbCdEfGhIjKlMnOp",
    ] {
        let kept = target.redactor().redact_body(Bytes::from_static(body.as_bytes()));
        let kept = String::from_utf8_lossy(&kept).into_owned();
        assert!(!kept.contains("Secret") && !kept.contains("AbCd") && kept.contains('…'), "{kept}");
    }
    let short = PushTarget::new("https://push.example/push", &point(false), &[7; AUTH_BYTES]).expect("valid");
    assert_eq!(short.redactor().redact_body(Bytes::from_static(b"/push")), "/push", "no secret");
}
