//! The modules of a crate as its sources declare them: their files, imports, items and inline paths.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::tokens::{Token, tokens};

/// Keywords before the name of an item.
const ITEMS: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "const", "static"];

/// A module's path from the root of its crate; the root is empty.
pub type ModulePath = Vec<String>;

/// One name that a `use` brings into scope.
#[derive(Debug)]
pub struct Import {
    /// The name; `*` for all names of a module.
    pub name: String,
    /// The path as written.
    pub path: Vec<String>,
    /// Whether it is visible outside of the module.
    pub is_reexport: bool,
}

/// What one module declares and mentions.
#[derive(Debug, Default)]
pub struct Module {
    /// Its file.
    pub file: PathBuf,
    /// Names of the modules in it.
    pub children: BTreeSet<String>,
    /// Its imports.
    pub imports: Vec<Import>,
    /// Names of items that it defines.
    pub items: BTreeSet<String>,
    /// Paths that its code mentions outside of imports.
    pub mentions: Vec<Vec<String>>,
}

/// The modules of one crate.
pub type Modules = BTreeMap<ModulePath, Module>;

/// Reads the crate whose root is `root`, such as `src/lib.rs`.
pub fn read_crate(root: &Path) -> Modules {
    let mut modules = Modules::new();
    read_file(&mut modules, Vec::new(), root);
    modules
}

fn read_file(modules: &mut Modules, path: ModulePath, file: &Path) {
    let source = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let folder = file.parent().expect("a file is in a folder");
    let folder = if ["lib", "main", "mod"].contains(&stem) { folder.to_owned() } else { folder.join(stem) };
    let declared = Reader { modules, file, path, open: Vec::new(), depth: 0 }.read(&tokens(&source));
    for child in declared {
        let name = child.last().expect("a child has a name").clone();
        let candidates = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
        if let Some(file) = candidates.iter().find(|file| file.exists()) {
            read_file(modules, child, file);
        }
    }
}

/// Reads the tokens of one file.
struct Reader<'a> {
    modules: &'a mut Modules,
    file: &'a Path,
    path: ModulePath,
    /// Depths at which inline modules were opened.
    open: Vec<usize>,
    depth: usize,
}

impl Reader<'_> {
    /// Returns the modules that the file declares without a body.
    fn read(mut self, tokens: &[Token]) -> Vec<ModulePath> {
        let (mut declared, mut at) = (Vec::new(), 0);
        self.module();
        while at < tokens.len() {
            let previous = at.checked_sub(1).map(|previous| &tokens[previous]);
            match tokens[at].word() {
                Some("mod") => self.declare(&tokens[at..], &mut declared),
                Some("use") => {
                    let is_reexport =
                        previous.is_some_and(|token| token.word() == Some("pub") || token.is(')'));
                    let end = (at..tokens.len()).find(|&end| tokens[end].is(';')).unwrap_or(tokens.len());
                    self.import(&tokens[at + 1..end], is_reexport);
                    at = end;
                }
                // A lifetime is no item: `'static`.
                Some(keyword)
                    if ITEMS.contains(&keyword) && !previous.is_some_and(|token| token.is('\'')) =>
                {
                    let name = tokens.get(at + 1).and_then(Token::word);
                    self.module().items.extend(name.map(str::to_owned));
                }
                Some(_) if previous != Some(&Token::PathSeparator) => self.mention(&tokens[at..]),
                _ => self.count_braces(&tokens[at]),
            }
            at += 1;
        }
        declared
    }

    fn module(&mut self) -> &mut Module {
        let file = self.file;
        let new = || Module { file: file.to_owned(), ..Module::default() };
        self.modules.entry(self.path.clone()).or_insert_with(new)
    }

    fn declare(&mut self, tokens: &[Token], declared: &mut Vec<ModulePath>) {
        let (Some(name), Some(next)) = (tokens.get(1).and_then(Token::word), tokens.get(2)) else { return };
        let child = [self.path.clone(), vec![name.to_owned()]].concat();
        if next.is(';') {
            self.module().children.insert(name.to_owned());
            declared.push(child);
        } else if next.is('{') {
            self.module().children.insert(name.to_owned());
            self.path = child;
            self.open.push(self.depth);
            self.module();
        }
    }

    fn count_braces(&mut self, token: &Token) {
        if token.is('{') {
            self.depth += 1;
        } else if token.is('}') {
            self.depth = self.depth.saturating_sub(1);
            if self.open.last() == Some(&self.depth) {
                self.open.pop();
                self.path.pop();
            }
        }
    }

    fn import(&mut self, tree: &[Token], is_reexport: bool) {
        if tree.first() == Some(&Token::PathSeparator) {
            return; // another crate
        }
        let mut leaves = Vec::new();
        expand(tree, &[], &mut leaves);
        let imports = leaves.into_iter().map(|(name, path)| Import { name, path, is_reexport });
        self.module().imports.extend(imports);
    }

    fn mention(&mut self, tokens: &[Token]) {
        let mut path: Vec<String> = tokens[0].word().map(str::to_owned).into_iter().collect();
        for pair in tokens[1..].chunks(2) {
            let [Token::PathSeparator, Token::Word(word)] = pair else { break };
            path.push(word.clone());
        }
        if path.len() > 1 {
            self.module().mentions.push(path);
        }
    }
}

/// Expands a use tree into its leaves: the name that each binds, and its path.
fn expand(tree: &[Token], prefix: &[String], leaves: &mut Vec<(String, Vec<String>)>) {
    let (mut path, mut at) = (prefix.to_vec(), 0);
    let mut name = None;
    while at < tree.len() {
        match &tree[at] {
            Token::Word(word) if word == "as" => {
                name = tree.get(at + 1).and_then(Token::word).map(str::to_owned)
            }
            Token::Word(word) if name.is_none() => path.push(word.clone()),
            Token::Mark('*') => name = Some("*".to_owned()),
            Token::Mark('{') => {
                let end = tree.iter().rposition(|token| token.is('}')).unwrap_or(tree.len());
                branches(&tree[at + 1..end]).into_iter().for_each(|branch| expand(branch, &path, leaves));
                return;
            }
            _ => {}
        }
        at += 1;
    }
    let is_self = path.last().is_some_and(|last| last == "self") && path.len() > 1;
    if is_self {
        path.pop();
    }
    if let Some(name) = name.or_else(|| path.last().cloned()).filter(|_| !path.is_empty()) {
        leaves.push((name, path));
    }
}

/// Splits the content of braces at its commas.
fn branches(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_i32;
    let parts = tokens.split(|token| {
        depth += i32::from(token.is('{')) - i32::from(token.is('}'));
        depth == 0 && token.is(',')
    });
    parts.filter(|part| !part.is_empty()).collect()
}
