//! Pairs that are, and pairs that are not.

use super::*;

const CONTACT: &str = "mailto:ops@example.com";

fn contact_of(contact: &str) -> Result<String, VapidError> {
    let (private, public) = VapidKeys::generate();
    VapidKeys::new(&private, &public, contact).map(|keys| keys.contact().to_owned())
}

#[test]
fn a_generated_pair_is_taken_and_none_is_made_twice() {
    let (private, public) = VapidKeys::generate();
    assert_eq!((private.len(), public.len()), (43, 87));
    let keys = VapidKeys::new(&private, &public, CONTACT).expect("our own pair");
    assert_eq!(keys.public(), public);
    assert_ne!(VapidKeys::generate(), (private, public));
}

#[test]
fn the_key_of_rfc_8292_is_taken() {
    // Its public key, §2.4; the private one is not published.
    let public = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
    let (private, _) = VapidKeys::generate();
    assert_eq!(VapidKeys::new(&private, public, CONTACT).err(), Some(VapidError::Mismatch));
}

#[test]
fn padding_and_blanks_around_are_no_fault() {
    let (private, public) = VapidKeys::generate();
    assert!(VapidKeys::new(&format!(" {private}=\n"), &format!("{public}="), CONTACT).is_ok());
}

#[test]
fn halves_of_two_pairs_are_refused() {
    let ((private, _), (_, public)) = (VapidKeys::generate(), VapidKeys::generate());
    assert_eq!(VapidKeys::new(&private, &public, CONTACT).err(), Some(VapidError::Mismatch));
}

#[test]
fn what_is_no_half_is_refused_by_its_name() {
    let (private, public) = VapidKeys::generate();
    let zero = URL_SAFE_NO_PAD.encode([0; 32]);
    let beyond = URL_SAFE_NO_PAD.encode([0xff; 32]);
    for bad in
        ["", "x", &private[1..], &format!("{private}AA"), &zero, &beyond, &public, &"A".repeat(100_000)]
    {
        assert_eq!(VapidKeys::new(bad, &public, CONTACT).err(), Some(VapidError::Private), "{bad:.50}");
    }
    let off_the_curve = URL_SAFE_NO_PAD.encode([4; 65]);
    for bad in ["", "x", &private, &off_the_curve, &public[1..], &"A".repeat(100_000)] {
        assert_eq!(VapidKeys::new(&private, bad, CONTACT).err(), Some(VapidError::Public), "{bad:.50}");
    }
}

#[test]
fn a_contact_is_somebody_to_write_to() {
    assert_eq!(contact_of("ops@example.com").as_deref(), Ok("mailto:ops@example.com"));
    assert_eq!(contact_of(" mailto:ops@example.com ").as_deref(), Ok("mailto:ops@example.com"));
    assert_eq!(contact_of("https://example.com/ops").as_deref(), Ok("https://example.com/ops"));
    for bad in [
        "",
        "ops",
        "@",
        "ops@",
        "a b@example.com",
        "mailto:",
        "https://",
        "http://a@b",
        "ops@a\nb",
        "https:a@b/ c",
    ] {
        assert_eq!(contact_of(bad), Err(VapidError::Contact), "{bad}");
    }
}

#[test]
fn a_contact_has_at_most_320_bytes() {
    let of = |bytes: usize| contact_of(&format!("mailto:a@{}", "b".repeat(bytes - 9)));
    assert_eq!(of(MAX_CONTACT_BYTES).map(|contact| contact.len()), Ok(MAX_CONTACT_BYTES));
    assert_eq!(of(MAX_CONTACT_BYTES + 1), Err(VapidError::Contact));
}

#[test]
fn debug_shows_no_private_half() {
    let (private, public) = VapidKeys::generate();
    let keys = VapidKeys::new(&private, &public, CONTACT).expect("our own pair");
    assert_eq!(format!("{keys:?}"), format!(r#"VapidKeys {{ public: "{public}", .. }}"#));
}
