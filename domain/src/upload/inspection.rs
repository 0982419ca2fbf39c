//! The results of inspecting a file, in the words that are stored and sent. The worker inspects files.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::UploadState;
use crate::string_enum::string_enum;

string_enum! {
    /// The type of a JSON document's top-level value.
    JsonKind {
        /// `{…}`
        Object = "object",
        /// `[…]`
        Array = "array",
        /// `"…"`
        String = "string",
        /// A number.
        Number = "number",
        /// `true` or `false`
        Boolean = "boolean",
        /// `null`
        Null = "null",
    }
}

/// The content of a file by kind. Stored and sent as JSON with the member `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Facts {
    /// An image, with the size in pixels that its header declares.
    Image {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Text in any ASCII-compatible encoding.
    Text {
        /// Line feeds, plus the last line when it has none.
        lines: u64,
    },
    /// Delimited text.
    Csv {
        /// Lines of the text, as for [`Facts::Text`]; a quoted field may hold several.
        lines: u64,
        /// Fields of the widest record.
        columns: u64,
    },
    /// A JSON document, by content or by name.
    Json {
        /// Whether it is valid (RFC 8259; a byte order mark is allowed).
        valid: bool,
        /// `None` when it is not valid.
        top_level: Option<JsonKind>,
    },
    /// A zip archive, or a document format based on zip.
    Zip {
        /// Files and directories.
        entries: u64,
        /// Their unpacked size, as the archive declares it.
        total_size_bytes: u64,
    },
    /// A gzipped tar archive.
    TarGz {
        /// Files, directories and links.
        entries: u64,
        /// Their unpacked size; holes of sparse files don't count.
        total_size_bytes: u64,
    },
    /// Any other file.
    Other,
}

/// The result of inspecting one file; unknown values are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Size of the uploaded file.
    pub size_bytes: u64,
    /// The digest in lowercase hex.
    pub sha256: Option<String>,
    /// The media type by content, never as the client claims.
    pub media_type: Option<String>,
    /// The content; `None` when the file could not be processed.
    pub facts: Option<Facts>,
    /// Why the file could not be processed: a sentence for its owner, without characters that a database refuses.
    pub failure: Option<String>,
}

impl Inspection {
    /// Returns the final state of an upload with this result.
    #[must_use]
    pub const fn state(&self) -> UploadState {
        if self.failure.is_some() { UploadState::Failed } else { UploadState::Processed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_written_and_read_by_their_kind() {
        let written = [
            (Facts::Image { width: 1, height: 2 }, r#"{"kind":"image","width":1,"height":2}"#),
            (Facts::Text { lines: 3 }, r#"{"kind":"text","lines":3}"#),
            (Facts::Csv { lines: 3, columns: 4 }, r#"{"kind":"csv","lines":3,"columns":4}"#),
            (
                Facts::Json { valid: true, top_level: Some(JsonKind::Null) },
                r#"{"kind":"json","valid":true,"top_level":"null"}"#,
            ),
            (
                Facts::Json { valid: false, top_level: None },
                r#"{"kind":"json","valid":false,"top_level":null}"#,
            ),
            (
                Facts::Zip { entries: 5, total_size_bytes: 6 },
                r#"{"kind":"zip","entries":5,"total_size_bytes":6}"#,
            ),
            (
                Facts::TarGz { entries: 5, total_size_bytes: 6 },
                r#"{"kind":"tar_gz","entries":5,"total_size_bytes":6}"#,
            ),
            (Facts::Other, r#"{"kind":"other"}"#),
        ];
        for (facts, text) in written {
            assert_eq!(serde_json::to_string(&facts).expect("facts are JSON"), text);
            assert_eq!(serde_json::from_str::<Facts>(text).expect("facts are read back"), facts);
        }
    }
}
