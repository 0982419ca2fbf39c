//! Relative links and anchors have targets.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use crate::markdown::{anchors, pages, prose, root, targets};

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts.iter().collect()
}

/// What is wrong with a link of a page; `None` when its target and anchor exist.
fn broken(pages: &BTreeMap<PathBuf, String>, page: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = match file {
        "" => page.to_owned(),
        file => normal(&page.parent().unwrap_or(Path::new("")).join(file)),
    };
    if !root().join(&path).exists() {
        return Some(format!("{target}: no such file"));
    }
    let anchor = anchor?;
    let known = pages.get(&path).map(|text| anchors(text)).unwrap_or_default();
    (!known.contains(anchor)).then(|| format!("{target}: no such heading"))
}

#[test]
fn every_relative_link_has_a_target() {
    let (pages, mut wrong) = (pages(), Vec::new());
    for (page, text) in &pages {
        for (number, line) in prose(text) {
            let found = targets(line).into_iter().filter_map(|target| broken(&pages, page, &target));
            wrong.extend(found.map(|problem| format!("{}:{number}: {problem}", page.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_link_is_noticed() {
    let page = |path: &str, text: &str| (PathBuf::from(path), text.to_owned());
    let pages = BTreeMap::from([page("README.md", "# A title: with `code`\n"), page("docs/README.md", "")]);
    let check = |target: &str| broken(&pages, Path::new("docs/README.md"), target);
    assert_eq!(check("../README.md#a-title-with-code"), None);
    assert_eq!(check("https://example.com/nothing"), None);
    assert_eq!(check("../README.md#another"), Some("../README.md#another: no such heading".into()));
    assert_eq!(check("missing.md"), Some("missing.md: no such file".into()));
    assert_eq!(targets("see [one](a.md) and ![two](b.png), not `[three](c.md)`"), ["a.md", "b.png"]);
}
