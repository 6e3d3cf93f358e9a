(component
  (import "test:shop/types@1.0.0" (instance $types
    (export "item" (type $resource (sub resource)))
    (type $record (record (field "name" string) (field "count" (option u32))))
    (export "line" (type (eq $record)))))
  (alias export $types "item" (type $item))
  (alias export $types "line" (type $line))
  (import "test:shop/stock@1.0.0" (instance $stock
    (export "item" (type $i (eq $item)))
    (type $own (own $i))
    (export "take" (func (param "name" string) (result (result $own (error string)))))))
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
    (func (export "f") (param i32) (result i32) i32.const 0))
  (core instance $c (instantiate $m))
  (type $own (own $item))
  (func $f (param "it" $own) (result (list u8))
    (canon lift (core func $c "f") (memory $c "memory") (realloc (func $c "realloc"))))
  (component $Shape
    (import "item" (type $item (sub resource)))
    (type $own (own $item))
    (import "sell" (func $sell (param "it" $own) (result (list u8))))
    (export "sell" (func $sell)))
  (instance $out (instantiate $Shape (with "item" (type $item)) (with "sell" (func $f))))
  (export "test:shop/counter@1.0.0" (instance $out)))
;; ---
(component
  (type $resource (resource (rep i32)))
  (type $record (record (field "name" string) (field "number" u32)))
  (component $Types
    (import "item" (type $item (sub resource)))
    (type $line (record (field "name" string) (field "number" u32)))
    (export "item" (type $item))
    (export "line" (type $line)))
  (instance $types (instantiate $Types (with "item" (type $resource))))
  (export "test:shop/types@1.0.1" (instance $types)))
