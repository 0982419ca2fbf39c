//! Checks the Markdown files of the repository: the targets and anchors of links exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

/// Directories without documents of ours.
const SKIPPED: [&str; 4] = [".git", "target", "node_modules", "data"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository")
}

/// Every Markdown file below a directory, as paths relative to `root`.
fn markdown_files(root: &Path, below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root.join(below)).expect("a directory") {
        let entry = entry.expect("an entry");
        let (name, kind) = (entry.file_name(), entry.file_type().expect("a type"));
        let path = below.join(&name);
        if kind.is_dir() && !SKIPPED.contains(&name.to_string_lossy().as_ref()) {
            markdown_files(root, &path, found);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

fn pages() -> BTreeMap<PathBuf, String> {
    let (root, mut paths) = (root(), Vec::new());
    markdown_files(&root, Path::new(""), &mut paths);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(root.join(&path)).expect("a text");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// The lines outside of code fences, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((at + 1, line))
    })
}

/// A line without its spans of inline code.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The targets of the links and images of a line.
fn targets(line: &str) -> Vec<String> {
    let line = without_code(line);
    let after = line.split("](").skip(1);
    after.filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    let titles = headings.map(|(_, line)| line.trim_start_matches('#').trim().to_lowercase());
    titles
        .map(|title| {
            let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
            let count = seen.entry(slug.clone()).or_default();
            *count += 1;
            if *count == 1 { slug } else { format!("{slug}-{}", *count - 1) }
        })
        .collect()
}

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
