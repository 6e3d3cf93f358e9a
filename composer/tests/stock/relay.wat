;; Passes on what it is given.
(component
  (import "test:source/out" (instance $in (export "f" (func (result u32)))))
  (core func $f (canon lower (func $in "f")))
  (core module $m
    (import "" "f" (func $f (result i32)))
    (export "g" (func $f)))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func $g (result u32) (canon lift (core func $i "g")))
  (instance $out (export "f" (func $g)))
  (export "test:relay/out" (instance $out)))
