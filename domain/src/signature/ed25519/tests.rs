use ed25519_dalek::Verifier as _;

use super::*;

/// RFC 8032 §7.1, tests 1 to 3: seed, public key, message, signature.
const RFC_8032: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("hex")
}

fn private(bytes: &[u8]) -> Result<PrivateKey, Ed25519Error> {
    format!("{PRIVATE_KEY_PREFIX}{}", STANDARD.encode(bytes)).parse()
}

fn public(bytes: &[u8]) -> Result<PublicKey, Ed25519Error> {
    format!("{PUBLIC_KEY_PREFIX}{}", STANDARD.encode(bytes)).parse()
}

#[test]
fn the_vectors_of_the_rfc_are_met_whole_and_in_parts() {
    for [seed, point, message, signature] in RFC_8032.map(|vector| vector.map(bytes)) {
        let key = private(&seed).expect("a seed");
        assert_eq!(key.public(), public(&point).expect("a point"));
        assert_eq!(key.sign(&[&message])[..], signature);
        let (head, tail) = message.split_at(message.len() / 2);
        assert_eq!(key.sign(&[head, tail])[..], signature);
        assert!(key.public().has_signed(&message, &signature));
        assert!(!key.public().has_signed(&[&message[..], b"."].concat(), &signature));
    }
}

#[test]
fn the_librarys_own_verifier_accepts_our_bytes() {
    let key = PrivateKey::generate();
    let raw = STANDARD.decode(&key.public().to_string()[PUBLIC_KEY_PREFIX.len()..]).expect("base64");
    let verifier = VerifyingKey::from_bytes(&raw.try_into().expect("32 bytes")).expect("a point");
    let signature = Signature::from_bytes(&key.sign(&[b"a", b"", b"b"]));
    verifier.verify(b"ab", &signature).expect("signed");
    assert!(verifier.verify(b"ba", &signature).is_err());
}

#[test]
fn both_forms_of_a_private_key_are_the_same_key() {
    let [seed, point, ..] = RFC_8032[0].map(bytes);
    let (short, long) =
        (private(&seed).expect("a seed"), private(&[&seed[..], &point].concat()).expect("a pair"));
    assert_eq!(short.expose(), long.expose());
    let again: PrivateKey = short.expose().parse().expect("our own text");
    assert_eq!(again.public(), short.public());
    assert_eq!(short.expose().len(), PRIVATE_KEY_PREFIX.len() + 44);
    assert_ne!(PrivateKey::generate().public(), PrivateKey::generate().public());
}

#[test]
fn a_pair_whose_halves_do_not_belong_together_is_refused() {
    let ([seed, ..], [_, foreign, ..]) = (RFC_8032[0].map(bytes), RFC_8032[1].map(bytes));
    assert_eq!(private(&[&seed[..], &foreign].concat()).err(), Some(Ed25519Error::Mismatch));
    assert_eq!(private(&[&seed[..], &[2; 32]].concat()).err(), Some(Ed25519Error::Mismatch));
}

#[test]
fn bad_text_is_refused_with_its_rule() {
    for length in [0, 31, 33, 63, 65, 1_000] {
        assert_eq!(private(&vec![7; length]).err(), Some(Ed25519Error::WrongLength("32 or 64")), "{length}");
    }
    for length in [0, 31, 33, 64, 1_000] {
        assert_eq!(public(&vec![7; length]).err(), Some(Ed25519Error::WrongLength("32")), "{length}");
    }
    let refused = |text: &str| text.parse::<PrivateKey>().expect_err("refused").to_string();
    assert_eq!(refused("whsec_AAAA"), "must begin with whsk_");
    assert_eq!(refused("whsk_AAA*"), "must be its prefix followed by standard base64 with padding");
    assert_eq!(refused("whsk_AAAA"), "must be 32 or 64 bytes before base64");
    assert_eq!("whsk_AAAA".parse::<PublicKey>(), Err(Ed25519Error::NoPrefix("whpk_")));
}

#[test]
fn points_of_small_order_and_no_points_are_no_public_keys() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(public(&identity), Err(Ed25519Error::NotAPoint));
    assert_eq!(public(&[2; 32]), Err(Ed25519Error::NotAPoint));
}

#[test]
fn debug_prints_nothing_of_the_private_half() {
    let key = PrivateKey::generate();
    assert_eq!(format!("{key:?}"), "PrivateKey(…)");
    assert_eq!(format!("{:?}", key.public()), format!("PublicKey({})", key.public()));
}
