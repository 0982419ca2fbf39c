//! Signed links to uploaded files: created with an event, verified when the file is fetched.
//! A link is valid for one file until its expiry; nothing about it is stored.

use domain::{clock::Millis, id::UploadId};
use url::Url;

use crate::keys::Keys;

/// Why a link is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The signature does not match this file and expiry.
    #[error("the link was changed, or is not ours")]
    Changed,
    /// The link was valid once.
    #[error("the link has expired")]
    Expired,
}

/// Returns the link to an upload's file under `public_url`, valid until `expires`, rounded down to the second.
#[must_use]
pub fn download_url(public_url: &Url, keys: &Keys, upload: UploadId, expires: Millis) -> String {
    let (base, expires) = (public_url.as_str().trim_end_matches('/'), expires.seconds());
    let signature = keys.link_signature(&signed_text(upload, expires));
    format!("{base}/v1/uploads/{upload}/file?expires={expires}&signature={signature}")
}

/// Verifies a link's parameters (`expires` in seconds since the epoch) for this upload's file at `now`.
///
/// # Errors
/// [`LinkError::Changed`] takes precedence over [`LinkError::Expired`], so a forged link reveals nothing.
pub fn check(
    keys: &Keys,
    upload: UploadId,
    expires: i64,
    signature: &str,
    now: Millis,
) -> Result<(), LinkError> {
    if !keys.verify_link(&signed_text(upload, expires), signature) {
        return Err(LinkError::Changed);
    }
    if expires <= now.seconds() { Err(LinkError::Expired) } else { Ok(()) }
}

fn signed_text(upload: UploadId, expires: i64) -> String {
    format!("{upload}:{expires}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(keys: &Keys, upload: UploadId, base: &str) -> Url {
        let made = download_url(&base.parse().expect("a URL"), keys, upload, Millis(1_000_999));
        made.parse().expect("a URL")
    }

    fn signature(link: &Url) -> String {
        link.query_pairs().find(|(name, _)| name == "signature").expect("it is signed").1.into_owned()
    }

    #[test]
    fn a_link_stands_under_the_public_url_with_or_without_a_path() {
        let (keys, upload) = (Keys::new(&[7; 32]), UploadId::new());
        for base in ["https://a.test", "https://a.test/", "https://a.test/hooks", "https://a.test/hooks/"] {
            let link = link(&keys, upload, base);
            let root = base.trim_end_matches('/');
            assert!(
                link.as_str()
                    .starts_with(&format!("{root}/v1/uploads/{upload}/file?expires=1000&signature="))
            );
        }
    }

    #[test]
    fn a_link_opens_its_file_until_its_second_and_no_other() {
        let (keys, upload) = (Keys::new(&[7; 32]), UploadId::new());
        let signature = signature(&link(&keys, upload, "https://a.test"));
        assert_eq!(check(&keys, upload, 1_000, &signature, Millis(999_999)), Ok(()));
        assert_eq!(check(&keys, upload, 1_000, &signature, Millis(1_000_000)), Err(LinkError::Expired));
        assert_eq!(check(&keys, UploadId::new(), 1_000, &signature, Millis(0)), Err(LinkError::Changed));
        assert_eq!(check(&keys, upload, 1_001, &signature, Millis(0)), Err(LinkError::Changed));
        assert_eq!(check(&keys, upload, 1_000, "", Millis(0)), Err(LinkError::Changed));
        assert_eq!(check(&keys, upload, 1_000, &signature[2..], Millis(0)), Err(LinkError::Changed));
        let other = Keys::new(&[8; 32]);
        assert_eq!(check(&other, upload, 1_000, &signature, Millis(0)), Err(LinkError::Changed));
    }
}
