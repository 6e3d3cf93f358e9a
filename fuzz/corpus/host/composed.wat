(component
  (component $Inner
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 256)
      (func (export "f") (param i32 i32) (result i32)
        (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) i32.const 16))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result string)
      (canon lift (core func $i "f") (memory $i "memory") (realloc (func $i "realloc")))))
  (component $Outer
    (import "f" (func $f (param "a" string) (result string)))
    (core module $memory (memory (export "memory") 2)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 512))
    (core instance $mem (instantiate $memory))
    (core func $low (canon lower (func $f) (memory $mem "memory") (realloc (func $mem "realloc")) string-encoding=utf16))
    (core module $m
      (import "" "f" (func $f (param i32 i32 i32)))
      (func (export "g") (param i32 i32) (result i32) local.get 0 local.get 1 i32.const 32 call $f i32.const 32))
    (core instance $i (instantiate $m (with "" (instance (export "f" (func $low))))))
    (func (export "g") (param "a" string) (result string)
      (canon lift (core func $i "g") (memory $mem "memory") (realloc (func $mem "realloc")) string-encoding=utf16)))
  (instance $inner (instantiate $Inner))
  (instance $outer (instantiate $Outer (with "f" (func $inner "f"))))
  (export "g" (func $outer "g")))
