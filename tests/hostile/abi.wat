;; A pricing rule that breaks the canonical ABI, as no well-behaved toolchain would: a fixture for tests of the host.
;;
;; The first byte of the first line's SKU chooses how; any other is priced honestly, without adjustments.
;;   C  an answer with a case that does not exist
;;   L  a list that lies outside the memory
;;   O  a list whose length overflows
;;   D  drops a handle twice
;;   M  makes handles without an end
;;   K  lends a handle to a part of its own that keeps the borrow past the call
(component
    (component $Tickets
        (type $ticket' (resource (rep i32)))
        (export $ticket "ticket" (type $ticket'))
        (core func $new (canon resource.new $ticket'))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (func (export "issue") (result i32) (call $new (i32.const 1))))
        (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
        (func (export "issue") (result (own $ticket)) (canon lift (core func $i "issue"))))
    (component $Keeper
        (import "ticket" (type $ticket (sub resource)))
        (core module $m (func (export "keep") (param i32)))
        (core instance $i (instantiate $m))
        (func (export "keep") (param "it" (borrow $ticket)) (canon lift (core func $i "keep"))))
    (component $Rule
        (import "ticket" (type $ticket (sub resource)))
        (import "issue" (func $issue (result (own $ticket))))
        (import "keep" (func $keep (param "it" (borrow $ticket))))
        (core func $issue (canon lower (func $issue)))
        (core func $keep (canon lower (func $keep)))
        (core func $drop (canon resource.drop $ticket))
        (core module $m
            (import "" "issue" (func $issue (result i32)))
            (import "" "keep" (func $keep (param i32)))
            (import "" "drop" (func $drop (param i32)))
            (memory (export "memory") 1)
            (global $top (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $top (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                (global.get $top)
                (global.set $top (i32.add (global.get $top) (local.get 3))))
            ;; A line has its SKU first: where its text is, and how long. The answer is at 64: ok or not, and then the list
            ;; or the refusal.
            (func (export "adjust") (param $lines i32) (param $count i32) (param $tier i32) (result i32)
                (local $how i32) (local $ticket i32)
                (if (local.get $count) (then
                    (local.set $how (i32.load8_u (i32.load (local.get $lines))))))
                (i64.store (i32.const 64) (i64.const 0))
                (i32.store (i32.const 72) (i32.const 0))
                (if (i32.eq (local.get $how) (i32.const 67)) (then
                    (i32.store8 (i32.const 64) (i32.const 1))
                    (i32.store8 (i32.const 68) (i32.const 200))))
                (if (i32.eq (local.get $how) (i32.const 76)) (then
                    (i32.store (i32.const 68) (i32.const 65528))
                    (i32.store (i32.const 72) (i32.const 1))))
                (if (i32.eq (local.get $how) (i32.const 79)) (then
                    (i32.store (i32.const 68) (i32.const 64))
                    (i32.store (i32.const 72) (i32.const 0xaaaaaab))))
                (if (i32.eq (local.get $how) (i32.const 68)) (then
                    (local.set $ticket (call $issue))
                    (call $drop (local.get $ticket))
                    (call $drop (local.get $ticket))))
                (if (i32.eq (local.get $how) (i32.const 77)) (then
                    (loop (drop (call $issue)) br 0)))
                (if (i32.eq (local.get $how) (i32.const 75)) (then
                    (call $keep (call $issue))))
                (i32.const 64)))
        (core instance $i (instantiate $m (with "" (instance
            (export "issue" (func $issue)) (export "keep" (func $keep)) (export "drop" (func $drop))))))
        (type $line' (record (field "sku" string) (field "quantity" u32) (field "unit-price" u64)))
        (export $line "line" (type $line'))
        (type $tier' (enum "standard" "silver" "gold"))
        (export $tier "tier" (type $tier'))
        (type $adjustment' (record (field "line" (option u32)) (field "reason" string) (field "amount" s64)))
        (export $adjustment "adjustment" (type $adjustment'))
        (type $refusal' (variant
            (case "invalid-line" u32) (case "too-many-lines" u32) (case "too-large") (case "declined" string)))
        (export $refusal "refusal" (type $refusal'))
        (func (export "adjust") (param "lines" (list $line)) (param "tier" $tier)
            (result (result (list $adjustment) (error $refusal)))
            (canon lift (core func $i "adjust") (memory $i "memory") (realloc (func $i "realloc")))))
    (instance $tickets (instantiate $Tickets))
    (alias export $tickets "ticket" (type $ticket))
    (instance $keeper (instantiate $Keeper (with "ticket" (type $ticket))))
    (instance $rule (instantiate $Rule
        (with "ticket" (type $ticket))
        (with "issue" (func $tickets "issue"))
        (with "keep" (func $keeper "keep"))))
    (instance $policy
        (export "line" (type $rule "line")) (export "tier" (type $rule "tier"))
        (export "adjustment" (type $rule "adjustment")) (export "refusal" (type $rule "refusal"))
        (export "adjust" (func $rule "adjust")))
    (export "shop:pricing/policy@0.1.0" (instance $policy)))
