//! No file may use an item of a file that uses it, directly or through others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use crate::{
    imports::{Graph, cycles, imports},
    modules::read_crate,
};

/// The imports inside each crate, by the crate's folder; paths are relative to the workspace.
fn graphs() -> BTreeMap<String, Graph> {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace contains this package");
    let relative = |file: &Path| file.strip_prefix(workspace).expect("a file of the workspace").to_owned();
    let mut graphs = BTreeMap::new();
    for folder in std::fs::read_dir(workspace).expect("a directory").flatten().map(|entry| entry.path()) {
        for root in
            ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root)).iter().filter(|root| root.exists())
        {
            let crate_name = relative(&folder).display().to_string();
            let graph: &mut Graph = graphs.entry(crate_name).or_default();
            for (file, used) in imports(&read_crate(root)) {
                graph
                    .entry(relative(&file))
                    .or_default()
                    .extend(used.into_iter().map(|(used, path)| (relative(&used), path)));
            }
        }
    }
    graphs
}

/// Lists the imports that close each cycle.
fn describe(graph: &Graph, cycles: &[BTreeSet<PathBuf>]) -> String {
    let mut text = String::new();
    for cycle in cycles {
        text.push_str("a cycle:\n");
        for file in cycle {
            for (used, path) in graph[file].iter().filter(|(used, _)| cycle.contains(*used)) {
                let (file, used) = (file.display(), used.display());
                writeln!(text, "  {file} uses {used}: {path}").expect("a string can be written to");
            }
        }
    }
    text
}

#[test]
fn no_import_cycles_between_files() {
    let graphs = graphs();
    assert!(graphs.contains_key("domain") && graphs["domain"].len() > 10, "are the sources read? {graphs:?}");
    for graph in graphs.values() {
        let cycles = cycles(graph);
        assert!(cycles.is_empty(), "{}", describe(graph, &cycles));
    }
}

#[test]
fn a_cycle_is_found_through_reexports_and_not_in_tests() {
    let folder = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("lib.rs", "mod a; mod b; pub use a::A; pub(crate) use b::{B as Other, helper};");
    write("a.rs", "use crate::{Other, C}; pub struct A(Other); // crate::helper\n");
    write("b.rs", "pub struct B; pub fn helper() {}\n#[cfg(test)]\nmod tests { use crate::A; }\n");
    let used = |graph: Graph| cycles(&graph).len();
    let root = folder.path().join("lib.rs");
    assert_eq!(used(imports(&read_crate(&root))), 0, "a test of b uses a, and its code does not");
    write("b.rs", "pub struct B; pub fn helper() { crate::A::new(\"// \\\"\", 'x') }\n");
    assert_eq!(used(imports(&read_crate(&root))), 1, "a uses b, and b uses a");
}
