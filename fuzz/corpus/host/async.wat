(component
  (core module $m
    (import "" "return" (func $return (param i32)))
    (func (export "f") (param i32) (result i32) local.get 0 call $return i32.const 0)
    (func (export "spin") (param i32) (result i32) i32.const 1)
    (func (export "called") (param i32 i32 i32) (result i32) i32.const 1))
  (core func $return (canon task.return (result u32)))
  (core instance $i (instantiate $m (with "" (instance (export "return" (func $return))))))
  (func (export "f") async (param "a" u32) (result u32)
    (canon lift (core func $i "f") async (callback (core func $i "called"))))
  (func (export "spin") async (param "a" u32) (result u32)
    (canon lift (core func $i "spin") async (callback (core func $i "called")))))
