//! What is finished and old, across tables: dead letters move to a table of their own, and rows go page by page.
//! Whole days go on Postgres: see `crate::partition::days`.

pub mod dead_letters;
pub mod pages;
