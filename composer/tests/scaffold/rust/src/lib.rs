//! The component `mine`, for the world `every`.
//!
//! Everything, for one component.
//!
//! What it may call is in `bindings`: `test:every/shared@1.2.0`, `log`.
//!
//! What is exported is in `component.rs`. The bindings exist on WebAssembly only: their exports have
//! names that a native linker does not take. Logic in modules of its own can be tested natively.
#![deny(missing_docs)]

#[cfg(target_arch = "wasm32")]
mod component;

#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, unused_qualifications)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "every", generate_all });

    export!(Component with_types_in self);
    use super::component::Component;
}
