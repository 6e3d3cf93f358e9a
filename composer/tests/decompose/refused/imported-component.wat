(component (import "part" (component $p (export "out" (func (result u32))))) (instance $x (instantiate $p)) (export "x" (func $x "out")))
