//! Which test runs the statements of each module on both databases. A module that is not listed fails this test; so does a
//! query of a module of this suite that no story calls.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// How a file says that its stories run on both databases.
const ON_BOTH: [&str; 3] = ["on_both_shapes! {", "on_both_databases! {", "in_both_towns! {"];
/// This suite's own stories.
const HERE: &str = "entity/tests/conformance";

/// A module with statements, and the file or folder of tests that runs them on both databases.
const MODULES: &[(&str, &str)] = &[
    ("attempt/rates", HERE),
    ("broadcast/insert", "hookyard/tests/notifications"),
    ("broadcast/page", "hookyard/tests/notifications"),
    ("broadcast/queries", HERE),
    ("delivery/backlog", HERE),
    ("delivery/bodies", "hookyard/tests/engine/handovers.rs"),
    ("delivery/claim", "hookyard/tests/engine/claims.rs"),
    ("delivery/claim/limited", "hookyard/tests/engine/limits.rs"),
    ("delivery/claim/recipients", "hookyard/tests/notifications"),
    ("delivery/ending", "hookyard/tests/engine/held_bounds.rs"),
    ("delivery/gauges", HERE),
    ("delivery/insert", "hookyard/tests/engine/accepts.rs"),
    ("delivery/manual", "hookyard/tests/engine/manual_moves.rs"),
    ("delivery/queries", HERE),
    ("delivery/record", "hookyard/tests/engine/races.rs"),
    ("delivery/record/successes", "hookyard/tests/engine/successes.rs"),
    ("delivery/totals", HERE),
    ("delivery/vacuum", HERE),
    ("endpoint", HERE),
    ("endpoint/recipients", "hookyard/tests/engine/publishing.rs"),
    ("endpoint/target", "hookyard/tests/engine/handovers.rs"),
    ("error_log/queries", HERE),
    ("event/insert", "hookyard/tests/engine/disabled_notice.rs"),
    ("event/publish", "hookyard/tests/engine/accepts.rs"),
    ("event/queries", HERE),
    ("event_type/queries", HERE),
    ("event_type/remove", "api/tests/it/event_types.rs"),
    ("idempotency_key", "hookyard/tests/engine/publishing.rs"),
    ("invariants", "hookyard/tests/engine/doctor.rs"),
    ("lane/backlog", "hookyard/tests/engine/handovers.rs"),
    ("lane/disabled_notice", "hookyard/tests/engine/disabled_notice.rs"),
    ("lane/health", "hookyard/tests/engine/breaker.rs"),
    ("lane/queries", HERE),
    ("lane/scan", "hookyard/tests/engine/corrupt_rows.rs"),
    ("lease", HERE),
    ("message/insert", "hookyard/tests/engine/messages.rs"),
    ("message/queries", HERE),
    ("message_total/grow", "hookyard/tests/engine/messages.rs"),
    ("notice/insert", "api/tests/it/notices.rs"),
    ("notice/queries", HERE),
    ("partition", HERE),
    ("placement/insert", "api/tests/it/placements.rs"),
    ("placement/queries", HERE),
    ("process/queries", HERE),
    ("push_subscription/queries", HERE),
    ("push_subscription/store", "api/tests/it/push_subscriptions.rs"),
    ("replay/page", "hookyard/tests/engine/replays.rs"),
    ("replay/queries", HERE),
    ("retention", "hookyard/tests/engine/retention.rs"),
    ("subscriber/queries", HERE),
    ("subscriber/upsert", "api/tests/it/statistics.rs"),
    ("time_limited", HERE),
    ("upload/claim", HERE),
    ("upload/finish", "hookyard/tests/engine/uploads.rs"),
    ("upload/insert", "hookyard/tests/engine/uploads.rs"),
    ("upload/queries", HERE),
];

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// Every file below `folder`, or `folder` itself where it is a file.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    if folder.is_file() {
        return vec![(folder.to_owned(), fs::read_to_string(folder).expect("text"))];
    }
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.flat_map(|entry| sources(&entry.expect("an entry").path())).collect()
}

/// How the public functions are called that read or write: those that are async, and those that build a statement. A function
/// is called by the path of its module, a method by a dot.
fn calls(path: &str, source: &str) -> Vec<String> {
    let functions = source.split("\npub ").skip(1).filter_map(query).map(|name| format!("{path}::{name}"));
    let methods = source.split("\n    pub ").skip(1).filter_map(query).map(|name| format!(".{name}"));
    functions.chain(methods).collect()
}

/// The name of the function that the text begins with, if it reads or writes.
fn query(text: &str) -> Option<&str> {
    let head = text.split('{').next()?;
    let rest = match text.strip_prefix("async fn ") {
        Some(rest) => rest,
        None if head.contains("-> SqlBuilder") => text.strip_prefix("fn ")?,
        None => return None,
    };
    rest.split(['(', '<']).next()
}

/// The calls of each file of `entity/src`, by the file's path without its ending.
fn all_calls() -> BTreeMap<String, Vec<String>> {
    let src = root().join("entity/src");
    let of_file = |(path, source): (PathBuf, String)| {
        let module = path.strip_prefix(&src).expect("below it").with_extension("");
        let module = module.to_string_lossy().into_owned();
        let found = calls(&module.trim_end_matches("/mod").replace('/', "::"), &source);
        (!found.is_empty()).then_some((module, found))
    };
    sources(&src).into_iter().filter_map(of_file).collect()
}

/// The entry that a file belongs to: the longest that it lies in.
fn entry(module: &str) -> Option<(&'static str, &'static str)> {
    let lies_in =
        |entry: &str| module.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    MODULES.iter().copied().filter(|(entry, _)| lies_in(entry)).max_by_key(|(entry, _)| entry.len())
}

#[test]
fn every_module_with_statements_is_run_on_both_databases() {
    let modules = all_calls();
    assert!(modules.len() >= 20, "the sources were found: {modules:?}");
    let missing: Vec<&String> = modules.keys().filter(|module| entry(module).is_none()).collect();
    assert!(missing.is_empty(), "name the test that runs these on both databases: {missing:?}");
    for (module, tests) in MODULES {
        assert!(
            modules.keys().any(|file| entry(file).is_some_and(|(entry, _)| entry == *module)),
            "{module} has no query"
        );
        let on_both = |source: &str| ON_BOTH.iter().any(|words| source.contains(words));
        let runs = sources(&root().join(tests)).iter().any(|(_, source)| on_both(source));
        assert!(runs, "{tests} does not run on both databases");
    }
}

#[test]
fn every_query_of_a_module_of_this_suite_is_called_by_a_story() {
    let stories: String = sources(&root().join(HERE)).into_iter().map(|(_, source)| source).collect();
    for (module, calls) in all_calls() {
        if entry(&module).is_some_and(|(_, tests)| tests == HERE) {
            let is_called =
                |call: &str| ["(", "::<"].iter().any(|open| stories.contains(&format!("{call}{open}")));
            let missing: Vec<&String> = calls.iter().filter(|call| !is_called(call)).collect();
            assert!(missing.is_empty(), "no story calls {missing:?} of {module}");
        }
    }
}
