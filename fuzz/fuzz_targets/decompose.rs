//! The program of the target `decompose`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("decompose");
