//! Components that nobody here built, out of packages of npm, PyPI and crates.io: every command on every one of them.
//!
//! `python3 tools/third_party.py fetch` puts them into target/third-party, by tests/third-party/components.lock. All this takes
//! minutes and 65 MB, so these tests are ignored unless they are asked for, as in CI.
//!
//! What is asserted holds for any component, and is asked of a reader of its own ([`reader`]), of `wit-component` or
//! of the validator. What a command rightly refuses is in a table with its reason ([`refused`]).

mod corpus;
mod deny;
mod each;
mod edits;
mod oracle;
mod page;
mod pairs;
mod reader;
mod refused;
mod together;

use std::path::Path;

use corpus::{Corpus, Entry};

/// The commands, each of which has a test of every component.
const COMMANDS: [&str; 7] = ["inspect", "wit", "check", "compose", "deny", "decompose", "graph"];

/// What is asserted of a command and a component where it is not to refuse it.
type Statement = fn(&Entry, &Path);

fn on_one(module: &str, command: &str, statement: Statement) {
    let entry = Entry::read(&name(module));
    let directory = tempfile::tempdir().expect("a directory");
    match refused::reason(&entry.name, command) {
        Some(reason) => refused::refuses(&entry, command, reason, directory.path()),
        None => statement(&entry, directory.path()),
    }
}

/// The name of a component in the lock, by that of its module here.
fn name(module: &str) -> String {
    module.replace('_', "-")
}

macro_rules! tests {
    ($component:ident: $($command:ident $statement:path),*) => {
        $(
            #[test]
            #[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
            fn $command() {
                super::on_one(stringify!($component), stringify!($command), $statement);
            }
        )*
    };
}

macro_rules! components {
    ($($component:ident)*) => {
        $(
            mod $component {
                use super::{deny, each};
                tests!($component: inspect each::inspect, wit each::wit, check each::check, compose each::compose,
                    deny deny::deny, decompose each::decompose, graph each::graph);
            }
        )*
        /// Those that have tests of their own here.
        const TESTED: &[&str] = &[$(stringify!($component)),*];
    };
}

components! {
    augurs_prophet
    cerberust_egress
    cerberust_redact
    cviz_chain
    edgee_analytics
    entropy_barebones
    entropy_custom_hash
    entropy_faucet
    entropy_transaction
    greentic_node_v05
    greentic_node_v06
    greentic_ui_actions
    greentic_mcp_adapter
    greentic_mcp_adapter_v04
    greentic_probe
    oci_wasm_http
    oci_wasm_wit
    wac_hello
    wac_greeter
    wascap_guest
    wash_plugin
    wash_blobby
    wash_javascript
    wash_cron
    wash_cron_service
    wash_blobstore
    wash_counter
    golem_agent
    hyperlight_python
    hyperlight_javascript
}

#[test]
fn every_component_of_the_lock_has_its_tests() {
    let locked: Vec<String> = corpus::names();
    let tested: Vec<String> = TESTED.iter().map(|module| name(module)).collect();
    assert_eq!(tested, locked, "`components!` here, and tests/third-party/components.lock");
}

#[test]
#[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
fn every_file_is_the_locked_one() {
    corpus::every_file_is_the_locked_one(&Corpus::read());
}

#[test]
#[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
fn what_is_refused_is_refused_for_its_reason_only() {
    refused::the_table_is_about_what_is_there(&Corpus::read());
}

#[test]
#[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
fn each_edit_of_a_world_has_a_place() {
    edits::each_has_a_place(&Corpus::read());
}

#[test]
#[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
fn each_socket_and_each_plug() {
    pairs::plugs(&Corpus::read());
}

#[test]
#[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
fn each_component_and_the_world_of_each_other() {
    pairs::worlds(&Corpus::read());
}

#[test]
#[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
fn those_that_were_made_for_each_other() {
    together::pairs_made_for_each_other(&Corpus::read());
}

#[test]
#[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
fn a_bag_in_any_order() {
    together::a_bag_in_any_order(&Corpus::read());
}

#[test]
#[ignore = "needs the components that `python3 tools/third_party.py fetch` gets"]
fn the_page_says_what_the_tools_say() {
    page::page(&Corpus::read());
}

/// The scripts that `wasm-tools` is tested with.
#[test]
#[ignore = "needs the scripts that `python3 tools/third_party.py fetch` gets"]
fn published_scripts_are_read_by_every_command() {
    let (valid, invalid) = crate::scripts::read_all(&corpus::root().join("target/third-party/scripts"));
    assert!(valid > 200 && invalid > 100, "{valid} valid components, and {invalid} others");
}
