//! The tests of the storage, in one program: native, against a store in memory.

mod catalogue;
mod index;
mod interleavings;
mod records;
mod reservations;
mod support;
