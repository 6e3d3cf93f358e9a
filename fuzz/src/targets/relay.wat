(component
  (import "answer" (func $answer (result u32)))
  (core func $lowered (canon lower (func $answer)))
  (core module $m
    (import "" "answer" (func $answer (result i32)))
    (func (export "f") (result i32) call $answer i32.const 2 i32.mul))
  (core instance $i (instantiate $m (with "" (instance (export "answer" (func $lowered))))))
  (func $f (result u32) (canon lift (core func $i "f")))
  (export "doubled" (func $f)))
