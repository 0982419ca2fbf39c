//! Lines and pages keep their bounds, and the index of `docs/` links every page.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::markdown::{pages, prose, targets};

/// Longest line outside of tables and code, in characters.
const WIDTH: usize = 100;
/// Most lines of a page.
const PAGE_LINES: usize = 300;
/// Most lines of the README.
const README_LINES: usize = 150;

#[test]
fn lines_and_pages_keep_their_bounds() {
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        let most = if page == Path::new("README.md") { README_LINES } else { PAGE_LINES };
        let lines = text.lines().count();
        if lines > most {
            wrong.push(format!("{}: {lines} lines, at most {most} are allowed", page.display()));
        }
        let long =
            |line: &str| line.chars().count() > WIDTH && !line.starts_with('|') && !line.contains("://");
        let long = prose(&text).filter(|(_, line)| long(line));
        wrong.extend(long.map(|(number, _)| format!("{}:{number}: over {WIDTH} characters", page.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pages that the index of a directory links.
fn linked_by(index: &Path, text: &str) -> BTreeSet<PathBuf> {
    let folder = index.parent().unwrap_or(Path::new(""));
    prose(text).flat_map(|(_, line)| targets(line)).map(|target| folder.join(target)).collect()
}

#[test]
fn the_indexes_link_every_page() {
    let pages = pages();
    let is_index = |page: &Path| page.starts_with("docs") && page.ends_with("README.md");
    let indexes = pages.iter().filter(|(page, _)| is_index(page));
    let linked: BTreeSet<PathBuf> = indexes.flat_map(|(page, text)| linked_by(page, text)).collect();
    let main = Path::new("docs/README.md");
    for page in pages.keys().filter(|page| page.starts_with("docs") && *page != main) {
        assert!(linked.contains(page), "no README.md below docs links {}", page.display());
    }
}
