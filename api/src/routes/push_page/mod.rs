//! `GET /push/`: the page on which a browser subscribes, with its service worker. Everything it needs is embedded
//! and served from here; it loads nothing from anywhere else, and holds no script or style within itself.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use domain::problem::ProblemCode;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Where it is, and the scope of its service worker.
const HERE: &str = "/push/";
const PAGE: &str = "index.html";
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file as it is served.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

macro_rules! asset {
    ($name:literal, $media_type:literal) => {
        Asset { name: $name, media_type: $media_type, content: include_str!(concat!("assets/", $name)) }
    };
}

const ASSETS: [Asset; 9] = [
    asset!("index.html", "text/html; charset=utf-8"),
    asset!("style.css", "text/css; charset=utf-8"),
    asset!("app.js", "text/javascript; charset=utf-8"),
    asset!("states.js", "text/javascript; charset=utf-8"),
    asset!("browser.js", "text/javascript; charset=utf-8"),
    asset!("server.js", "text/javascript; charset=utf-8"),
    asset!("sw.js", "text/javascript; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("app.webmanifest", "application/manifest+json"),
];

/// Leads to the page: without the slash it would lie outside of its own service worker's scope.
pub(crate) async fn lead() -> Redirect {
    Redirect::permanent(HERE)
}

/// The page.
pub(crate) async fn show(headers: HeaderMap) -> Result<Response, Problem> {
    serve(PAGE, &headers)
}

/// One of its files.
pub(crate) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    serve(&name, &headers)
}

fn serve(name: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(ProblemCode::NotFound)?;
    let version = version(asset.content);
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|known| known == version);
    let mut answer =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { asset.content.into_response() };
    dress(answer.headers_mut(), asset.media_type, version);
    Ok(answer)
}

/// Names do not change with the content, so browsers ask each time whether theirs is still the one: parts of two versions
/// never meet, and a new service worker is found at once.
fn dress(headers: &mut HeaderMap, media_type: &'static str, version: HeaderValue) {
    let fixed: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(ETAG, version);
}

fn version(content: &str) -> HeaderValue {
    let hash = Sha256::digest(content);
    let digits: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{digits}\"")).expect("quotes and hex digits")
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served_and_none_is_empty() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes/push_page/assets");
        let files = fs::read_dir(folder).expect("the folder");
        let mut kept: Vec<String> =
            files.map(|file| file.expect("a file").file_name().into_string().expect("a name")).collect();
        let mut served = ASSETS.map(|asset| asset.name.to_owned());
        kept.sort_unstable();
        served.sort_unstable();
        assert_eq!(kept, served);
        assert!(ASSETS.iter().all(|asset| !asset.content.trim().is_empty()));
    }

    #[test]
    fn the_page_holds_no_script_and_no_style_within_itself_and_names_only_what_is_served() {
        let page = ASSETS[0].content;
        for inline in ["<style", " style=", " onclick", "<script>", "javascript:", "http://", "https://"] {
            assert!(!page.contains(inline), "{inline}");
        }
        let named =
            page.split(['"']).filter_map(|part| part.strip_prefix(HERE)).filter(|name| !name.is_empty());
        let named: Vec<&str> = named.collect();
        assert!(
            named.len() >= 4 && named.iter().all(|name| ASSETS.iter().any(|asset| asset.name == *name)),
            "{named:?}"
        );
    }
}
