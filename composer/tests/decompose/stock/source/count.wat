;; Counts with a clock and a log: imports both, exports `test:count/counter`.
(component
  (import "test:log/writer@0.2.0" (instance $log
    (export "log" (type $log (sub resource)))
    (export "open" (func (result (own $log))))
    (export "[method]log.write" (func (param "self" (borrow $log)) (result u32)))))
  (import "test:clock/now@1.0.0" (instance $clock (export "seconds" (func (result u64)))))
  (import "step" (func $step (result u32)))
  (core func $open (canon lower (func $log "open")))
  (core func $write (canon lower (func $log "[method]log.write")))
  (core func $seconds (canon lower (func $clock "seconds")))
  (core func $step (canon lower (func $step)))
  (core module $m
    (import "" "open" (func $open (result i32)))
    (import "" "write" (func $write (param i32) (result i32)))
    (import "" "seconds" (func $seconds (result i64)))
    (import "" "step" (func $step (result i32)))
    (func (export "next") (result i32)
      call $open call $write call $seconds i32.wrap_i64 i32.add call $step i32.add))
  (core instance $i (instantiate $m (with "" (instance
    (export "open" (func $open)) (export "write" (func $write))
    (export "seconds" (func $seconds)) (export "step" (func $step))))))
  (func $next (result u32) (canon lift (core func $i "next")))
  (instance $counter (export "next" (func $next)))
  (export "test:count/counter" (instance $counter)))
