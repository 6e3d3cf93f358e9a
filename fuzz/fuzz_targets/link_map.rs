#![cfg_attr(fuzzing, no_main)]

fuzz::program!("link-map");
