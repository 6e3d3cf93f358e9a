;; Asynchronous functions, streams and futures.
(component
  (core func $return (canon task.return (result u32)))
  (core module $m
    (import "" "return" (func $return (param i32)))
    (func (export "seven") (result i32) (call $return (i32.const 7)) (i32.const 0))
    (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $m (with "" (instance (export "return" (func $return))))))
  (func (export "seven") async (result u32)
    (canon lift (core func $i "seven") async (callback (func $i "callback")))))

(assert_return (invoke "seven") (u32.const 7))

(component
  (type $bytes (stream u8))
  (core func $new (canon stream.new $bytes))
  (core func $drop-readable (canon stream.drop-readable $bytes))
  (core func $drop-writable (canon stream.drop-writable $bytes))
  (core module $m
    (import "" "new" (func $new (result i64)))
    (import "" "drop-readable" (func $drop-readable (param i32)))
    (import "" "drop-writable" (func $drop-writable (param i32)))
    (func (export "f") (result i32)
      (local $both i64)
      (local.set $both (call $new))
      (call $drop-writable (i32.wrap_i64 (i64.shr_u (local.get $both) (i64.const 32))))
      (call $drop-readable (i32.wrap_i64 (local.get $both)))
      (i32.const 1)))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new))
    (export "drop-readable" (func $drop-readable))
    (export "drop-writable" (func $drop-writable))))))
  (func (export "opens-and-closes") (result u32) (canon lift (core func $i "f"))))

(assert_return (invoke "opens-and-closes") (u32.const 1))

;; What passes a stream or a future is read, and cannot be called from text.
(component
  (import "later" (func (param "it" (future string)) (result (stream u8)))))
