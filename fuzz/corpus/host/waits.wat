(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $p (eq $outer)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (core module $memory (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64))
  (core instance $mem (instantiate $memory))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $bytes (canon lower (func $random "get-random-bytes") (memory $mem "memory") (realloc (func $mem "realloc"))))
  (core module $m
    (import "" "block" (func $block (param i32)))
    (import "" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "" "bytes" (func $bytes (param i64 i32)))
    (func (export "wait") (param i64) local.get 0 call $subscribe call $block)
    (func (export "many") (param i64) (loop $again local.get 0 call $subscribe drop br $again))
    (func (export "random") (param i64) local.get 0 i32.const 16 call $bytes))
  (core instance $i (instantiate $m (with "" (instance
    (export "block" (func $block)) (export "subscribe" (func $subscribe)) (export "bytes" (func $bytes))))))
  (func (export "wait") (param "time" u64) (canon lift (core func $i "wait")))
  (func (export "many") (param "time" u64) (canon lift (core func $i "many")))
  (func (export "random") (param "length" u64) (canon lift (core func $i "random"))))
