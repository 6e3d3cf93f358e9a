(component
  (import "wasi:io/error@0.2.0" (func))
  (import "test:a/b@1.0.0" (instance (export "c:d/e" (func (param "x" u8))))))
