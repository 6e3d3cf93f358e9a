//! What the tests share.

use anatomy::Component;

/// Reads a component that is written as text, and valid.
pub fn read(text: &str) -> Component {
    let bytes = wat::parse_str(text).expect("the test's own text parses");
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
        .validate_all(&bytes)
        .expect("the test's own component is valid");
    anatomy::read(&bytes).expect("a valid component can be read")
}
