//! The subcommands: each a struct of arguments and a function.

pub mod bindgen;
pub mod build;
pub mod componentize;
pub mod compose;
pub mod graph;
pub mod inspect;
