//! The subcommands: each a struct of arguments and a function.

pub mod bindgen;
pub mod build;
pub mod check;
pub mod componentize;
pub mod compose;
pub mod decompose;
pub mod deny;
pub mod explain;
pub mod inspect;
pub mod wit;
