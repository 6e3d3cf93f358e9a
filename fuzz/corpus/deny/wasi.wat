(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:cli/environment@0.2.0" (instance
    (type $pair (tuple string string))
    (type $list (list $pair))
    (export "get-environment" (func (result $list)))))
  (import "wasi:filesystem/types@0.2.0" (instance
    (export "error" (type $e (eq $error)))
    (type $code (enum "access" "busy" "not-permitted"))
    (export "error-code" (type $c (eq $code)))
    (export "descriptor" (type $d (sub resource)))
    (type $own (own $d))
    (type $borrow (borrow $d))
    (type $be (borrow $e))
    (export "[method]descriptor.open-at" (func (param "self" $borrow) (param "path" string)
      (result (result $own (error $c)))))
    (export "filesystem-error-code" (func (param "err" $be) (result (option $c))))))
  (import "test:mail/outbox@1.0.0" (instance
    (type $letter (record (field "to" (list string)) (field "weight" float64)))
    (export "letter" (type $l (eq $letter)))
    (type $why (variant (case "full" u32) (case "denied")))
    (export "why" (type $w (eq $why)))
    (export "send" (func (param "it" (list $l)) (result (result (error $w))))))))
