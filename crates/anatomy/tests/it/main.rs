//! The tests of anatomy, in one program.

mod bounds;
mod common;
mod hostile;
mod link_map;
mod reach;
mod read;
