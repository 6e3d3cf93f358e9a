//! The tests of the business logic, in one program: native, against fakes.

mod catalog;
mod checkout;
mod support;
