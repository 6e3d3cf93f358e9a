//! Runs tasks side by side: as many as there are processors, and exclusive ones one after the other.

use std::sync::{Condvar, Mutex, PoisonError};

/// Something to be done.
pub struct Task<T> {
    /// Whether it must not run at the same time as another such task: Cargo locks its target directory, so a second
    /// one would only wait, and keep a processor from other work.
    pub exclusive: bool,
    /// What is to be done.
    pub work: T,
}

struct Queue<T> {
    waiting: Vec<Task<T>>,
    exclusive_running: bool,
}

/// Runs `execute` on each, and answers with the results, in the order in which they ended.
pub fn run<T: Send, R: Send>(tasks: Vec<Task<T>>, execute: impl Fn(&T) -> R + Sync) -> Vec<(T, R)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(tasks.len());
    let queue = Mutex::new(Queue { waiting: tasks, exclusive_running: false });
    let changed = Condvar::new();
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(task) = take(&queue, &changed) {
                    let result = execute(&task.work);
                    if task.exclusive {
                        queue.lock().unwrap_or_else(PoisonError::into_inner).exclusive_running = false;
                        changed.notify_all();
                    }
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((task.work, result));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The next task that may run now; waits where there are only such that may not. None when there are none left.
fn take<T>(queue: &Mutex<Queue<T>>, changed: &Condvar) -> Option<Task<T>> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if queue.waiting.is_empty() {
            return None;
        }
        let busy = queue.exclusive_running;
        if let Some(index) = queue.waiting.iter().position(|task| !(task.exclusive && busy)) {
            let task = queue.waiting.remove(index);
            queue.exclusive_running |= task.exclusive;
            return Some(task);
        }
        queue = changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Task, run};

    #[test]
    fn all_tasks_run_and_exclusive_ones_alone() {
        let running = AtomicUsize::new(0);
        let tasks = (0..20).map(|number| Task { exclusive: number % 2 == 0, work: number }).collect();
        let mut done = run(tasks, |number| {
            if number % 2 == 0 {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "two exclusive tasks at once");
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
            }
            number * 2
        });
        done.sort_unstable();
        assert_eq!(done, (0..20).map(|number| (number, number * 2)).collect::<Vec<_>>());
    }
}
