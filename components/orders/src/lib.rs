//! The component `orders`: the shop's business logic, between the user interface on one side and storage and
//! the pricing rule on the other.
//!
//! The logic is in the modules, generic over its two neighbours, and tested natively. What is here binds it to
//! the world.
//!
//! | module | what is there |
//! |---|---|
//! | [`checkout`] | from a cart to a receipt: read this first |
//! | [`catalog`] | what is for sale |
//! | [`limits`] | the contract's limits, and what is said when one is broken |
//! | [`ports`] | what is asked of storage and of the pricing rule |
//! | [`types`] | the contract's types |
//!
//! The bindings exist on WebAssembly only: their exports have names that a native linker does not take.
#![deny(missing_docs)]

pub mod catalog;
pub mod checkout;
pub mod limits;
pub mod ports;
pub mod types;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(target_arch = "wasm32")]
mod convert;
#[cfg(target_arch = "wasm32")]
mod neighbours;

#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, unused_qualifications)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "shop:worlds/orders", generate_all });

    export!(Component with_types_in self);
    use super::component::Component;
}
