//! The subcommands: each a struct of arguments and a function.

pub mod bindgen;
pub mod build;
pub mod check;
pub mod completions;
pub mod componentize;
pub mod compose;
pub mod decompose;
pub mod deny;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod graph;
pub mod inspect;
pub mod new;
pub mod watch;
pub mod wit;
