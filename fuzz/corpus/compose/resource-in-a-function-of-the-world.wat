(component
  (import "test:a/types" (instance $types (export "r" (type (sub resource)))))
  (alias export $types "r" (type $r))
  (type $own (own $r))
  (import "f" (func (param "r" (list $own)))))
;; ---
(component
  (import "test:a/types" (instance $types (export "r" (type (sub resource)))))
  (alias export $types "r" (type $r))
  (type $borrow (borrow $r))
  (import "f" (func (param "r" (list $borrow)))))
