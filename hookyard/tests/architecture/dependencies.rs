//! Which crate may depend on which, and which external crates only some crates may name.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The workspace packages that each package may depend on; anything else is forbidden.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("migration", &[]),
    ("entity", &["platform", "domain"]),
    ("channels", &["domain"]),
    ("platform", &["domain"]),
    ("web", &["platform", "domain"]),
    ("dashboard", &["entity", "web", "platform", "domain"]),
    ("hookyard-api", &["entity", "channels", "web", "platform", "domain", "migration"]),
    ("hookyard-worker", &["dashboard", "entity", "channels", "platform", "domain", "migration"]),
    ("receiver", &["domain"]),
    (
        "hookyard",
        &[
            "hookyard-api",
            "hookyard-worker",
            "entity",
            "migration",
            "platform",
            "channels",
            "receiver",
            "domain",
        ],
    ),
];

/// Which packages may use an external crate directly.
const MAY_USE: &[(&str, &[&str])] = &[
    ("apalis", &["platform", "hookyard-worker"]),
    ("apalis-core", &["platform", "hookyard-worker"]),
    ("apalis-redis", &["platform", "hookyard-worker"]),
    ("axum", &["web", "hookyard-api", "dashboard"]),
    ("governor", &["web"]),
    ("reqwest", &["channels", "hookyard", "testkit", "bench"]),
    ("sea-orm", &["entity", "platform", "testkit"]),
    ("sea-orm-migration", &["migration"]),
    ("sea-query", &["entity"]),
    ("sqlx", &["entity", "platform", "testkit", "bench"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().expect("cargo metadata")
}

/// The packages that each of ours depends on outside of tests.
fn dependencies(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let normal = |package: &cargo_metadata::Package| {
        let kept = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        kept.map(|dependency| dependency.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

#[test]
fn dependencies_between_our_crates_go_one_way() {
    let metadata = metadata();
    let all = dependencies(&metadata);
    let free = ["testkit", "bench"];
    for (package, dependencies) in &all {
        if free.contains(&package.as_str()) {
            continue;
        }
        let (_, may) = MAY_DEPEND_ON.iter().find(|(name, _)| name == package).expect(package);
        for other in dependencies.iter().filter(|name| all.contains_key(*name)) {
            assert!(may.contains(&other.as_str()), "{package} may not depend on {other}");
        }
    }
    // bench uses testkit's servers and processes (decision 8); no crate uses bench.
    for (package, dependencies) in &all {
        assert!(!dependencies.contains("bench"), "{package} may not depend on bench");
    }
}

#[test]
fn only_listed_crates_use_apalis_axum_the_http_client_and_the_database_crates() {
    for (package, dependencies) in dependencies(&metadata()) {
        for (guarded, may) in MAY_USE {
            assert!(
                !dependencies.contains(*guarded) || may.contains(&package.as_str()),
                "{package} may not use {guarded}"
            );
        }
    }
}

#[test]
fn every_package_inherits_the_lints_of_the_workspace() {
    for package in metadata().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).expect("a manifest");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} has no [lints] of the workspace",
            package.name
        );
    }
}
