//! The architecture of the workspace: which crate may depend on which, and no import cycles between the files of a crate.

mod cycles;
mod dependencies;
mod imports;
mod modules;
mod tokens;
