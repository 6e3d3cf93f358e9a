(component
  (type $r (record (field "a" string) (field "b" (list u8))))
  (type (component (import "x" (func (param "a" string))) (export "y" (instance (export "z" (func))))))
  (type (instance (type (instance (export "t" (type (sub resource)))))))
  (import "s" (func (result (tuple u8 s64))))
  (core type (module (import "a" "b" (func)) (export "c" (memory 1)))))
