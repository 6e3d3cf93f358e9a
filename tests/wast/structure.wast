;; Components in components, aliases out of them and into them, instances put together from single items.
(component)

(component
  (type $number u32)
  (component $inner
    (alias outer 1 $number (type $number))
    (core module $m (func (export "f") (result i32) (i32.const 3)))
    (core instance $i (instantiate $m))
    (func (export "three") (result $number) (canon lift (core func $i "f"))))
  (component $middle
    (alias outer 1 $inner (component $inner))
    (instance $i (instantiate $inner))
    (instance $bag (export "three" (func $i "three")))
    (export "test:numbers/all@1.0.0" (instance $bag)))
  (instance $i (instantiate $middle))
  (alias export $i "test:numbers/all@1.0.0" (instance $all))
  (export "again" (instance $all))
  (export "three" (func $all "three")))

(assert_return (invoke "three") (u32.const 3))

;; A core module that starts by itself, and one that is given to another.
(component
  (core module $given (func (export "one") (result i32) (i32.const 1)))
  (core module $m
    (import "given" "one" (func $one (result i32)))
    (global $seen (mut i32) (i32.const 0))
    (func $start (global.set $seen (call $one)))
    (start $start)
    (func (export "seen") (result i32) (global.get $seen)))
  (core instance $g (instantiate $given))
  (core instance $i (instantiate $m (with "given" (instance $g))))
  (func (export "seen") (result u32) (canon lift (core func $i "seen"))))

(assert_return (invoke "seen") (u32.const 1))

;; What is imported: a core module, a component, an instance, a function and a type.
(component
  (import "module" (core module (export "f" (func))))
  (import "component" (component (export "f" (func))))
  (import "test:some/interface@0.1.0" (instance (export "f" (func))))
  (import "function" (func))
  (import "type" (type (sub resource))))
