//! Tells what a file is by its first bytes.
//! Knows neither the file's name nor what the client said it is.

use ::image::ImageFormat;

/// Which reader looks further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image(ImageFormat),
    Zip,
    Gzip,
    Text,
    Other,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sniffed {
    pub(super) kind: Kind,
    pub(super) media_type: String,
}

impl Sniffed {
    fn new(kind: Kind, media_type: &str) -> Self {
        Self { kind, media_type: media_type.to_owned() }
    }
}

pub(super) const PLAIN: &str = "text/plain";
pub(super) const UNKNOWN: &str = "application/octet-stream";
const EMPTY: &str = "application/x-empty";

/// Documents that may look like text for as long as one looks, and are none.
const DOCUMENTS: [&str; 3] = ["application/pdf", "application/rtf", "application/postscript"];

/// `head` is the first bytes of the file, or all of them.
pub(super) fn sniff(head: &[u8]) -> Sniffed {
    let known = infer::get(head).map(|known| known.mime_type());
    if head.is_empty() {
        Sniffed::new(Kind::Other, EMPTY)
    } else if let Some(sniffed) = readable(head, known) {
        sniffed
    } else if is_utf8(head) && !has_binary(head) {
        text(known)
    } else if let Some(media_type) = known.filter(|known| !known.starts_with("text/")) {
        Sniffed::new(Kind::Other, media_type)
    } else if !has_binary(head) {
        text(known)
    } else {
        Sniffed::new(Kind::Other, UNKNOWN)
    }
}

/// Formats that another reader can look into; their signatures are long or impossible in text.
fn readable(head: &[u8], known: Option<&str>) -> Option<Sniffed> {
    Some(match head {
        [0x89, b'P', b'N', b'G', ..] => Sniffed::new(Kind::Image(ImageFormat::Png), "image/png"),
        [0xff, 0xd8, 0xff, ..] => Sniffed::new(Kind::Image(ImageFormat::Jpeg), "image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => {
            Sniffed::new(Kind::Image(ImageFormat::Gif), "image/gif")
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            Sniffed::new(Kind::Image(ImageFormat::WebP), "image/webp")
        }
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => {
            Sniffed::new(Kind::Zip, known.unwrap_or("application/zip"))
        }
        [0x1f, 0x8b, ..] => Sniffed::new(Kind::Gzip, "application/gzip"),
        _ => return None,
    })
}

/// Among text only text's own signatures count: "BM" begins a bitmap, and a letter to Bob Marley.
fn text(known: Option<&str>) -> Sniffed {
    match known {
        Some(known) if DOCUMENTS.contains(&known) => Sniffed::new(Kind::Other, known),
        Some(known) if known.starts_with("text/") => Sniffed::new(Kind::Text, known),
        _ => Sniffed::new(Kind::Text, PLAIN),
    }
}

/// Whether it is UTF-8, but for a character that the end of the head may have cut.
fn is_utf8(head: &[u8]) -> bool {
    std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Whether a byte stands there that no text has (WHATWG MIME Sniffing, "binary data byte").
pub(super) fn has_binary(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_and_type(head: &[u8]) -> (Kind, String) {
        let Sniffed { kind, media_type } = sniff(head);
        (kind, media_type)
    }

    #[test]
    fn an_empty_file_is_said_to_be_empty() {
        assert_eq!(kind_and_type(b""), (Kind::Other, "application/x-empty".to_owned()));
    }

    #[test]
    fn text_is_not_taken_for_a_format_with_a_short_signature() {
        for head in ["BMW is a car", "MZ 1", "II* seen", "ID3", "{}", "Rar!", "é", "a\tb\r\n\x0c\x1b[0m"] {
            assert_eq!(kind_and_type(head.as_bytes()), (Kind::Text, PLAIN.to_owned()), "{head}");
        }
    }

    #[test]
    fn text_in_an_old_encoding_is_text_and_a_nul_makes_it_binary() {
        assert_eq!(kind_and_type(b"caf\xe9 cr\xe8me\n").0, Kind::Text);
        assert_eq!(kind_and_type(b"caf\0").0, Kind::Other);
        assert_eq!(kind_and_type(&"a€".as_bytes()[..3]).0, Kind::Text);
    }

    #[test]
    fn markup_and_documents_are_told_apart() {
        assert_eq!(kind_and_type(b"<html><body>"), (Kind::Text, "text/html".to_owned()));
        assert_eq!(kind_and_type(b"<?xml version='1.0'?>"), (Kind::Text, "text/xml".to_owned()));
        assert_eq!(kind_and_type(b"%PDF-1.7\n"), (Kind::Other, "application/pdf".to_owned()));
        assert_eq!(kind_and_type(b"\0asm\x01\0\0\0").1, "application/wasm");
        assert_eq!(kind_and_type(b"\0\x01\x02\x03"), (Kind::Other, UNKNOWN.to_owned()));
    }

    #[test]
    fn no_prefix_of_a_signature_upsets_the_sniffer() {
        let signatures: [&[u8]; 5] = [
            b"PK\x03\x04word/[Content_Types].xml",
            b"\x89PNG\r\n\x1a\n",
            b"RIFF1234WEBPVP8 ",
            b"\x1f\x8b\x08",
            b"GIF89a",
        ];
        for signature in signatures {
            for end in 0..=signature.len() {
                sniff(&signature[..end]);
            }
        }
    }
}
