;; What an engine has behind a switch of its own: maps, lists of fixed length, names that say what they implement.
(component
  (core module $m
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (memory.copy (local.get $at) (local.get 0)
        (select (local.get 1) (local.get 3) (i32.lt_u (local.get 1) (local.get 3))))
      (local.get $at))
    (func (export "two") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "three") (param i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.store (i32.const 24) (local.get 2))
      (i32.const 16))
    (func (export "bytes") (param i32 i32 i32) (result i32)
      (i32.store8 (i32.const 16) (local.get 0))
      (i32.store8 (i32.const 17) (local.get 1))
      (i32.store8 (i32.const 18) (local.get 2))
      (i32.const 16))
    (func (export "byte-and-long") (param i32 i64) (result i32)
      (i32.store8 (i32.const 16) (local.get 0))
      (i64.store (i32.const 24) (local.get 1))
      (i32.const 16))
    (func (export "over") (param i32)))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (alias core export $i "over" (core func $over))
  (func (export "map") (param "it" (map u32 string)) (result (map u32 string))
    (canon lift (core func $i "two") (memory $memory) (realloc $realloc))))

;; A script has no text for a map: it is called as a list of pairs.
(assert_return
  (invoke "map" (list.const (tuple.const (u32.const 1) (str.const "one"))))
  (list.const (tuple.const (u32.const 1) (str.const "one"))))

(component
  (core module $m
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (memory.copy (local.get $at) (local.get 0)
        (select (local.get 1) (local.get 3) (i32.lt_u (local.get 1) (local.get 3))))
      (local.get $at))
    (func (export "two") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "three") (param i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.store (i32.const 24) (local.get 2))
      (i32.const 16))
    (func (export "bytes") (param i32 i32 i32) (result i32)
      (i32.store8 (i32.const 16) (local.get 0))
      (i32.store8 (i32.const 17) (local.get 1))
      (i32.store8 (i32.const 18) (local.get 2))
      (i32.const 16))
    (func (export "byte-and-long") (param i32 i64) (result i32)
      (i32.store8 (i32.const 16) (local.get 0))
      (i64.store (i32.const 24) (local.get 1))
      (i32.const 16))
    (func (export "over") (param i32)))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (alias core export $i "over" (core func $over))
  (func (export "fixed") (param "it" (list u8 3)) (result (list u8 3))
    (canon lift (core func $i "bytes") (memory $memory))))

(assert_return
  (invoke "fixed" (list.const (u8.const 1) (u8.const 2) (u8.const 3)))
  (list.const (u8.const 1) (u8.const 2) (u8.const 3)))

(component
  (component $one
    (core module $m (func (export "f") (result i32) (i32.const 1)))
    (core instance $i (instantiate $m))
    (func (export "number") (result u32) (canon lift (core func $i "f"))))
  (component $user
    (type $numbers (instance (export "number" (func (result u32)))))
    (import "first" (implements "test:numbers/numbers@1.0.0") (instance $first (type $numbers)))
    (import "second" (implements "test:numbers/numbers@1.0.0") (instance $second (type $numbers)))
    (core func $f (canon lower (func $first "number")))
    (core func $s (canon lower (func $second "number")))
    (core module $m
      (import "" "f" (func $f (result i32)))
      (import "" "s" (func $s (result i32)))
      (func (export "sum") (result i32) (i32.add (call $f) (call $s))))
    (core instance $i (instantiate $m
      (with "" (instance (export "f" (func $f)) (export "s" (func $s))))))
    (func (export "sum") (result u32) (canon lift (core func $i "sum"))))
  (instance $a (instantiate $one))
  (instance $b (instantiate $one))
  (instance $u (instantiate $user (with "first" (instance $a)) (with "second" (instance $b))))
  (export "sum" (func $u "sum")))

(assert_return (invoke "sum") (u32.const 2))

;; It is read as it is, and asks its host.
(component
  (import "main-queue" (implements "test:bus/queue@1.0.0") (instance (export "push" (func (param "m" string))))))
