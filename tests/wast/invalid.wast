;; Components that can be encoded, and that break a rule.
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32)))
    (core instance $i (instantiate $m))
    (func (export "f") (canon lift (core func $i "f"))))
  "lowered parameter types")

(assert_invalid
  (component
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (func $f (canon lift (core func $i "f")))
    (export "f" (func $f))
    (export "F" (func $f)))
  "conflicts with previous name")

(assert_invalid
  (component
    (component $inner (import "wanted" (func)))
    (instance (instantiate $inner)))
  "missing import named `wanted`")

(assert_invalid
  (component
    (import "f" (func $f (result string)))
    (core func (canon lower (func $f))))
  "canonical option `memory` is required")

(assert_invalid
  (component (type (record)))
  "record type must have at least one field")

(assert_invalid
  (component (import "f" (func (result (borrow 0)))) (type (resource (rep i32))))
  "type index out of bounds")

(assert_invalid
  (component (import "no kebab" (func)))
  "not a valid extern name")

(assert_invalid
  (component
    (core module $m (func (export "f") (result i32)))
    (core instance (instantiate $m)))
  "type mismatch")
