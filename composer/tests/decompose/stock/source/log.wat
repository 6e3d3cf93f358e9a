;; Offers `test:log/writer`: a resource that others hold.
(component
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "open") (result i32) i32.const 7 call $new)
    (func (export "write") (param i32) (result i32) local.get 0))
  (type $log' (resource (rep i32)))
  (core func $new (canon resource.new $log'))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (component $typed
    (import "log" (type $log (sub resource)))
    (import "open" (func $open (result (own $log))))
    (import "write" (func $write (param "self" (borrow $log)) (result u32)))
    (export $exported "log" (type $log))
    (export "open" (func $open) (func (result (own $exported))))
    (export "[method]log.write" (func $write) (func (param "self" (borrow $exported)) (result u32))))
  (func $open (result (own $log')) (canon lift (core func $i "open")))
  (func $write (param "self" (borrow $log')) (result u32) (canon lift (core func $i "write")))
  (instance $typed (instantiate $typed
    (with "log" (type $log')) (with "open" (func $open)) (with "write" (func $write))))
  (export "test:log/writer@0.2.1" (instance $typed)))
