//! Parameters of `Content-Type` and `Content-Disposition`, read as clients write them.
//! Where a `Content-Type` has several boundaries the last one counts: curl appends its own to a given header.

use domain::problem::ProblemCode;
use http::{HeaderMap, header::CONTENT_TYPE};

use crate::problem::Problem;

/// Longest boundary (RFC 2046 §5.1.1), in characters.
pub(crate) const MAX_BOUNDARY: usize = 70;

/// The boundary of a `multipart/form-data` body: 415 for any other type, 400 without a usable boundary.
pub(crate) fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else {
        return Err(not_multipart());
    };
    let (essence, rest) = split(given.as_bytes());
    if !essence.eq_ignore_ascii_case(b"multipart/form-data") {
        return Err(not_multipart());
    }
    let last = parameters(rest).into_iter().rfind(|(name, _)| name.eq_ignore_ascii_case("boundary"));
    let (_, value) = last.ok_or_else(|| bad("the content type has no boundary"))?;
    if value.len() > MAX_BOUNDARY {
        return Err(bad("the boundary has more than 70 characters"));
    }
    if !is_boundary(&value) {
        return Err(bad("the boundary has characters that a boundary cannot have"));
    }
    Ok(value)
}

fn not_multipart() -> Problem {
    Problem::new(ProblemCode::UnsupportedMediaType, "the content type must be multipart/form-data")
}

fn bad(what: &'static str) -> Problem {
    Problem::new(ProblemCode::BadRequest, what)
}

fn is_boundary(text: &str) -> bool {
    !text.is_empty() && !text.ends_with(' ') && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// What stands before the first `;`, and the rest.
pub(super) fn split(header: &[u8]) -> (&[u8], &[u8]) {
    let end = header.iter().position(|byte| *byte == b';').unwrap_or(header.len());
    (header[..end].trim_ascii(), &header[end..])
}

/// Every `name=value` of `; a=b; c="d"`, in order. Bytes that are not UTF-8 are replaced.
pub(super) fn parameters(mut rest: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some(start) = rest.iter().position(|byte| !matches!(byte, b';' | b' ' | b'\t')) {
        rest = &rest[start..];
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'=' | b';')) else {
            break;
        };
        let name = String::from_utf8_lossy(rest[..end].trim_ascii()).into_owned();
        let is_pair = rest[end] == b'=';
        rest = rest[end + 1..].trim_ascii_start();
        if is_pair {
            let value = if rest.first() == Some(&b'"') { quoted(&mut rest) } else { token(&mut rest) };
            found.push((name, String::from_utf8_lossy(&value).into_owned()));
        }
    }
    found
}

fn token(rest: &mut &[u8]) -> Vec<u8> {
    let (value, behind) = split(rest);
    *rest = behind;
    value.to_vec()
}

/// Up to the closing quote. Only `\"` and `\\` are escapes: some browsers send Windows paths as they are.
fn quoted(rest: &mut &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match (byte, rest.get(at + 1)) {
            (b'"', _) => break,
            (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                value.push(*escaped);
                at += 1;
            }
            _ => value.push(byte),
        }
        at += 1;
    }
    *rest = rest.get(at + 1..).unwrap_or(&[]);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content_type: &str) -> Result<String, u16> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().expect("a header value"))]);
        boundary(&headers).map_err(|problem| problem.code.status())
    }

    #[test]
    fn the_last_boundary_counts() {
        let curl = "multipart/form-data; boundary=---011000010111000001101001; boundary=------------------------d74496";
        assert_eq!(of(curl), Ok("------------------------d74496".into()));
        assert_eq!(of("Multipart/Form-Data;BOUNDARY=\"a b\";charset=utf-8"), Ok("a b".into()));
        assert_eq!(of(r#"multipart/form-data; x="; boundary=no"; boundary=yes"#), Ok("yes".into()));
    }

    #[test]
    fn another_type_is_415_and_a_bad_boundary_400() {
        for other in ["application/json", "multipart/mixed; boundary=x", "text/plain", "", "boundary=x"] {
            assert_eq!(of(other), Err(415), "{other}");
        }
        assert_eq!(boundary(&HeaderMap::new()).map_err(|problem| problem.code.status()), Err(415));
        let long = "b".repeat(MAX_BOUNDARY);
        assert_eq!(of(&format!("multipart/form-data; boundary={long}")), Ok(long.clone()));
        for bad in
            [String::new(), "; boundary=".into(), "; boundary=\"\"".into(), format!("; boundary={long}b")]
        {
            assert_eq!(of(&format!("multipart/form-data{bad}")), Err(400), "{bad}");
        }
    }

    #[test]
    fn quotes_and_escapes_are_read_as_clients_write_them() {
        let read = |text: &str| parameters(text.as_bytes());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read(r#"; name="file"; filename="a \"b\" ; name=x.png""#),
            [pair("name", "file"), pair("filename", r#"a "b" ; name=x.png"#)]
        );
        assert_eq!(read(r#"; filename="C:\dir\file.txt""#), [pair("filename", r"C:\dir\file.txt")]);
        assert_eq!(read(r#";name=file ;filename="open"#), [pair("name", "file"), pair("filename", "open")]);
        assert_eq!(read("; name; =x; a="), [pair("", "x"), pair("a", "")]);
        assert_eq!(parameters(b"; filename=\"caf\xe9\""), [pair("filename", "caf\u{fffd}")]);
    }
}
