//! The display and download name of a file, derived from the name that a client sent.
//! It is never used as a path on our disk.

use std::fmt::{self, Write};

/// Longest name, in bytes of UTF-8, as on common file systems.
pub const FILE_NAME_BYTES: usize = 255;
/// Longest extension (with its dot) that is kept when a name is truncated.
const EXTENSION_BYTES: usize = 32;
/// Names that Windows reserves for devices, whatever follows the first dot.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// Why a name is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileNameError {
    /// Empty, or without a visible character.
    #[error("the file name is empty")]
    Empty,
    /// Contains NUL, which Postgres can't store.
    #[error("the file name contains a NUL character")]
    Nul,
}

/// A file name that is safe to show, to put in a header and to save under on any system: one path component without
/// control or direction characters, without leading dots, at most [`FILE_NAME_BYTES`] long. Cleaning it again changes
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SafeFileName(String);

impl SafeFileName {
    /// Cleans a client's file name, which may be a path of any system.
    pub fn from_client(sent: &str) -> Result<Self, FileNameError> {
        if sent.contains('\0') {
            return Err(FileNameError::Nul);
        }
        let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
        let shown: String = last.chars().filter(|c| !is_invisible(*c)).map(portable).collect();
        let name = shown.trim_start_matches(is_edge).trim_end_matches(is_edge);
        if name.is_empty() {
            return Err(FileNameError::Empty);
        }
        let name = cut(name.to_owned());
        // After truncation, which may reveal a device name that blanks had hidden.
        Ok(Self(if is_device(&name) { cut(format!("_{name}")) } else { name }))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the extension after the last dot in lower case; empty when there is none.
    #[must_use]
    pub fn extension(&self) -> String {
        self.0.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
    }

    /// Returns the value of `Content-Disposition` for a download under this name (RFC 6266, RFC 8187), in ASCII.
    #[must_use]
    pub fn content_disposition(&self) -> String {
        let mut value = String::from("attachment; filename=\"");
        value.extend(self.0.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }));
        value.push_str("\"; filename*=UTF-8''");
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                value.push(char::from(byte));
            } else {
                write!(value, "%{byte:02X}").expect("a String takes every write");
            }
        }
        value
    }
}

impl fmt::Display for SafeFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SafeFileName> for String {
    fn from(name: SafeFileName) -> Self {
        name.0
    }
}

/// Control, direction and zero-width characters. The joiners U+200C and U+200D stay: words and emoji need them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'
                ..='\u{202e}'
        )
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Characters that Windows refuses in a name, or that end a quoted header value.
fn portable(c: char) -> char {
    if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c }
}

/// Characters removed from both ends: dots of hidden files on Unix, trailing dots and blanks that Windows drops.
fn is_edge(c: char) -> bool {
    c == '.' || c.is_whitespace()
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let port = |rest: &str| {
        matches!(rest, "¹" | "²" | "³") || (rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem.as_str()) || numbered.is_some_and(port)
}

/// Truncates the stem between characters; keeps the extension.
fn cut(mut name: String) -> String {
    if name.len() <= FILE_NAME_BYTES {
        return name;
    }
    let dot = name.rfind('.').filter(|dot| *dot > 0 && name.len() - dot <= EXTENSION_BYTES);
    let extension = name.split_off(dot.unwrap_or(name.len()));
    name.truncate(name.floor_char_boundary(FILE_NAME_BYTES - extension.len()));
    name.truncate(name.trim_end_matches(is_edge).len());
    name + &extension
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(sent: &str) -> String {
        SafeFileName::from_client(sent).expect("a usable name").into()
    }

    #[test]
    fn only_the_last_component_of_a_path_is_kept() {
        for sent in ["a.txt", "/etc/a.txt", "..\\..\\a.txt", "C:\\x\\a.txt", "../../a.txt", "x\\y/a.txt"] {
            assert_eq!(cleaned(sent), "a.txt");
        }
        assert_eq!(cleaned("C:a.txt"), "C_a.txt");
    }

    #[test]
    fn a_name_with_nothing_to_show_is_empty() {
        for sent in
            ["", " ", ".", "..", "/", "a/", "a\\", "..\\..", "\u{202e}", "\u{1}\u{7f}", " . . ", "\u{2003}"]
        {
            assert_eq!(SafeFileName::from_client(sent), Err(FileNameError::Empty), "{sent:?}");
        }
    }

    #[test]
    fn a_nul_is_refused_wherever_it_stands() {
        for sent in ["\0", "a\0.txt", "dir\0/a.txt"] {
            assert_eq!(SafeFileName::from_client(sent), Err(FileNameError::Nul));
        }
    }

    #[test]
    fn control_and_direction_characters_vanish() {
        assert_eq!(cleaned("in\u{202e}gpj\r\n.e\u{85}xe"), "ingpj.exe");
        assert_eq!(cleaned("\u{feff}a\u{2066}b\u{2069}\u{200b}.txt\u{2028}"), "ab.txt");
        assert_eq!(cleaned("family 👨\u{200d}👩.png"), "family 👨\u{200d}👩.png");
    }

    #[test]
    fn dots_and_blanks_at_the_edges_and_what_windows_refuses_are_replaced() {
        assert_eq!(cleaned("...env"), "env");
        assert_eq!(cleaned(" . hidden.txt. "), "hidden.txt");
        assert_eq!(cleaned("a<b>c:d\"e|f?g*h.txt"), "a_b_c_d_e_f_g_h.txt");
    }

    #[test]
    fn names_of_windows_devices_are_defused() {
        for sent in ["con", "NUL.txt", "Com1.tar.gz", "lpt9", "COM¹", "AUX .txt", "conin$"] {
            assert_eq!(cleaned(sent), format!("_{sent}"));
        }
        for sent in ["console.txt", "com.txt", "com10", "lptx", "nul_.txt"] {
            assert_eq!(cleaned(sent), sent);
        }
    }

    #[test]
    fn a_name_of_255_bytes_is_kept_and_one_more_is_cut_before_the_extension() {
        let longest = format!("{}.txt", "a".repeat(FILE_NAME_BYTES - 4));
        assert_eq!(cleaned(&longest), longest);
        assert_eq!(cleaned(&format!("a{longest}")), longest);
    }

    #[test]
    fn a_device_is_defused_within_the_limit_also_when_the_cut_uncovers_it() {
        let device = format!("con.{}.txt", "a".repeat(FILE_NAME_BYTES - 8));
        assert_eq!(cleaned(&device), format!("_con.{}.txt", "a".repeat(FILE_NAME_BYTES - 9)));
        assert_eq!(cleaned(&format!("con{}x", " ".repeat(300))), "_con");
    }

    #[test]
    fn a_cut_never_splits_a_character_and_drops_an_ending_that_is_no_extension() {
        let name = cleaned(&format!("{}.jpeg", "€".repeat(200)));
        assert_eq!(name, format!("{}.jpeg", "€".repeat((FILE_NAME_BYTES - 5) / 3)));
        let name = cleaned(&format!("a.{}", "é".repeat(200)));
        assert_eq!(name, format!("a.{}", "é".repeat(126)));
        let kept = format!(".{}", "x".repeat(EXTENSION_BYTES - 1));
        assert!(cleaned(&format!("{}{kept}", "a".repeat(300))).ends_with(&format!("a{kept}")));
        assert!(!cleaned(&format!("{}{kept}x", "a".repeat(300))).contains('.'));
    }

    #[test]
    fn cleaning_a_clean_name_changes_nothing() {
        let long = format!("{} . .{}", "b".repeat(250), "c".repeat(20));
        for sent in ["..\\x", "con", " .a. ", "a\u{202e}b", "naïve %.pdf", "a.b.", &long, &"€".repeat(99)]
        {
            let once = cleaned(sent);
            assert_eq!(cleaned(&once), once);
            assert!(once.len() <= FILE_NAME_BYTES);
        }
    }

    #[test]
    fn content_disposition_carries_the_name_twice() {
        let header = |sent| SafeFileName::from_client(sent).expect("a name").content_disposition();
        assert_eq!(header("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
        assert_eq!(
            header("naïve € 5%;'.pdf"),
            "attachment; filename=\"na_ve _ 5_;'.pdf\"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC%205%25%3B%27.pdf"
        );
        assert_eq!(header("a\"\r\nb\\c"), "attachment; filename=\"c\"; filename*=UTF-8''c");
    }

    #[test]
    fn the_extension_is_what_follows_the_last_dot() {
        let extension = |sent| SafeFileName::from_client(sent).expect("a name").extension();
        assert_eq!(extension("A.TAR.GZ"), "gz");
        assert_eq!(extension("readme"), "");
    }
}
