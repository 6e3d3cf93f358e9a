//! The program of the target `wit`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("wit");
