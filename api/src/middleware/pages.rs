//! The paths that pages of other origins may use.

/// Returns whether a path is made for pages of other origins: the notifications API is, and `CORS_ORIGINS` says whose.
pub(crate) fn is_for_pages(path: &str) -> bool {
    path.starts_with("/api/") || path == "/webhook/update"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notifications_api_is_for_pages_and_no_other() {
        for path in ["/api/stats", "/api/push/subscribe", "/webhook/update"] {
            assert!(is_for_pages(path), "{path}");
        }
        for path in ["/webhook/register", "/v1/errors", "/apiary", "/webhook", "/"] {
            assert!(!is_for_pages(path), "{path}");
        }
    }
}
