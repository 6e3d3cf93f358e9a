//! How many files the process may have open. Every connection is one, and so is every file that a guest opens.

use host_runner::{Grants, Limits};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the host itself has open: its store, its logs, its clocks; and for a moment one for each of its threads that looks
/// up names and paths, of which there are up to 512.
const OF_THE_HOST: u64 = 64 + 512;

/// With fewer than this many files, guests that mean no harm fail.
const FEW: u64 = 16;

/// Raises the number to what the system allows, and sees to it that guests cannot open so many files that no connection
/// is accepted any more: lowers what each may have open where nobody has `chosen` it, else warns.
pub(crate) fn make_room(grants: &Grants, limits: &mut Limits, chosen: bool) {
    let allowed = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: allowed.maximum, ..allowed };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        // What there is will have to do.
        Err(_) => allowed.current,
    };
    let directories = grants.directories.as_ref().map_or(0, Vec::len);
    let opens_files = directories > 0 || grants.outbound.as_ref().is_some_and(|all| !all.is_empty());
    let (Some(now), true) = (now, opens_files) else { return };
    let instances = u64::from(limits.concurrency.max(1));
    let for_guests = now.saturating_sub(limits.connections as u64 + OF_THE_HOST);
    // Every instance has every granted directory open.
    let each = (for_guests / instances).saturating_sub(directories as u64);
    if limits.open_files as u64 <= each {
        return;
    }
    if !chosen && each >= FEW {
        limits.open_files = usize::try_from(each).unwrap_or(usize::MAX);
        tracing::info!(
            "a guest may have {each} files open: {now} for this process are no more than that for {instances} instances \
             (--max-open-files)"
        );
        return;
    }
    let of_guests = if each > 0 { format!("--max-open-files to {each} or less, or ") } else { String::new() };
    tracing::warn!(
        "guests may open more files than this process may have open ({now}), and then no connection is accepted: set \
         {of_guests}--max-concurrency or --max-connections lower, or allow this process more (ulimit -H -n)"
    );
}
