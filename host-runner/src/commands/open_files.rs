//! How many files the process may have open. Every connection is one, and so is every file that a guest opens.

use host_runner::{Grants, Limits};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the host itself has open: its store, its logs, its clocks.
const OF_THE_HOST: u64 = 64;

/// Raises the number to what the system allows, and warns where guests could open so many files that no connection is
/// accepted any more.
pub(crate) fn make_room(grants: &Grants, limits: &Limits) {
    let allowed = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: allowed.maximum, ..allowed };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        // What there is will have to do.
        Err(_) => allowed.current,
    };
    let opens_files = grants.sockets || grants.directories.as_ref().is_some_and(|all| !all.is_empty());
    let (Some(now), true) = (now, opens_files) else { return };
    let connections = limits.connections as u64;
    let guests = (limits.host_handles as u64).saturating_mul(limits.concurrency.into());
    if guests.saturating_add(connections).saturating_add(OF_THE_HOST) > now {
        let each = now.saturating_sub(connections + OF_THE_HOST) / u64::from(limits.concurrency.max(1));
        tracing::warn!(
            "guests may open more files than this process may have open ({now}), and then no connection is accepted: \
             for a component that is not trusted set --max-host-handles to {} or less, or --max-concurrency lower",
            each.max(1)
        );
    }
}
