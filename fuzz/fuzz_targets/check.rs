//! The program of the target `check`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("check");
