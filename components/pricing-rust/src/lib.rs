//! The component `pricing-rust`: the standard pricing rule of `shop:pricing`, and nothing else.
//!
//! The rule itself is in [`rule`], free of any binding, so that it is tested natively. What is here binds
//! it to the world, on WebAssembly only: the exports have names that a native linker does not take.
#![deny(missing_docs)]

pub mod rule;

#[cfg(target_arch = "wasm32")]
mod component;

#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, unused_qualifications)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "shop:worlds/pricing", generate_all });

    export!(Component with_types_in self);
    use super::component::Component;
}
