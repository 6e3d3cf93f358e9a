//! Who is blamed: compositions written as text, in which one part fails in each of the ways there are.

use std::sync::Arc;
use std::time::Duration;

use host_runner::blame::{Beginning, Blame, Kind, Relation, Role};
use host_runner::keyvalue::Memory;
use host_runner::{
    App, CallError, Engine, EngineOptions, ExpressionError, Grants, LimitHit, Limits, Setup, Tuning, Val,
    call,
};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// A part that fails as it is told. Its resource can be dropped twice.
const RULES: &str = r#"(component $Rules
    (core module $m
        (memory (export "memory") 1)
        (global $top (mut i32) (i32.const 4096))
        (table 2 2 funcref)
        (type $nothing (func))
        (data (i32.const 16) "\ff\fe\fd")
        (func $divide (param i32) (result i32) (i32.div_u (i32.const 7) (local.get 0)))
        (func $recurse (param i32) (result i32) (i32.add (call $recurse (local.get 0)) (i32.const 1)))
        (func $_ZN5rules4deep7give_up17h0123456789abcdefE unreachable)
        (func $act (param $how i32) (result i32)
            (if (i32.eq (local.get $how) (i32.const 1)) (then (call $_ZN5rules4deep7give_up17h0123456789abcdefE)))
            (if (i32.eq (local.get $how) (i32.const 2)) (then (drop (i32.load (i32.const -8)))))
            (if (i32.eq (local.get $how) (i32.const 3)) (then (drop (call $divide (i32.const 0)))))
            (if (i32.eq (local.get $how) (i32.const 4)) (then
                (drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))))
            (if (i32.eq (local.get $how) (i32.const 5)) (then (drop (i32.trunc_f32_s (f32.const nan)))))
            (if (i32.eq (local.get $how) (i32.const 6)) (then (call_indirect (type $nothing) (i32.const 1))))
            (if (i32.eq (local.get $how) (i32.const 7)) (then (drop (call $recurse (i32.const 0)))))
            (if (i32.eq (local.get $how) (i32.const 8)) (then (loop br 0)))
            (if (i32.eq (local.get $how) (i32.const 9)) (then
                (if (i32.eq (memory.grow (i32.const 60000)) (i32.const -1)) (then unreachable))))
            (local.get $how))
        (func (export "acme:rules/policy@1.0.0#adjust") (param i32) (result i32) (call $act (local.get 0)))
        ;; The answer is at 64: where its text is, and how long.
        (func (export "acme:rules/policy@1.0.0#text") (param $how i32) (result i32)
            (i32.store (i32.const 64) (i32.const 16))
            (i32.store (i32.const 68) (i32.const 3))
            (if (i32.eq (local.get $how) (i32.const 2)) (then (i32.store (i32.const 64) (i32.const 65534))))
            (if (i32.eq (local.get $how) (i32.const 3)) (then
                (i32.store (i32.const 64) (i32.const 1024)) (i32.store (i32.const 68) (i32.const 2048))))
            (i32.const 64))
        (func (export "acme:rules/policy@1.0.0#pick") (param i32) (result i32) (local.get 0))
        (func (export "acme:rules/policy@1.0.0#take") (param i32 i32) (result i32) (local.get 1))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (if (i32.gt_u (local.get 3) (i32.const 1024)) (then unreachable))
            (global.get $top)
            (global.set $top (i32.add (global.get $top) (local.get 3)))))
    (core instance $i (instantiate $m))
    (type $ticket' (resource (rep i32)))
    (export $ticket "ticket" (type $ticket'))
    (core func $new (canon resource.new $ticket'))
    (core module $n
        (import "" "new" (func $new (param i32) (result i32)))
        (func (export "acme:rules/policy@1.0.0#issue") (result i32) (call $new (i32.const 1))))
    (core instance $j (instantiate $n (with "" (instance (export "new" (func $new))))))
    (func $adjust (param "how" u32) (result u32) (canon lift (core func $i "acme:rules/policy@1.0.0#adjust")))
    (func $text (param "how" u32) (result string) (canon lift
        (core func $i "acme:rules/policy@1.0.0#text") (memory $i "memory")))
    (type $kind' (enum "one" "two"))
    (export $kind "kind" (type $kind'))
    (func $pick (param "how" u32) (result $kind) (canon lift (core func $i "acme:rules/policy@1.0.0#pick")))
    (func $issue (result (own $ticket)) (canon lift (core func $j "acme:rules/policy@1.0.0#issue")))
    (func $take (param "text" string) (result u32) (canon lift
        (core func $i "acme:rules/policy@1.0.0#take") (memory $i "memory") (realloc (func $i "cabi_realloc"))))
    (instance $policy
        (export "ticket" (type $ticket)) (export "kind" (type $kind))
        (export "adjust" (func $adjust)) (export "text" (func $text)) (export "pick" (func $pick))
        (export "issue" (func $issue)) (export "take" (func $take)))
    (export "acme:rules/policy@1.0.0" (instance $policy)))"#;

/// A part that passes calls on to the rules, and has little room for answers.
const FRONT: &str = r#"(component $Front
    (import "acme:rules/policy@1.0.0" (instance $policy
        (export "ticket" (type $ticket (sub resource)))
        (type $k (enum "one" "two"))
        (export "kind" (type $kind (eq $k)))
        (export "adjust" (func (param "how" u32) (result u32)))
        (export "text" (func (param "how" u32) (result string)))
        (export "pick" (func (param "how" u32) (result $kind)))
        (export "issue" (func (result (own $ticket))))
        (export "take" (func (param "text" string) (result u32)))))
    (alias export $policy "ticket" (type $ticket))
    (core module $libc
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (if (i32.gt_u (local.get 3) (i32.const 1024)) (then unreachable))
            (i32.const 8192)))
    (core instance $libc (instantiate $libc))
    (core func $adjust (canon lower (func $policy "adjust")))
    (core func $text (canon lower (func $policy "text") (memory $libc "memory") (realloc (func $libc "cabi_realloc"))))
    (core func $pick (canon lower (func $policy "pick")))
    (core func $issue (canon lower (func $policy "issue")))
    (core func $take (canon lower (func $policy "take") (memory $libc "memory")))
    (core func $drop (canon resource.drop $ticket))
    (core module $m
        (import "" "adjust" (func $adjust (param i32) (result i32)))
        (import "" "text" (func $text (param i32 i32)))
        (import "" "pick" (func $pick (param i32) (result i32)))
        (import "" "issue" (func $issue (result i32)))
        (import "" "take" (func $take (param i32 i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func $quote (param i32) (result i32) (call $adjust (local.get 0)))
        (func (export "acme:front/desk@1.0.0#go") (param i32) (result i32) (call $quote (local.get 0)))
        (func $indirect-acme:rules/policy@1.0.0-text (param i32 i32) (call $text (local.get 0) (local.get 1)))
        (func (export "acme:front/desk@1.0.0#read") (param i32) (result i32)
            (call $indirect-acme:rules/policy@1.0.0-text (local.get 0) (i32.const 32)) (i32.const 0))
        (func (export "acme:front/desk@1.0.0#choose") (param i32) (result i32) (call $pick (local.get 0)))
        (func (export "acme:front/desk@1.0.0#twice") (param i32) (result i32) (local $it i32)
            (local.set $it (call $issue)) (call $drop (local.get $it)) (call $drop (local.get $it)) (i32.const 0))
        (func (export "acme:front/desk@1.0.0#send") (param i32) (result i32)
            (call $take (i32.const 0) (local.get 0)))
        (func (export "acme:front/desk@1.0.0#hoard") (param i32) (result i32)
            (loop (drop (call $issue)) br 0) (i32.const 0)))
    (core instance $i (instantiate $m (with "" (instance
        (export "adjust" (func $adjust)) (export "text" (func $text)) (export "pick" (func $pick))
        (export "issue" (func $issue)) (export "take" (func $take))
        (export "drop" (func $drop))))))
    (type $act (func (param "how" u32) (result u32)))
    (func $go (type $act) (canon lift (core func $i "acme:front/desk@1.0.0#go")))
    (func $read (type $act) (canon lift (core func $i "acme:front/desk@1.0.0#read")))
    (func $choose (type $act) (canon lift (core func $i "acme:front/desk@1.0.0#choose")))
    (func $twice (type $act) (canon lift (core func $i "acme:front/desk@1.0.0#twice")))
    (func $send (type $act) (canon lift (core func $i "acme:front/desk@1.0.0#send")))
    (func $hoard (type $act) (canon lift (core func $i "acme:front/desk@1.0.0#hoard")))
    (instance $desk
        (export "go" (func $go)) (export "read" (func $read)) (export "choose" (func $choose))
        (export "twice" (func $twice)) (export "send" (func $send))
        (export "hoard" (func $hoard)))
    (export "acme:front/desk@1.0.0" (instance $desk))
    (@producers (language "JavaScript" "") (processed-by "ComponentizeJS" "0.23.0")))"#;

/// The front desk over the rules.
fn shop() -> String {
    format!(
        r#"(component {RULES} {FRONT}
            (instance $rules (instantiate $Rules))
            (instance $front (instantiate $Front
                (with "acme:rules/policy@1.0.0" (instance $rules "acme:rules/policy@1.0.0"))))
            (export "acme:front/desk@1.0.0" (instance $front "acme:front/desk@1.0.0")))"#
    )
}

fn load(text: &str, limits: Limits) -> App {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let bytes = wat::parse_str(text).unwrap();
    let grants = Grants { keyvalue: Some(Arc::new(Memory::new())), ..Grants::default() };
    App::from_bytes(&engine, "shop.wasm", &bytes, Setup { limits, grants, ..Setup::default() }).unwrap()
}

/// Who is blamed for a call, and the error as it is told.
async fn blamed(app: &App, expression: &str) -> (Blame, String) {
    match call(app, expression).await {
        Err(ExpressionError::Call(error)) => (error.blame().expect("somebody").clone(), error.to_string()),
        other => panic!("{expression}: {other:?}"),
    }
}

#[tokio::test]
async fn each_kind_of_trap_is_told_with_its_part_function_and_way() {
    let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
    let app = load(&shop(), limits);
    for (how, kind) in [
        (1, Kind::GaveUp),
        (2, Kind::MemoryBounds),
        (3, Kind::DivisionByZero),
        (4, Kind::IntegerOverflow),
        (5, Kind::IntegerOverflow),
        (6, Kind::IndirectCall),
        (8, Kind::Limit(LimitHit::Time(limits.time))),
        (9, Kind::Limit(LimitHit::Memory(limits.memory))),
    ] {
        let (blame, text) = blamed(&app, &format!("go({how})")).await;
        assert_eq!(blame.kind, kind, "{how}: {text}");
        let at = blame.at().unwrap();
        assert_eq!(at.part(), "rules", "{how}: {text}");
        assert_eq!(at.interface.as_deref(), Some("acme:rules/policy@1.0.0"), "{how}");
        assert_eq!(at.function.as_deref(), Some("adjust"), "{how}");
        assert_eq!(blame.way(), "front > rules", "{how}");
        let by = &blame.path[0];
        assert_eq!(by.interface.as_deref(), Some("acme:front/desk@1.0.0"));
        assert_eq!((by.function.as_deref(), by.language()), (Some("go"), Some("JavaScript")));
        assert!(!blame.cut && blame.other.is_none(), "{text}");
    }
}

#[tokio::test]
async fn names_in_the_backtrace_are_demangled_and_have_their_part() {
    let app = load(&shop(), Limits::default());
    let (blame, text) = blamed(&app, "go(1)").await;
    let frames: Vec<String> =
        blame.frames.iter().map(|frame| format!("{} {}", frame.parts.join("|"), frame.function)).collect();
    assert_eq!(frames[0], "rules rules::deep::give_up", "{text}");
    assert_eq!(frames[1], "rules act");
    assert!(frames.iter().any(|frame| frame == "front quote"), "{frames:?}");
    assert!(frames.iter().any(|frame| frame.starts_with(" (the engine passes")), "{frames:?}");
    assert!(
        text.starts_with(
            "the guest trapped: wasm `unreachable` instruction executed\n  \
             in rules, `adjust` of acme:rules/policy@1.0.0\n  \
             called by way of front > rules\n    \
             0: rules: rules::deep::give_up at 0x"
        ),
        "{text}"
    );
}

/// The frames that are kept are all of the recursion: the way there follows from the wires.
#[tokio::test]
async fn a_stack_that_is_too_deep_still_has_a_way() {
    let app = load(&shop(), Limits::default());
    let (blame, text) = blamed(&app, "go(7)").await;
    assert_eq!(blame.kind, Kind::StackOverflow);
    assert!(blame.cut);
    assert_eq!(blame.way(), "front > rules", "{text}");
    assert_eq!(blame.path[0].function.as_deref(), Some("go"));
    assert_eq!(blame.at().unwrap().function, None, "which function led there is not known");
    assert!(text.contains("\n    0: rules: recurse\n    1: rules: recurse at 0x"), "{text}");
    assert!(blame.page("a test", None).contains("only the innermost 256 frames were kept"));
}

#[tokio::test]
async fn of_a_bad_value_both_sides_are_named() {
    let app = load(&shop(), Limits::default());
    for (expression, kind, function) in [
        ("read(1)", Kind::BadText, Some("text")),
        ("read(2)", Kind::BadPointer, Some("text")),
        ("choose(7)", Kind::BadCase, None),
    ] {
        let (blame, text) = blamed(&app, expression).await;
        assert_eq!(blame.kind, kind, "{expression}: {text}");
        assert_eq!(blame.at().unwrap().part(), "front", "{expression}: {text}");
        let other = blame.other.unwrap();
        assert_eq!((&*other.call.part(), other.relation), ("rules", Relation::Passed), "{expression}");
        assert_eq!(other.call.interface.as_deref(), Some("acme:rules/policy@1.0.0"));
        assert_eq!(other.call.function.as_deref(), function, "{expression}");
    }
}

/// The rules behind a part that a toolchain made. It puts a module between program and import, which has no names but
/// numbers.
fn shop_of_a_toolchain() -> String {
    let world = "
        package acme:front;
        world front {
            import acme:rules/policy@1.0.0;
            export read: func(how: u32) -> u32;
        }
        package acme:rules@1.0.0 { interface policy { text: func(how: u32) -> string; } }";
    let module = r#"(module
        (import "acme:rules/policy@1.0.0" "text" (func $text (param i32 i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
        (func (export "read") (param i32) (result i32) (call $text (local.get 0) (i32.const 32)) (i32.const 0)))"#;
    let mut resolve = Resolve::default();
    let package = resolve.push_str("front.wit", world).unwrap();
    let world = resolve.select_world(&[package], Some("front")).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let front = ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    let front = wasmprinter::print_bytes(front).unwrap().replacen("(component", "(component $Front", 1);
    format!(
        r#"(component {RULES} {front}
            (instance $rules (instantiate $Rules))
            (instance $front (instantiate $Front
                (with "acme:rules/policy@1.0.0" (instance $rules "acme:rules/policy@1.0.0"))))
            (export "read" (func $front "read")))"#
    )
}

#[tokio::test]
async fn the_function_of_the_other_side_is_known_by_what_the_toolchain_put_before_it() {
    let app = load(&shop_of_a_toolchain(), Limits::default());
    for (expression, kind) in [("read(1)", Kind::BadText), ("read(2)", Kind::BadPointer)] {
        let (blame, text) = blamed(&app, expression).await;
        assert_eq!(blame.kind, kind, "{text}");
        let other = blame.other.as_ref().unwrap();
        assert_eq!((&*other.call.part(), other.relation), ("rules", Relation::Passed), "{text}");
        assert_eq!(other.call.interface.as_deref(), Some("acme:rules/policy@1.0.0"), "{text}");
        assert_eq!(other.call.function.as_deref(), Some("text"), "{text}");
        let shown =
            |frame: &&host_runner::blame::Frame| frame.function == "the import acme:rules/policy@1.0.0#text";
        assert_eq!(blame.frames.iter().filter(shown).count(), 1, "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_blames_receiver_and_sender() {
    let app = load(&shop(), Limits::default());
    let (blame, text) = blamed(&app, "read(3)").await;
    assert_eq!(blame.kind, Kind::GaveUp);
    assert_eq!(blame.way(), "front", "{text}");
    let other = blame.other.as_ref().unwrap();
    assert_eq!((&*other.call.part(), other.relation), ("rules", Relation::Gave), "{text}");
    assert_eq!(other.call.function.as_deref(), Some("text"));
    assert!(text.contains("rules, `text` of acme:rules/policy@1.0.0, gave front a value"), "{text}");
    // The same for an argument: the part that is called has no room.
    let (blame, text) = blamed(&app, "send(2000)").await;
    assert_eq!(blame.way(), "front > rules", "{text}");
    assert_eq!(blame.at().unwrap().role, Role::MakeRoom);
    let other = blame.other.unwrap();
    assert_eq!((&*other.call.part(), other.relation), ("front", Relation::Gave), "{text}");
}

#[tokio::test]
async fn misused_handles_are_told() {
    let limits = Limits { guest_handles: 100, ..Limits::default() };
    let app = load(&shop(), limits);
    let (blame, text) = blamed(&app, "twice(0)").await;
    assert_eq!((blame.kind, blame.way()), (Kind::BadHandle, "front".to_owned()), "{text}");
    let (blame, text) = blamed(&app, "hoard(0)").await;
    assert_eq!(blame.kind, Kind::Limit(LimitHit::GuestHandles(100)), "{text}");
    assert!(text.contains("(--max-guest-handles)"), "{text}");
}

/// A part that keeps what it is lent, and one that lends.
const LENDER: &str = r#"
    (component $Keeper
        (import "ticket" (type $ticket (sub resource)))
        (core module $m (func (export "acme:lend/keeper@1.0.0#keep") (param i32)))
        (core instance $i (instantiate $m))
        (func $keep (param "it" (borrow $ticket)) (canon lift (core func $i "acme:lend/keeper@1.0.0#keep")))
        (instance $keeper (export "keep" (func $keep)))
        (export "acme:lend/keeper@1.0.0" (instance $keeper)))
    (component $Lender
        (import "ticket" (type $ticket (sub resource)))
        (import "issue" (func $issue (result (own $ticket))))
        (import "acme:lend/keeper@1.0.0" (instance $keeper
            (export "keep" (func (param "it" (borrow $ticket))))))
        (core func $issue (canon lower (func $issue)))
        (core func $keep (canon lower (func $keeper "keep")))
        (core module $m
            (import "" "issue" (func $issue (result i32)))
            (import "" "keep" (func $keep (param i32)))
            (func $indirect-acme:lend/keeper@1.0.0-keep (param i32) (call $keep (local.get 0)))
            (func (export "lend") (call $indirect-acme:lend/keeper@1.0.0-keep (call $issue))))
        (core instance $i (instantiate $m (with "" (instance
            (export "issue" (func $issue)) (export "keep" (func $keep))))))
        (func (export "lend") (canon lift (core func $i "lend"))))
    (instance $rules (instantiate $Rules))
    (alias export $rules "acme:rules/policy@1.0.0" (instance $policy))
    (alias export $policy "ticket" (type $ticket))
    (instance $keeper (instantiate $Keeper (with "ticket" (type $ticket))))
    (instance $lender (instantiate $Lender
        (with "ticket" (type $ticket))
        (with "issue" (func $policy "issue"))
        (with "acme:lend/keeper@1.0.0" (instance $keeper "acme:lend/keeper@1.0.0"))))
    (export "lend" (func $lender "lend"))"#;

#[tokio::test]
async fn who_keeps_what_it_was_lent_is_blamed() {
    let app = load(&format!("(component {RULES} {LENDER})"), Limits::default());
    let (blame, text) = blamed(&app, "lend()").await;
    assert_eq!((blame.kind, &*blame.way()), (Kind::Borrow, "lender"), "{text}");
    let other = blame.other.unwrap();
    assert_eq!((&*other.call.part(), other.relation), ("keeper", Relation::Kept), "{text}");
    assert_eq!(other.call.function.as_deref(), Some("keep"));
}

/// A guest chooses the names of its core exports: one that lies about them is not believed beyond its wires.
#[tokio::test]
async fn a_core_export_with_the_name_of_another_interface_is_not_believed() {
    let text = shop().replace("acme:rules/policy@1.0.0#adjust", "acme:bank/vault@1.0.0#open");
    let (blame, text) = blamed(&load(&text, Limits::default()), "go(3)").await;
    assert_eq!(blame.way(), "front > rules");
    let at = blame.at().unwrap();
    assert_eq!(
        (at.interface.as_deref(), at.function.as_deref()),
        (Some("acme:rules/policy@1.0.0"), None),
        "{text}"
    );
}

/// Two instances of one component look alike in a frame. The wires tell them apart where only one of them can be meant.
#[tokio::test]
async fn a_part_that_is_there_twice_is_told_apart_as_far_as_the_wires_do() {
    let twice = |fronts: &str| {
        format!(
            r#"(component {RULES} {FRONT}
                (instance $left (instantiate $Rules))
                (instance $right (instantiate $Rules)) {fronts})"#
        )
    };
    let front = |name: &str, rules: &str| {
        format!(
            r#"(instance ${name} (instantiate $Front
                (with "acme:rules/policy@1.0.0" (instance ${rules} "acme:rules/policy@1.0.0"))))
            (alias export ${name} "acme:front/desk@1.0.0" (instance ${name}-desk))"#
        )
    };
    let one =
        format!(r#"{} (export "acme:front/desk@1.0.0" (instance $front-desk))"#, front("front", "right"));
    let (blame, text) = blamed(&load(&twice(&one), Limits::default()), "go(3)").await;
    assert_eq!(blame.way(), "front > right", "{text}");

    // Which of the exports was called tells which of the fronts it was, and that which of the rules.
    let both = format!(
        r#"{}{} (export "one" (instance $a-desk)) (export "two" (instance $b-desk))"#,
        front("a", "left"),
        front("b", "right")
    );
    let app = load(&twice(&both), Limits::default());
    assert_eq!(blamed(&app, "one#go(3)").await.0.way(), "a > left");
    assert_eq!(blamed(&app, "two#go(3)").await.0.way(), "b > right");

    // One instance has functions of both: nothing tells.
    let mixed = format!(
        r#"{}{} (alias export $a-desk "go" (func $go)) (alias export $b-desk "read" (func $read))
            (instance $mixed (export "go" (func $go)) (export "read" (func $read)))
            (export "mixed" (instance $mixed))"#,
        front("a", "left"),
        front("b", "right")
    );
    let (blame, text) = blamed(&load(&twice(&mixed), Limits::default()), "mixed#go(3)").await;
    assert_eq!(blame.way(), "a or b > left or right", "{text}");
    assert!(blame.page("a test", None).contains("instances of one component, which look alike in a frame"));
}

#[tokio::test]
async fn a_nested_composition_gives_longer_paths() {
    let text = format!(
        r#"(component
            (component $Inner {RULES}
                (instance $rules (instantiate $Rules))
                (export "acme:rules/policy@1.0.0" (instance $rules "acme:rules/policy@1.0.0")))
            {FRONT}
            (instance $inner (instantiate $Inner))
            (instance $front (instantiate $Front
                (with "acme:rules/policy@1.0.0" (instance $inner "acme:rules/policy@1.0.0"))))
            (export "acme:front/desk@1.0.0" (instance $front "acme:front/desk@1.0.0")))"#
    );
    let (blame, text) = blamed(&load(&text, Limits::default()), "go(3)").await;
    assert_eq!(blame.way(), "front > inner/rules", "{text}");
}

/// A part that sleeps, or collects timers, in a composition.
const SLEEPER: &str = r#"(component
    (import "wasi:io/poll@0.2.3" (instance $poll
        (export "pollable" (type $pollable (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock
        (alias outer 1 $pollable (type $p))
        (export "pollable" (type $pollable (eq $p)))
        (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
    (component $Sleeper
        (import "wasi:io/poll@0.2.3" (instance $poll
            (export "pollable" (type $pollable (sub resource)))
            (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock
            (alias outer 1 $pollable (type $p))
            (export "pollable" (type $pollable (eq $p)))
            (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
        (core func $block (canon lower (func $poll "[method]pollable.block")))
        (core func $after (canon lower (func $clock "subscribe-duration")))
        (core module $m
            (import "" "block" (func $block (param i32)))
            (import "" "after" (func $after (param i64) (result i32)))
            (func $rest (call $block (call $after (i64.const 3600000000000))))
            (func (export "sleep") (call $rest))
            (func (export "collect") (loop (drop (call $after (i64.const 1))) br 0)))
        (core instance $i (instantiate $m (with "" (instance
            (export "block" (func $block)) (export "after" (func $after))))))
        (func (export "sleep") (canon lift (core func $i "sleep")))
        (func (export "collect") (canon lift (core func $i "collect"))))
    (instance $sleeper (instantiate $Sleeper
        (with "wasi:io/poll@0.2.3" (instance $poll))
        (with "wasi:clocks/monotonic-clock@0.2.3" (instance $clock))))
    (export "sleep" (func $sleeper "sleep"))
    (export "collect" (func $sleeper "collect")))"#;

#[tokio::test]
async fn a_guest_that_sleeps_is_blamed_where_it_waits() {
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let (blame, text) = blamed(&load(SLEEPER, limits), "sleep()").await;
    assert_eq!(blame.kind, Kind::Limit(LimitHit::Time(limits.time)), "{text}");
    assert!(blame.waiting, "{text}");
    assert_eq!(blame.way(), "sleeper");
    assert_eq!(blame.host_function.as_deref(), Some("wasi:io/poll#[method]pollable.block"));
    assert_eq!(blame.frames[0].function, "rest", "{text}");
    assert!(
        text.contains("\n  it was waiting in the host, in wasi:io/poll#[method]pollable.block\n"),
        "{text}"
    );
}

#[tokio::test]
async fn resources_that_the_host_keeps_are_limited_by_their_own_name() {
    let limits = Limits { host_handles: 50, ..Limits::default() };
    let (blame, text) = blamed(&load(SLEEPER, limits), "collect()").await;
    assert_eq!(blame.kind, Kind::Limit(LimitHit::HostHandles(50)), "{text}");
    assert!(text.contains("the limit of 50 on the resources that the host keeps for it"), "{text}");
    assert_eq!(blame.at().unwrap().part(), "sleeper");
}

/// Answers that the host cannot take have no frames: what it called is all that is known, and enough.
#[tokio::test]
async fn an_answer_that_the_host_cannot_take_blames_what_it_called() {
    let text = format!(
        r#"(component {RULES}
            (instance $rules (instantiate $Rules))
            (export "acme:rules/policy@1.0.0" (instance $rules "acme:rules/policy@1.0.0")))"#
    );
    let app = load(&text, Limits::default());
    for (expression, kind) in
        [("text(1)", Kind::BadText), ("text(2)", Kind::BadPointer), ("pick(9)", Kind::BadCase)]
    {
        let (blame, text) = blamed(&app, expression).await;
        assert_eq!((blame.kind, &*blame.way()), (kind, "rules"), "{expression}: {text}");
        assert_eq!(blame.other.unwrap().relation, Relation::HostTook, "{expression}");
    }
    // The host's own argument, for which there is no room.
    let long = "x".repeat(2_000);
    let (blame, text) = blamed(&app, &format!("take(\"{long}\")")).await;
    assert_eq!(blame.other.unwrap().relation, Relation::HostGave, "{text}");
    assert_eq!(blame.path[0].function.as_deref(), Some("take"));
}

#[tokio::test]
async fn a_start_that_fails_is_blamed() {
    let text = r#"(component
        (component $Bad (core module $m (func $begin unreachable) (start $begin)) (core instance (instantiate $m)))
        (instance $bad (instantiate $Bad)))"#;
    let error = load(text, Limits::default()).session().await.unwrap_err();
    let CallError::Trap { blame } = &error else { panic!("{error}") };
    assert_eq!((&*blame.way(), blame.at().unwrap().role), ("bad", Role::Start), "{error}");
}

/// Names are the guest's: whatever is in them stays on one line, and short.
#[tokio::test]
async fn names_of_the_guest_cannot_forge_lines() {
    let name = "y".repeat(50_000);
    let text = format!(
        r#"(component
            (core module $m (func (@name "x\1b[2J\0aerror: {name}") (export "f") unreachable))
            (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))"#
    );
    let (blame, text) = blamed(&load(&text, Limits::default()), "f()").await;
    assert!(text.len() < 1_000 && !text.contains('\u{1b}') && !text.contains("\nerror"), "{text}");
    assert!(!blame.page("a test", None).contains('\u{1b}'));
}

/// A session that goes on is not blamed for what it did before: the counts begin anew with every call.
#[tokio::test]
async fn a_call_that_succeeds_leaves_nothing_behind() {
    let app = load(&shop(), Limits { time: Duration::from_millis(300), ..Limits::default() });
    let mut session = app.session().await.unwrap();
    for _ in 0..3 {
        assert!(matches!(session.call("go", &[Val::U32(0)]).await.unwrap(), Some(Val::U32(0))));
    }
    let error = session.call("go", &[Val::U32(3)]).await.unwrap_err();
    assert_eq!(error.blame().unwrap().kind, Kind::DivisionByZero);
}

/// Parts with a function that the one before calls asynchronously, `outer` first: a call that leaves no frame of its
/// caller. `middle` and `back` are what the parts in the middle and the last one do.
fn chained(middle: &str, back: &str) -> App {
    let bytes = wat::parse_str(format!(
        r#"(component
            (component $Back
                (core module $m
                    (func (export "[async-lift]acme:chain/link@1.0.0#go") (result i32) {back} (i32.const 0))
                    (func (export "callback") (param i32 i32 i32) (result i32) (i32.const 0)))
                (core instance $i (instantiate $m))
                (func $go async (canon lift (core func $i "[async-lift]acme:chain/link@1.0.0#go")
                    async (callback (func $i "callback"))))
                (instance $link (export "go" (func $go)))
                (export "acme:chain/link@1.0.0" (instance $link)))
            (component $Middle
                (import "acme:chain/link@1.0.0" (instance $link (export "go" (func async))))
                (core func $go (canon lower (func $link "go") async))
                (core func $set (canon waitable-set.new))
                (core func $join (canon waitable.join))
                (core module $m
                    (import "" "go" (func $go (result i32)))
                    (import "" "set" (func $set (result i32)))
                    (import "" "join" (func $join (param i32 i32)))
                    (func (export "[async-lift]acme:chain/link@1.0.0#go") (result i32) (local $waiting i32)
                        {middle}
                        (local.set $waiting (call $set))
                        (call $join (i32.shr_u (call $go) (i32.const 4)) (local.get $waiting))
                        (i32.or (i32.const 2) (i32.shl (local.get $waiting) (i32.const 4))))
                    (func (export "callback") (param i32 i32 i32) (result i32) (i32.const 0)))
                (core instance $i (instantiate $m (with "" (instance
                    (export "go" (func $go)) (export "set" (func $set)) (export "join" (func $join))))))
                (func $go' async (canon lift (core func $i "[async-lift]acme:chain/link@1.0.0#go")
                    async (callback (func $i "callback"))))
                (instance $link' (export "go" (func $go')))
                (export "acme:chain/link@1.0.0" (instance $link')))
            (instance $back (instantiate $Back))
            (alias export $back "acme:chain/link@1.0.0" (instance $of-back))
            (instance $inner (instantiate $Middle (with "acme:chain/link@1.0.0" (instance $of-back))))
            (alias export $inner "acme:chain/link@1.0.0" (instance $of-inner))
            (instance $outer (instantiate $Middle (with "acme:chain/link@1.0.0" (instance $of-inner))))
            (alias export $outer "acme:chain/link@1.0.0" (instance $of-outer))
            (export "acme:chain/link@1.0.0" (instance $of-outer)))"#
    ));
    let engine = Engine::new(&EngineOptions {
        tuning: Tuning { concurrency: Some(true), ..Tuning::default() },
        ..EngineOptions::default()
    })
    .unwrap();
    App::from_bytes(&engine, "chain.wasm", &bytes.unwrap(), Setup::default()).unwrap()
}

async fn blamed_in_chain(middle: &str, back: &str) -> Box<Blame> {
    let app = chained(middle, back);
    match call(&app, "acme:chain/link@1.0.0#go()").await {
        Err(ExpressionError::Call(CallError::Trap { blame })) => blame,
        other => panic!("{other:?}"),
    }
}

/// The host did not call `back`, though its frames are the outermost.
#[tokio::test]
async fn the_caller_of_an_asynchronous_call_follows_from_the_wires() {
    let blame = blamed_in_chain("", "unreachable").await;
    assert_eq!((blame.kind, blame.begins), (Kind::GaveUp, Beginning::Wired(2)));
    assert_eq!(blame.way(), "outer > inner > back");
    let page = blame.page("a test", None);
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "(an asynchronous call leaves no frame of its caller: the 2 calls before it follow from the wires between the parts)",
        "the host called outer, `go` of acme:chain/link@1.0.0 ",
        "outer called inner, a function of acme:chain/link@1.0.0 ",
        "inner called back, `go` of acme:chain/link@1.0.0 ",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

/// Two instances of one component look alike, and a frame does not tell which of them the host called.
#[tokio::test]
async fn a_caller_that_cannot_be_known_is_said_to_be_unknown() {
    let blame = blamed_in_chain("unreachable", "").await;
    assert_eq!((blame.kind, blame.begins), (Kind::GaveUp, Beginning::Unknown));
    assert_eq!(blame.path.len(), 1);
    assert_eq!(blame.at().unwrap().parts.len(), 2);
    assert_eq!(blame.at().unwrap().function.as_deref(), Some("go"));
    let page = blame.page("a test", None);
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!page.contains("the host called"), "{page}");
    assert!(page.contains("a caller that is not known called inner or outer, `go`"), "{page}");
    assert!(blame.way().starts_with("? > "), "{}", blame.way());
}
