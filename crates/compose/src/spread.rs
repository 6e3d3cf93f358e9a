//! Spreads work that is independent over the processors.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::thread;

use contract::contain::{CONTAINED, STACK};

/// The results of `work` on each of these, in their order. A panic in it goes on in the caller.
pub(crate) fn spread<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(items.len());
    if threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    let take = || queue.lock().ok().and_then(|mut queue| queue.next());
    let worker = || {
        let mut done = Vec::new();
        while let Some((index, item)) = take() {
            done.push((index, work(item)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let start = |_| {
            thread::Builder::new().name(CONTAINED.to_owned()).stack_size(STACK).spawn_scoped(scope, worker)
        };
        // Where there are no more threads to be had, this one does the work of those that are missing.
        let others: Vec<_> = (1..threads).map_while(|index| start(index).ok()).collect();
        let mut done = worker();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
