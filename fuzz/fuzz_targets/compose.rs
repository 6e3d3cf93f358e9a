//! The program of the target `compose`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("compose");
