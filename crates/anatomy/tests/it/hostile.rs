//! Whatever the bytes, reading them ends, and not in a panic.

use proptest::prelude::*;

fn seeds() -> Vec<Vec<u8>> {
    let composition = r#"(component $whole
        (import "h:h/i" (instance $host (export "f" (func (result u32)))))
        (component $Part
            (type (instance (type (instance (export "t" (type (sub resource)))))))
            (import "p:p/in" (instance $in (export "f" (func (result u32)))))
            (core func $f (canon lower (func $in "f")))
            (core module $m (@producers (language "Rust" "")) (import "" "f" (func $f (result i32)))
                (export "g" (func $f)))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func $g (result u32) (canon lift (core func $i "g")))
            (instance $out (export "f" (func $g)))
            (export "p:p/out" (instance $out)))
        (component $Through
            (alias outer 1 $Part (component $again))
            (import "in" (instance $in (export "f" (func (result u32)))))
            (instance $inner (instantiate $again (with "p:p/in" (instance $in))))
            (export "out" (instance $inner "p:p/out")))
        (instance $a (instantiate $Part (with "p:p/in" (instance $host))))
        (instance $bag (export "f" (func $host "f")))
        (instance $b (instantiate $Through (with "in" (instance $bag))))
        (export "x:x/y" (instance $b "out")))"#;
    let types = r#"(component
        (type $r (record (field "a" string) (field "b" (list u8))))
        (type (component (import "x" (func (param "a" string))) (export "y" (instance (export "z" (func))))))
        (import "s" (func (result (tuple u8 s64))))
        (core type (module (import "a" "b" (func)) (export "c" (memory 1)))))"#;
    [composition, types].map(|text| wat::parse_str(text).expect("text")).into()
}

fn seed() -> impl Strategy<Value = Vec<u8>> {
    (0..seeds().len()).prop_map(|index| seeds().swap_remove(index))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(tail in proptest::collection::vec(any::<u8>(), 0..200), component in any::<bool>()) {
        let mut bytes = if component { b"\0asm\x0d\0\x01\0".to_vec() } else { Vec::new() };
        bytes.extend(tail);
        let _ = anatomy::read(&bytes);
    }

    #[test]
    fn truncations(bytes in seed(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(bytes.len());
        // Sections are whole items: a file may also end well between two of them.
        let _ = anatomy::read(&bytes[..cut]);
    }

    #[test]
    fn mutations(
        mut bytes in seed(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = anatomy::read(&bytes);
    }

    #[test]
    fn splices(
        left in seed(), right in seed(),
        from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
    ) {
        let mut bytes = left[..from.index(left.len())].to_vec();
        bytes.extend(&right[to.index(right.len())..]);
        let _ = anatomy::read(&bytes);
    }
}
