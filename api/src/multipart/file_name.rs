//! The name of a file as clients write it: `filename*` (RFC 5987), MIME words (RFC 2047) and percent-encoding in `filename`.
//! What does not decode cleanly is taken as it stands.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The name that a client meant: `filename*` wins where it can be read.
pub(super) fn meant(extended: Option<&str>, plain: Option<&str>) -> Option<String> {
    let extended = extended.and_then(from_extended);
    extended.or_else(|| {
        plain.map(|name| from_words(name).or_else(|| percent(name)).unwrap_or_else(|| name.to_owned()))
    })
}

/// `UTF-8'en'na%C3%AFve.pdf`.
fn from_extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    text(charset, percent_bytes(encoded)?)
}

/// Words like `=?utf-8?B?UHLDvGY=?=`, one after the other, and nothing else.
fn from_words(name: &str) -> Option<String> {
    let mut decoded = String::new();
    for word in name.split_ascii_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let (charset, body) = rest.strip_prefix("=?")?.split_once('?')?;
            let (encoding, body) = body.split_once('?')?;
            let (encoded, behind) = body.split_once("?=")?;
            let bytes = match encoding {
                "B" | "b" => STANDARD.decode(encoded).ok()?,
                "Q" | "q" => quoted_bytes(encoded)?,
                _ => return None,
            };
            decoded.push_str(&text(charset, bytes)?);
            rest = behind;
        }
    }
    (!decoded.is_empty()).then_some(decoded)
}

/// A name in which every `%` begins an encoded byte, and which is UTF-8 once they are decoded.
fn percent(name: &str) -> Option<String> {
    name.contains('%').then(|| text("utf-8", percent_bytes(name)?))?
}

fn percent_bytes(encoded: &str) -> Option<Vec<u8>> {
    hex_after(encoded, b'%', |byte| byte)
}

fn quoted_bytes(encoded: &str) -> Option<Vec<u8>> {
    hex_after(encoded, b'=', |byte| if byte == b'_' { b' ' } else { byte })
}

/// Bytes whose escapes are a mark and two hexadecimal digits.
fn hex_after(encoded: &str, mark: u8, plain: fn(u8) -> u8) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), encoded.as_bytes());
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first == mark {
            let (digits, behind) = rest.split_at_checked(2)?;
            bytes.push(hex::decode(digits).ok()?[0]);
            rest = behind;
        } else {
            bytes.push(plain(first));
        }
    }
    Some(bytes)
}

fn text(charset: &str, bytes: Vec<u8>) -> Option<String> {
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extended_name_wins_where_it_can_be_read() {
        let of = |extended| meant(Some(extended), Some("plain.pdf"));
        assert_eq!(of("utf-8''Pr%C3%BCfbericht.pdf").as_deref(), Some("Prüfbericht.pdf"));
        assert_eq!(of("UTF-8'en'na%C3%AFve%20%E2%82%AC.txt").as_deref(), Some("naïve €.txt"));
        assert_eq!(of("iso-8859-1'de'Pr%FCf.pdf").as_deref(), Some("Prüf.pdf"));
        for broken in
            ["", "x", "utf-8''%C3", "utf-8''%zz", "utf-8''%4", "koi8-r''%C3%BC", "utf-8'no second quote"]
        {
            assert_eq!(of(broken).as_deref(), Some("plain.pdf"), "{broken}");
        }
        assert_eq!(meant(Some("utf-8''a.txt"), None).as_deref(), Some("a.txt"));
        assert_eq!(meant(None, None), None);
    }

    #[test]
    fn mime_words_and_percent_encoding_are_decoded_when_they_decode_cleanly() {
        let of = |plain| meant(None, Some(plain)).expect("a name");
        assert_eq!(of("=?utf-8?B?UHLDvGZiZXJpY2h0LnBkZg==?="), "Prüfbericht.pdf");
        assert_eq!(of("=?utf-8?Q?Pr=C3=BCf_a.pdf?="), "Prüf a.pdf");
        assert_eq!(of("=?utf-8?B?UHI=?= =?utf-8?B?w7xm?="), "Prüf");
        assert_eq!(of("my%20file.pdf"), "my file.pdf");
        for kept in [
            "100%.txt",
            "100%25 %zz",
            "a%C3.txt",
            "=?utf-8?B?***?=",
            "=?utf-8?X?a?=",
            "=?a.txt",
            "a =?utf-8?B?UHI=?=",
        ] {
            assert_eq!(of(kept), kept);
        }
    }
}
