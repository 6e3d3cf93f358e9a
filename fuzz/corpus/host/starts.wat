(component
  (core module $m
    (memory 1)
    (func $start (loop $again (br_if $again (i32.lt_u (memory.grow (i32.const 1)) (i32.const 100)))))
    (start $start)
    (func (export "f") (result i32) i32.const 1))
  (core instance $a (instantiate $m))
  (core instance $b (instantiate $m))
  (func (export "f") (result bool) (canon lift (core func $b "f"))))
