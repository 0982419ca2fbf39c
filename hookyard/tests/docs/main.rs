//! Checks the Markdown files of the repository.

mod form;
mod links;
mod markdown;
