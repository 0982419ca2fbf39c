//! What every HTTP listener of Hookyard shares. Knows no route.

pub mod listener;
