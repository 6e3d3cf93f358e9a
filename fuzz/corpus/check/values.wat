(component
  (type $f (flags "a" "b"))
  (import "f" (type $flags (eq $f)))
  (type $v (variant (case "a" (option (list string))) (case "b")))
  (import "v" (type $variant (eq $v)))
  (import "x:y/z@0.2.1" (instance
    (export "v" (type $w (eq $variant)))
    (type $s (stream u8))
    (type $t (future (result string)))
    (export "g" (func (param "a" (tuple $w u8)) (param "s" $s) (result $t)))))
  (import "plain" (func (param "c" char) (result (result (error $flags))))))
