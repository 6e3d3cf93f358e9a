//! The tests of composer, in one program: of the library, and of the command as its users run it.

mod bag;
#[cfg(unix)]
mod build;
mod check;
mod command;
mod common;
mod completions;
mod componentize;
mod decompose;
mod deny;
mod diff;
mod doctor;
mod exports;
mod fit;
mod graph;
mod host;
mod hostile;
mod inputs;
mod inspect;
mod labels;
mod left_open;
mod link_map;
mod lock;
mod locked;
mod many;
mod mistakes;
mod new;
mod not_components;
mod oci;
mod oracle;
mod programs;
mod proposals;
mod pull;
mod purity;
mod scaffold;
mod scripts;
mod stock;
mod third_party;
#[cfg(unix)]
mod watch;
mod wire;
mod wit;
mod wit_text;
