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

#[test]
fn the_index_links_every_page() {
    let pages = pages();
    let index = &pages[Path::new("docs/README.md")];
    let linked: BTreeSet<PathBuf> = prose(index)
        .flat_map(|(_, line)| targets(line))
        .map(|target| Path::new("docs").join(target))
        .collect();
    for page in pages.keys().filter(|page| page.starts_with("docs") && !page.ends_with("README.md")) {
        let folder = page.parent().expect("below docs");
        let listed = linked.contains(page)
            || (folder != Path::new("docs") && linked.contains(&folder.join("README.md")));
        assert!(listed, "docs/README.md does not link {}", page.display());
    }
}
