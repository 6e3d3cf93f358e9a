//! The tests of the fuzz targets, in one program: they need no fuzzer.

mod large;
mod replay;
