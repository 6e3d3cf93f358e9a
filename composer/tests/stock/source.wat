;; Offers what `relay` asks for, and asks the host for the same.
(component
  (import "host:a/b" (instance $in (export "f" (func (result u32)))))
  (core func $f (canon lower (func $in "f")))
  (core module $m
    (import "" "f" (func $f (result i32)))
    (export "g" (func $f))
    (@producers (language "Rust" "") (processed-by "rustc" "1.2.3")))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func $g (result u32) (canon lift (core func $i "g")))
  (instance $out (export "f" (func $g)))
  (export "test:source/out" (instance $out)))
