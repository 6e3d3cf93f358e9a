//! The program of the target `link-map`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("link-map");
