//! URLs that registration accepts can be sent to: the two URL parsers never disagree.

use domain::endpoint::EndpointUrl;
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_registered_url_fits_a_request(text in r"https?://([a-z0-9.-]{1,12}|\PC{1,8})(:[0-9]{1,5})?(/\PC{0,12})?([?#]\PC{0,12})?") {
        if let Ok(url) = EndpointUrl::parse(&text) {
            prop_assert!(http::Uri::try_from(url.url().as_str()).is_ok(), "{text} -> {}", url.url());
        }
    }

    #[test]
    fn every_ascii_byte_in_path_and_query_fits_a_request(path in "[!-~]{0,20}", query in "[!-~]{0,20}") {
        if let Ok(url) = EndpointUrl::parse(&format!("http://host/{path}?{query}")) {
            prop_assert!(http::Uri::try_from(url.url().as_str()).is_ok(), "{}", url.url());
        }
    }
}
