//! A store whose disk has no more room. The limit on the size of files that stands for the full disk holds for the
//! whole process, so this test runs in one of its own.

use host_runner::keyvalue::{Backend, Redb};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use rusty_fork::rusty_fork_test;

rusty_fork_test! {
    #[test]
    fn a_full_disk_loses_nothing_and_writes_go_on_when_there_is_room() {
        tokio::runtime::Runtime::new().unwrap().block_on(fill());
    }
}

async fn fill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    let store = Redb::open(&file).unwrap();
    // SAFETY: to ignore a signal runs no code. Without, a write past the limit would end the process.
    #[allow(unsafe_code)]
    unsafe {
        signal(Signal::SIGXFSZ, SigHandler::SigIgn).unwrap();
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let room = std::fs::metadata(&file).unwrap().len() + (1 << 20);
    let mut acknowledged = Vec::new();
    for round in 0..2 {
        setrlimit(Resource::RLIMIT_FSIZE, room + (round << 20), hard).unwrap();
        let mut failures = 0;
        for number in 0.. {
            let key = format!("{round}/{number}");
            match store.set("b", key.clone(), vec![7; 60_000]).await {
                Ok(()) => acknowledged.push(key),
                Err(_) => failures += 1,
            }
            // It stays full for a while: reads go on.
            if failures == 5 {
                break;
            }
            assert!(number < 1_000, "the disk never fills up");
        }
        all_there(&store, &acknowledged).await;
        setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
        let key = format!("{round}/room again");
        store.set("b", key.clone(), vec![7; 60_000]).await.unwrap();
        acknowledged.push(key);
    }
    assert!(acknowledged.len() > 4, "{acknowledged:?}");
    drop(store);
    all_there(&Redb::open(&file).unwrap(), &acknowledged).await;
}

async fn all_there(store: &Redb, keys: &[String]) {
    for key in keys {
        assert_eq!(
            store.get("b", key.clone()).await.unwrap().map(|value| value.len()),
            Some(60_000),
            "{key}"
        );
    }
}
