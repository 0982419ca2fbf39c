//! Scripts, styles and pictures, embedded. Each kind is one file under a name that changes with its content: pages
//! load one script, because two deferred ones sometimes start in an order in which the stream never opens.

use std::collections::BTreeMap;

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Embedded;

/// The script, in the order of its parts.
const SCRIPT: [&str; 8] = [
    "vendor/htmx-4.0.1.min.js",
    "vendor/hx-sse-4.0.1.min.js",
    "vendor/uplot-1.6.32.min.js",
    "scripts/theme.js",
    "scripts/moments.js",
    "scripts/copy.js",
    "scripts/live.js",
    "scripts/chart.js",
];
/// The stylesheet, in the order of its parts.
const STYLE: [&str; 7] = [
    "vendor/uplot-1.6.32.min.css",
    "styles/tokens.css",
    "styles/base.css",
    "styles/layout.css",
    "styles/parts.css",
    "styles/overview.css",
    "styles/details.css",
];
/// What the licences of the vendored parts ask to be kept with every copy.
const LICENCES: [(&str, &str); 2] =
    [("htmx and hx-sse 4.0.1", "vendor/htmx.LICENSE"), ("uPlot 1.6.32", "vendor/uplot.LICENSE")];
const ICON: &str = "icon.svg";

/// A file as it is served.
struct Asset {
    media_type: &'static str,
    content: Vec<u8>,
}

/// Every file that pages refer to, by its name.
pub(crate) struct Assets {
    files: BTreeMap<String, Asset>,
    /// Address of the script.
    pub(crate) script: String,
    /// Address of the stylesheet.
    pub(crate) style: String,
    /// Address of the icon.
    pub(crate) icon: String,
}

impl Assets {
    /// Puts the embedded parts together.
    pub(crate) fn load() -> Self {
        let mut files = BTreeMap::new();
        let licences = licences();
        let mut add = |stem: &str, ending: &str, media_type, content: Vec<u8>| {
            let name = format!("{stem}.{}.{ending}", fingerprint(&content));
            let address = format!("/assets/{name}");
            files.insert(name, Asset { media_type, content });
            address
        };
        let script = [licences.as_bytes(), &joined(&SCRIPT, b"\n;\n")].concat();
        let style = [licences.as_bytes(), &joined(&STYLE, b"\n")].concat();
        Self {
            script: add("dashboard", "js", "text/javascript; charset=utf-8", script),
            style: add("dashboard", "css", "text/css; charset=utf-8", style),
            icon: add("icon", "svg", "image/svg+xml", part(ICON)),
            files,
        }
    }

    /// Returns the media type and the content of a file.
    pub(crate) fn find(&self, name: &str) -> Option<(&'static str, &[u8])> {
        self.files.get(name).map(|asset| (asset.media_type, asset.content.as_slice()))
    }
}

fn part(name: &str) -> Vec<u8> {
    Embedded::get(name).map(|file| file.data.into_owned()).unwrap_or_default()
}

fn joined(names: &[&str], between: &[u8]) -> Vec<u8> {
    names.iter().map(|name| part(name)).collect::<Vec<_>>().join(between)
}

fn licences() -> String {
    let licence = |(what, file): &(&str, &str)| {
        format!("{what}\n\n{}\n", String::from_utf8_lossy(&part(file)).replace("*/", "* /"))
    };
    format!("/*!\n{}*/\n", LICENCES.iter().map(licence).collect::<Vec<_>>().join("\n"))
}

/// The first 16 hex digits of the content's SHA-256.
fn fingerprint(content: &[u8]) -> String {
    hex::encode(&Sha256::digest(content)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    // rust-embed embeds nothing, silently, when a file is missing.
    #[test]
    fn every_file_is_embedded_and_used() {
        let mut embedded: Vec<String> = Embedded::iter().map(|name| name.into_owned()).collect();
        let licences = LICENCES.map(|(_, file)| file);
        let mut used: Vec<&str> = [SCRIPT.as_slice(), &STYLE, &licences, &[ICON]].concat();
        embedded.sort();
        used.sort_unstable();
        assert_eq!(embedded, used);
        for name in used {
            assert!(!part(name).is_empty(), "{name} is empty");
        }
    }

    #[test]
    fn names_change_with_the_content_alone() {
        let (one, other) = (Assets::load(), Assets::load());
        assert_eq!(one.script, other.script);
        assert_eq!(one.files.len(), 3);
        assert_ne!(fingerprint(b"a"), fingerprint(b"b"));
    }

    #[test]
    fn the_script_carries_the_licences_of_its_parts() {
        let assets = Assets::load();
        let script = assets.files.iter().find(|(name, _)| name.ends_with(".js")).expect("a script").1;
        let text = String::from_utf8_lossy(&script.content);
        assert!(text.contains("Zero-Clause BSD") && text.contains("Copyright (c) 2022 Leon Sorokin"));
        assert!(text.contains("version=\"4.0.1\"") || text.contains("4.0.1"));
    }
}
