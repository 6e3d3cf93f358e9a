;; Asks two counters and the clock, and exports a plain function.
(component
  (import "left" (instance $left (export "next" (func (result u32)))))
  (import "right" (instance $right (export "next" (func (result u32)))))
  (import "test:clock/now@1.0.0" (instance $clock (export "seconds" (func (result u64)))))
  (core func $left (canon lower (func $left "next")))
  (core func $right (canon lower (func $right "next")))
  (core module $m
    (import "" "left" (func $left (result i32)))
    (import "" "right" (func $right (result i32)))
    (func (export "show") (result i32) call $left call $right i32.add))
  (core instance $i (instantiate $m (with "" (instance (export "left" (func $left)) (export "right" (func $right))))))
  (func (export "show") (result u32) (canon lift (core func $i "show"))))
