//! Names and versions: what counts as the same thing, and what is taken for a slip of the pen.

use check::{Class, Mismatch, Report};

use super::plugged;

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text})")).expect("the test's own text parses")
}

/// What a consumer and a provider of these texts come to.
fn checked(wanted: &str, provided: &str) -> Report {
    plugged(("consumer", &component(wanted)), &[("provider", &component(provided))])
        .expect("these are components")
}

fn only(report: &Report) -> &Mismatch {
    assert_eq!(report.mismatches.len(), 1, "{:#?}", report.mismatches);
    &report.mismatches[0]
}

const INTERFACE: &str = r#"(instance (export "greet" (func (param "name" string) (result string))))"#;

fn imports(name: &str) -> String {
    format!(r#"(import "{name}" {INTERFACE})"#)
}

fn exports(name: &str) -> String {
    let named = INTERFACE.replacen("(instance", "(instance $behind", 1);
    format!(r#"(import "behind" {named}) (export "{name}" (instance $behind))"#)
}

/// Wanted, provided, and whether the one may stand for the other, if its types do: engines link older and newer
/// versions of a track alike, and so does wac.
const VERSIONS: [(&str, &str, bool); 28] = [
    ("", "", true),
    ("", "@1.0.0", false),
    ("@1.0.0", "", false),
    ("@1.0.0", "@1.0.0", true),
    ("@1.0.0", "@1.2.0", true),
    ("@1.0.0", "@1.0.7", true),
    ("@1.2.0", "@1.0.0", true),
    ("@1.2.3", "@1.2.2", true),
    ("@1.0.0", "@2.0.0", false),
    ("@2.0.0", "@1.0.0", false),
    ("@1.9.0", "@1.10.0", true),
    ("@1.10.0", "@1.9.0", true),
    ("@0.2.1", "@0.2.3", true),
    ("@0.2.3", "@0.2.1", true),
    ("@0.1.0", "@0.2.0", false),
    ("@0.2.0", "@0.1.0", false),
    ("@0.2.0", "@1.2.0", false),
    ("@0.0.3", "@0.0.3", true),
    ("@0.0.3", "@0.0.4", false),
    ("@0.0.4", "@0.0.3", false),
    ("@1.0.0-rc.1", "@1.0.0-rc.1", true),
    ("@1.0.0-rc.1", "@1.0.0-rc.2", false),
    ("@1.0.0-rc.1", "@1.0.0", false),
    ("@1.0.0", "@1.1.0-rc.1", false),
    ("@0.2.0-draft", "@0.2.0-draft2", false),
    ("@0.2.0", "@0.2.1-draft", false),
    ("@1.0.0", "@1.0.0+build", true),
    ("@1.0.0+this", "@1.1.0+that", true),
];

#[test]
fn versions_are_compatible_along_their_track() {
    for (wanted, provided, fits) in VERSIONS {
        let (wanted, provided) = (format!("test:a/greeter{wanted}"), format!("test:a/greeter{provided}"));
        let report = checked(&imports(&wanted), &exports(&provided));
        assert_eq!(report.fits(), fits, "{wanted} from {provided}: {:#?}", report.mismatches);
        if fits {
            assert_eq!(report.wired.len(), 1, "{wanted} from {provided}");
            assert_eq!((&report.wired[0].import, &report.wired[0].export), (&wanted, &provided));
        } else {
            let found = only(&report);
            assert_eq!(found.class, Class::VersionIncompatible, "{wanted} from {provided}");
            assert_eq!(found.candidate.as_ref(), Some(&provided));
            assert!(found.path.contains(&wanted), "{found:#?}");
        }
    }
}

#[test]
fn the_very_version_goes_before_a_compatible_one() {
    let behind = r#"(import "behind" (instance $old (export "greet" (func (param "name" string) (result string)))))
        (import "beside" (instance $new (export "greet" (func (param "name" u32) (result string)))))"#;
    let both = format!(
        r#"{behind} (export "test:a/greeter@1.1.0" (instance $new)) (export "test:a/greeter@1.0.0" (instance $old))"#
    );
    let report = checked(&imports("test:a/greeter@1.0.0"), &both);
    assert!(report.fits(), "{:#?}", report.mismatches);
    assert_eq!(report.wired[0].export, "test:a/greeter@1.0.0");
}

#[test]
fn of_compatible_versions_the_newest_is_taken() {
    let behind = r#"(import "behind" (instance $new (export "greet" (func (param "name" string) (result string)))))
        (import "beside" (instance $old (export "greet" (func (param "name" u32) (result string)))))"#;
    let both = format!(
        r#"{behind} (export "test:a/greeter@1.1.0" (instance $old)) (export "test:a/greeter@1.2.0" (instance $new))"#
    );
    let report = checked(&imports("test:a/greeter@1.0.0"), &both);
    assert!(report.fits(), "{:#?}", report.mismatches);
    assert_eq!(report.wired[0].export, "test:a/greeter@1.2.0");
}

/// A compatible version is wired, and what differs in it is found nevertheless.
#[test]
fn a_compatible_version_is_looked_into() {
    let other = r#"(import "behind" (instance $other (export "greet" (func (param "name" u32) (result string)))))
        (export "test:a/greeter@1.1.0" (instance $other))"#;
    let report = checked(&imports("test:a/greeter@1.0.0"), other);
    assert_eq!(only(&report).class, Class::TypeShape);
    assert!(only(&report).path.ends_with(&["greet".to_owned(), "name".to_owned()]), "{:#?}", only(&report));
}

/// Wanted, provided, and the candidate, if there is one to be named.
const SLIPS: [(&str, &str, bool); 12] = [
    ("test:a/greeter", "test:a/greter", true),
    ("test:a/greeter", "test:a/greeters", true),
    ("test:a/greeter", "test:a/getreer", true),
    ("test:a/greeter", "test:b/greeter", true),
    ("test:a/greeter", "other:a/greeter", true),
    ("test:a/greeter@1.0.0", "test:a/greter@1.0.0", true),
    ("test:a/greeter@1.0.0", "test:b/greeter@1.0.0", true),
    ("greeter", "greter", true),
    ("greeter", "GREETER", true),
    ("test:a/greeter", "test:a/clock", false),
    ("test:a/greeter", "other:b/clock", false),
    ("greeter", "clock", false),
];

#[test]
fn a_slip_in_a_name_has_its_candidate_named() {
    for (wanted, provided, near) in SLIPS {
        let exports =
            if near { exports(provided) } else { exports(provided).replace("greet\" (func", "hour\" (func") };
        let report = checked(&imports(wanted), &exports);
        let found = only(&report);
        assert_eq!(found.class == Class::NameNearMiss, near, "{wanted} from {provided}: {found:#?}");
        assert_eq!(
            found.candidate.as_deref(),
            near.then_some(provided),
            "{wanted} from {provided}: {found:#?}"
        );
        if !near {
            assert!(matches!(found.class, Class::Unwired | Class::MissingInterface), "{found:#?}");
        }
    }
}

fn instance_with(functions: &[&str]) -> String {
    let one = |name: &&str| format!(r#"(export "{name}" (func (param "who" string) (result string)))"#);
    functions.iter().map(one).collect()
}

#[test]
fn a_misspelt_function_has_its_candidate_named() {
    for slip in ["grete", "greets", "GREET", "great", "gret"] {
        let wanted = format!(r#"(import "test:a/greeter" (instance {}))"#, instance_with(&["greet", "part"]));
        let provided = format!(
            r#"(import "behind" (instance $i {})) (export "test:a/greeter" (instance $i))"#,
            instance_with(&[slip, "part"])
        );
        let report = checked(&wanted, &provided);
        let found = only(&report);
        assert_eq!(found.class, Class::NameNearMiss, "{slip}: {found:#?}");
        assert_eq!(found.candidate.as_deref(), Some(slip), "{found:#?}");
        assert_eq!(found.path, ["test:a/greeter", "greet"]);
    }
}

#[test]
fn a_function_that_moved_is_found_where_it_is() {
    let wanted = format!(r#"(import "test:a/greeter" (instance {}))"#, instance_with(&["greet", "part"]));
    let provided = format!(
        r#"(import "behind" (instance $i {})) (import "beside" (instance $j {}))
           (export "test:a/greeter" (instance $i)) (export "test:a/manners" (instance $j))"#,
        instance_with(&["part"]),
        instance_with(&["greet"])
    );
    let report = checked(&wanted, &provided);
    let found = only(&report);
    assert!(matches!(found.class, Class::MissingFunction | Class::NameNearMiss), "{found:#?}");
    let candidate = found.candidate.as_deref().unwrap_or_default();
    assert!(candidate.contains("test:a/manners"), "{found:#?}");
}

/// A function that another one is merely like in name, and that the consumer wants as well, was not misspelt.
#[test]
fn what_is_wanted_itself_is_no_candidate() {
    let wanted = format!(r#"(import "test:a/greeter" (instance {}))"#, instance_with(&["greet", "greets"]));
    let provided = format!(
        r#"(import "behind" (instance $i {})) (export "test:a/greeter" (instance $i))"#,
        instance_with(&["greets"])
    );
    let report = checked(&wanted, &provided);
    assert_eq!(only(&report).class, Class::MissingFunction, "{:#?}", only(&report));
}

#[test]
fn a_function_for_an_interface_is_of_another_kind() {
    let function = r#"(import "behind" (func $f)) (export "greeter" (func $f))"#;
    assert_eq!(only(&checked(&imports("greeter"), function)).class, Class::Kind);
    assert_eq!(only(&checked(r#"(import "greeter" (func))"#, &exports("greeter"))).class, Class::Kind);
}

#[test]
fn what_the_host_has_is_left_to_it() {
    let report = checked(
        &format!("{} {}", imports("wasi:cli/environment@0.2.3"), imports("test:a/greeter")),
        &exports("test:a/greeter"),
    );
    assert!(report.fits(), "{:#?}", report.mismatches);
    assert!(report.host.iter().any(|name| name == "wasi:cli/environment@0.2.3"), "{:?}", report.host);
}
