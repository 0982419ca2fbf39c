//! Which file uses an item of which other file, inside one crate. An item that is re-exported counts for the file that defines
//! it. Not counted: `mod` declarations, re-exports of a module's own children, and what a submodule uses of the modules that
//! contain it, since it is a part of them. The root of the crate counts like any other file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use crate::modules::{Import, Module, ModulePath, Modules};

/// Longest chain of re-exports that is followed.
const MAX_HOPS: usize = 16;

/// For each file the files whose items it uses, each with one of the paths that show it.
pub type Graph = BTreeMap<PathBuf, BTreeMap<PathBuf, String>>;

/// What a path leads to.
enum Target {
    Module(ModulePath),
    /// An item of this module.
    Item(ModulePath),
}

/// The imports between the files of one crate.
pub fn imports(modules: &Modules) -> Graph {
    let mut graph = Graph::new();
    for (at, module) in modules {
        let own = module.imports.iter().filter(|import| !is_reexport_of_child(modules, at, import));
        for path in own.map(|import| &import.path).chain(&module.mentions) {
            let used = definition(modules, at, path).filter(|used| used.is_empty() || !at.starts_with(used));
            let file = used.and_then(|used| modules.get(&used)).map(|used| &used.file);
            if let Some(file) = file.filter(|file| **file != module.file) {
                graph.entry(module.file.clone()).or_default().entry(file.clone()).or_insert(path.join("::"));
            }
        }
    }
    graph
}

/// The module that defines the item at the end of `path`.
fn definition(modules: &Modules, at: &ModulePath, path: &[String]) -> Option<ModulePath> {
    match resolve(modules, at, path, MAX_HOPS)? {
        Target::Item(module) => Some(module),
        Target::Module(_) => None,
    }
}

fn is_reexport_of_child(modules: &Modules, at: &ModulePath, import: &Import) -> bool {
    let Some(Target::Item(module) | Target::Module(module)) = resolve(modules, at, &import.path, MAX_HOPS)
    else {
        return false;
    };
    import.is_reexport && module.starts_with(at)
}

fn resolve(modules: &Modules, at: &ModulePath, path: &[String], hops: usize) -> Option<Target> {
    let hops = hops.checked_sub(1)?;
    let (first, mut rest) = path.split_first()?;
    let mut place = match first.as_str() {
        "crate" => Vec::new(),
        "self" => at.clone(),
        "super" => at.split_last()?.1.to_vec(),
        name => match lookup(modules, at, name, hops)? {
            Target::Module(module) => module,
            item @ Target::Item(_) => return Some(item),
        },
    };
    while let Some((segment, more)) = rest.split_first() {
        place = match segment.as_str() {
            "super" => place.split_last()?.1.to_vec(),
            name => match lookup(modules, &place, name, hops) {
                Some(Target::Module(module)) => module,
                Some(item @ Target::Item(_)) => return Some(item),
                // A macro makes it, or it comes by a glob import of another crate.
                None => return Some(Target::Item(place)),
            },
        };
        rest = more;
    }
    Some(Target::Module(place))
}

/// What `name` means in the module at `place`.
fn lookup(modules: &Modules, place: &ModulePath, name: &str, hops: usize) -> Option<Target> {
    let module = modules.get(place)?;
    if module.children.contains(name) {
        return Some(Target::Module([place.clone(), vec![name.to_owned()]].concat()));
    }
    if module.items.contains(name) {
        return Some(Target::Item(place.clone()));
    }
    let named = module.imports.iter().find(|import| import.name == name);
    // An import of another crate resolves to nothing here.
    named.map_or_else(
        || globbed(modules, place, module, name, hops),
        |import| resolve_import(modules, place, import, hops),
    )
}

fn resolve_import(modules: &Modules, place: &ModulePath, import: &Import, hops: usize) -> Option<Target> {
    // `use name::…` in the module that `name` is not a child of names another crate.
    let is_own = import.path.first().is_some_and(|first| *first != import.name || import.path.len() > 1);
    is_own.then(|| resolve(modules, place, &import.path, hops)).flatten()
}

fn globbed(
    modules: &Modules,
    place: &ModulePath,
    module: &Module,
    name: &str,
    hops: usize,
) -> Option<Target> {
    let globs = module.imports.iter().filter(|import| import.name == "*");
    globs.filter_map(|glob| resolve(modules, place, &glob.path, hops)).find_map(|target| match target {
        Target::Module(other) if other != *place => lookup(modules, &other, name, hops.checked_sub(1)?),
        _ => None,
    })
}

/// The groups of files that use each other, directly or not.
pub fn cycles(graph: &Graph) -> Vec<BTreeSet<PathBuf>> {
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        graph.keys().map(|file| (file, reachable(graph, file))).collect();
    let mut groups = BTreeSet::new();
    for (file, others) in &reached {
        if others.contains(file) {
            let group =
                others.iter().filter(|other| reached.get(**other).is_some_and(|back| back.contains(file)));
            groups.insert(group.map(|other| (*other).clone()).collect::<BTreeSet<PathBuf>>());
        }
    }
    groups.into_iter().collect()
}

fn reachable<'g>(graph: &'g Graph, from: &PathBuf) -> BTreeSet<&'g PathBuf> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        for next in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen
}
