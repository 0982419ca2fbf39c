//! `GET /messages?q=…`: a part of the text, whatever its case, and nothing in it is special.

use std::time::Duration;

use api::Limits;
use serde_json::json;

use crate::{
    both::on_both_databases,
    harness::{STALL, TestApi},
};

const TEXTS: [(&str, &str); 9] = [
    ("1 plain", "Hello World"),
    ("2 percent", "100% sure"),
    ("3 underscore", "snake_case"),
    ("4 german", "Viele Grüße aus der Straße"),
    ("5 greek", "Ο ΟΔΟΣ και το ΣΗΜΑ"),
    ("6 russian", "Привет, мир"),
    ("7 backslash", r"C:\path 'quoted' \"),
    ("8 crab", "eine 🦀 und e\u{301}"),
    ("9 empty", ""),
];

on_both_databases! {
    async fn text_is_searched_case_insensitively(api: TestApi) {
        for (id, text) in TEXTS {
            api.taken_with(json!({"message_id": id, "text": text})).await;
        }
        api.taken_with(json!({"message_id": "without", "text": null})).await;
        for (q, found) in [
            ("hello", &["1 plain"][..]),
            ("O+WOR", &["1 plain"]),
            ("o%20wor", &["1 plain"]),
            ("%25", &["2 percent"]),
            ("0%25%20S", &["2 percent"]),
            ("_", &["3 underscore"]),
            ("SNAKE_C", &["3 underscore"]),
            ("snakeXcase", &[]),
            ("GR%C3%9CSSE", &["4 german"]),
            ("strasse", &["4 german"]),
            ("stra%C3%9Fe", &["4 german"]),
            ("grusse", &[]),
            ("%CE%BF%CE%B4%CE%BF%CF%82", &["5 greek"]),
            ("%CF%83%CE%B7", &["5 greek"]),
            ("%D0%9F%D0%A0%D0%98%D0%92%D0%95%D0%A2", &["6 russian"]),
            ("%5C", &["7 backslash"]),
            ("'QUOTED'", &["7 backslash"]),
            ("%F0%9F%A6%80", &["8 crab"]),
            ("hello%20world!", &[]),
            ("1%20plain", &[]),
        ] {
            let (ids, total) = api.ids(&format!("q={q}")).await;
            assert_eq!(ids, found, "{q}");
            assert_eq!(total, i64::try_from(found.len()).expect("few"), "{q}");
        }
        assert_eq!(api.ids("q=").await.1, 10, "left empty: every text, and none");
    }

    async fn a_search_is_paged_and_filtered_like_a_list(api: TestApi) {
        for n in 0..10 {
            let from = if n % 2 == 0 { "+1" } else { "+2" };
            let text = if n == 9 { "other" } else { "needle" };
            api.taken_with(json!({"message_id": n.to_string(), "from": from, "text": text})).await;
        }
        let of = |ids: &[&str], total| (ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(), total);
        assert_eq!(api.ids("q=NEEDLE&limit=2&offset=3").await, of(&["3", "4"], 9));
        assert_eq!(api.ids("q=needle&from=%2B2").await, of(&["1", "3", "5", "7"], 4));
        assert_eq!(api.ids("q=needle&from=%2B2&limit=1&offset=3").await, of(&["7"], 4));
        assert_eq!(api.ids("q=needle&offset=9").await, of(&[], 9));
    }
}

#[tokio::test]
async fn a_search_without_a_slot_is_503_and_plain_pages_need_none() {
    let limits =
        Limits { searches: 0, search: Duration::from_millis(100), stall: STALL, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    api.taken_with(json!({})).await;
    for searched in ["q=hello", "since=2025-01-15T10:00:00Z", "from=%2B919876543210&q=x"] {
        let answer = api.get(&format!("/messages?{searched}")).await;
        assert_eq!(
            (answer.status, answer.json()["detail"].is_string()),
            (503, true),
            "{searched}: {answer:?}"
        );
    }
    for plain in ["", "from=%2B919876543210", "offset=10000", "offset=9223372036854775807"] {
        assert_eq!(api.ids(plain).await.1, 1, "{plain}");
    }
    assert_eq!(api.get("/stats").await.status, 200);
}

#[tokio::test]
async fn a_page_with_a_large_offset_counts_as_a_search() {
    let limits =
        Limits { searches: 0, search: Duration::from_millis(500), stall: STALL, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    super::plans::fill(&api).await;
    let (ids, total) = api.ids("limit=1&offset=10000").await;
    assert_eq!((ids, total), (vec!["m10001".to_owned()], 20_000));
    assert_eq!(api.get("/messages?limit=1&offset=10001").await.status, 503);
    assert_eq!(
        api.ids("limit=1&offset=20000").await,
        (vec![], 20_000),
        "beyond the end there is nothing to walk to"
    );
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_503() {
    let limits = Limits { searches: 1, search: Duration::from_nanos(1), stall: STALL, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    super::plans::fill(&api).await;
    let answer = api.get("/messages?q=nowhere").await;
    assert_eq!((answer.status, answer.json()["detail"].is_string()), (503, true), "{answer:?}");
}
