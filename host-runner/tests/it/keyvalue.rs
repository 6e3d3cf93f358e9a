//! The two stores against a model, against each other, and under concurrency.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_runner::keyvalue::{
    Backend, Delta, Keys, MAX_COPIES, MAX_KEY, MAX_VALUE, Memory, OpenError, PAGE, Redb, StoreError, Write,
    Written, check,
};
use proptest::prelude::*;
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

/// What a test does to a store.
#[derive(Debug, Clone)]
enum Step {
    Get(Vec<String>),
    List(Option<String>),
    Write(Write),
    /// A swap from the value that is there.
    GoodSwap(String, Vec<u8>),
}

fn key() -> impl Strategy<Value = String> {
    // Few keys, so that steps meet; with one that is a prefix of another and one beyond ASCII.
    prop::sample::select(vec!["", "a", "ab", "b", "é", "\u{10ffff}"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec!["0", "7", "-3", "9223372036854775807", "+1", "-", "1 "])
            .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let delta = prop_oneof![
        any::<i64>().prop_map(Delta::Signed),
        (-5i64..5).prop_map(Delta::Signed),
        any::<u64>().prop_map(Delta::Unsigned),
        (0u64..5).prop_map(Delta::Unsigned),
    ];
    prop_oneof![
        prop::collection::vec(key(), 0..4).prop_map(Step::Get),
        prop::option::of(key()).prop_map(Step::List),
        prop::collection::vec((key(), value()), 0..4).prop_map(|pairs| Step::Write(Write::Set(pairs))),
        prop::collection::vec(key(), 0..4).prop_map(|keys| Step::Write(Write::Delete(keys))),
        (key(), delta).prop_map(|(key, delta)| Step::Write(Write::Add { key, delta })),
        (key(), prop::option::of(value()), value())
            .prop_map(|(key, expected, new)| Step::Write(Write::Swap { key, expected, new })),
        (key(), value()).prop_map(|(key, new)| Step::GoodSwap(key, new)),
    ]
}

/// What a step came to, in a form that can be compared.
#[derive(Debug, PartialEq)]
enum Seen {
    Values(Vec<Option<Vec<u8>>>),
    Keys(Keys),
    Written(Result<Written, String>),
}

async fn take(store: &dyn Backend, bucket: &str, step: &Step) -> Seen {
    match step {
        Step::Get(keys) => Seen::Values(store.get_many(bucket, keys.clone()).await.unwrap()),
        Step::List(after) => Seen::Keys(store.list_keys(bucket, after.clone()).await.unwrap()),
        Step::Write(write) => written(store, bucket, write.clone()).await,
        Step::GoodSwap(key, new) => {
            let expected = store.get(bucket, key.clone()).await.unwrap();
            written(store, bucket, Write::Swap { key: key.clone(), expected, new: new.clone() }).await
        }
    }
}

async fn written(store: &dyn Backend, bucket: &str, write: Write) -> Seen {
    Seen::Written(store.write(bucket, write).await.map_err(|error| error.to_string()))
}

/// The simplest thing that could be a bucket.
#[derive(Default)]
struct Model(BTreeMap<String, Vec<u8>>);

impl Model {
    fn take(&mut self, step: &Step) -> Seen {
        match step {
            Step::Get(keys) => Seen::Values(keys.iter().map(|key| self.0.get(key).cloned()).collect()),
            Step::List(after) => Seen::Keys(Keys {
                keys: self
                    .0
                    .keys()
                    .filter(|key| after.as_ref().is_none_or(|after| *key > after))
                    .cloned()
                    .collect(),
                more: false,
            }),
            Step::Write(Write::Set(pairs)) => {
                self.0.extend(pairs.iter().cloned());
                Seen::Written(Ok(Written::Done))
            }
            Step::Write(Write::Delete(keys)) => {
                self.0.retain(|key, _| !keys.contains(key));
                Seen::Written(Ok(Written::Done))
            }
            Step::Write(Write::Add { key, delta }) => Seen::Written(self.add(key, *delta)),
            Step::Write(Write::Swap { key, expected, new }) => {
                let current = self.0.get(key).cloned();
                if current == *expected {
                    self.0.insert(key.clone(), new.clone());
                    Seen::Written(Ok(Written::Done))
                } else {
                    Seen::Written(Ok(Written::Changed(current)))
                }
            }
            Step::GoodSwap(key, new) => {
                self.0.insert(key.clone(), new.clone());
                Seen::Written(Ok(Written::Done))
            }
        }
    }

    fn add(&mut self, key: &str, delta: Delta) -> Result<Written, String> {
        let text = self.0.get(key).map_or("0".into(), |value| String::from_utf8_lossy(value).into_owned());
        let plain = text.strip_prefix('-').unwrap_or(&text).chars().all(|c| c.is_ascii_digit());
        let number: i128 = match text.parse() {
            Ok(number) if plain => number,
            _ => return Err(StoreError::NotANumber.to_string()),
        };
        let sum = match delta {
            Delta::Signed(delta) => i64::try_from(number + i128::from(delta)).map(i128::from).ok(),
            Delta::Unsigned(delta) => u64::try_from(number + i128::from(delta)).map(i128::from).ok(),
        };
        let sum = sum.ok_or_else(|| StoreError::Overflow.to_string())?;
        self.0.insert(key.to_owned(), sum.to_string().into_bytes());
        Ok(Written::Sum(sum))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_stores_do_what_the_model_does(steps in prop::collection::vec((any::<bool>(), step()), 1..40)) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("store.redb");
        let memory = Memory::new();
        let mut redb = Redb::open(&file).unwrap();
        let mut models = [Model::default(), Model::default()];
        runtime().block_on(async {
            for (place, (second, step)) in steps.iter().enumerate() {
                let bucket = if *second { "b" } else { "a" };
                let expected = models[usize::from(*second)].take(step);
                prop_assert_eq!(&take(&memory, bucket, step).await, &expected, "memory, step {}", place);
                prop_assert_eq!(&take(&redb, bucket, step).await, &expected, "redb, step {}", place);
                // Now and then everything is closed and opened again: nothing may be missing.
                if place % 16 == 15 {
                    drop(redb);
                    redb = Redb::open(&file).unwrap();
                }
            }
            Ok(())
        })?;
    }
}

fn stores() -> (tempfile::TempDir, Vec<Arc<dyn Backend>>) {
    let directory = tempfile::tempdir().unwrap();
    let redb = Redb::open(&directory.path().join("store.redb")).unwrap();
    (directory, vec![Arc::new(Memory::new()), Arc::new(redb)])
}

#[test]
fn of_many_swaps_from_one_value_one_wins() {
    let (_directory, stores) = stores();
    for store in stores {
        runtime().block_on(async {
            for round in 0..10_u8 {
                let expected = store.get("bucket", "key".into()).await.unwrap();
                let swaps: Vec<_> = (0..32_u8)
                    .map(|who| {
                        let (store, expected) = (Arc::clone(&store), expected.clone());
                        tokio::spawn(async move {
                            store
                                .compare_and_swap("bucket", "key".into(), expected, vec![round, who])
                                .await
                                .unwrap()
                        })
                    })
                    .collect();
                let mut winners = 0;
                for swap in swaps {
                    winners += usize::from(swap.await.unwrap().is_ok());
                }
                assert_eq!(winners, 1);
            }
        });
    }
}

#[test]
fn no_increment_is_lost() {
    let (_directory, stores) = stores();
    for store in stores {
        runtime().block_on(async {
            let adders: Vec<_> = (0..100)
                .map(|_| {
                    let store = Arc::clone(&store);
                    tokio::spawn(async move {
                        for _ in 0..5 {
                            store.increment("n", "count".into(), Delta::Signed(1)).await.unwrap();
                        }
                    })
                })
                .collect();
            for adder in adders {
                adder.await.unwrap();
            }
            assert_eq!(store.get("n", "count".into()).await.unwrap(), Some(b"500".to_vec()));
        });
    }
}

#[test]
fn long_listings_come_in_pages() {
    let (_directory, stores) = stores();
    for store in stores {
        runtime().block_on(async {
            let names: Vec<String> = (0..2 * PAGE + 7).map(|n| format!("{n:06}")).collect();
            store.set_many("b", names.iter().map(|n| (n.clone(), vec![1])).collect()).await.unwrap();
            store.set("c", "other".into(), vec![2]).await.unwrap();
            store.set("a", "other".into(), vec![2]).await.unwrap();
            let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
            loop {
                let page = store.list_keys("b", after).await.unwrap();
                pages += 1;
                seen.extend(page.keys.clone());
                if !page.more {
                    break;
                }
                after = page.keys.last().cloned();
            }
            assert_eq!((pages, seen), (3, names));
        });
    }
}

#[test]
fn a_write_beyond_the_limits_changes_nothing() {
    let (_directory, stores) = stores();
    for store in stores {
        runtime().block_on(async {
            let long = "k".repeat(MAX_KEY + 1);
            let pairs = vec![("fine".to_owned(), vec![1]), (long, vec![2])];
            assert!(matches!(store.set_many("b", pairs).await, Err(StoreError::KeyTooLong(_))));
            let large = vec![0; MAX_VALUE + 1];
            assert!(matches!(store.set("b", "large".into(), large).await, Err(StoreError::ValueTooLong(_))));
            assert_eq!(store.list_keys("b", None).await.unwrap(), Keys::default());
        });
    }
}

#[test]
fn a_read_of_many_keys_has_a_limit_on_its_copies() {
    let (_directory, stores) = stores();
    for store in stores {
        runtime().block_on(async {
            store.set("b", "big".into(), vec![7; MAX_VALUE]).await.unwrap();
            let most = MAX_COPIES / MAX_VALUE;
            let values = store.get_many("b", vec!["big".to_owned(); most]).await.unwrap();
            assert!(values.iter().all(|value| value.as_ref().is_some_and(|value| value.len() == MAX_VALUE)));
            let refused = store.get_many("b", vec!["big".to_owned(); most + 1]).await;
            assert!(matches!(refused, Err(StoreError::TooMuch)), "{:?}", refused.map(|values| values.len()));
        });
    }
}

#[test]
fn a_damaged_store_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    let store = Redb::open(&file).unwrap();
    runtime().block_on(store.set("b", "key".into(), vec![7; 100])).unwrap();
    drop(store);
    let whole = std::fs::read(&file).unwrap();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(61).filter(|&at| whole[at] != 0) {
        let mut damaged = whole.clone();
        damaged[at..(at + 64).min(whole.len())].fill(0xd5);
        std::fs::write(&file, damaged).unwrap();
        // Damage in a page that nobody needs is not seen.
        if let Err(error) = Redb::open(&file) {
            assert!(matches!(error, OpenError::NotAStore { .. }), "at {at}: {error:?}");
            refused += 1;
        }
    }
    assert!(refused > 0);
    for length in [1, 9, 319, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        let error = Redb::open(&file).unwrap_err();
        assert!(matches!(error, OpenError::NotAStore { .. }), "{length} bytes: {error:?}");
    }
}

/// Entries of three buckets, in more than one page, after some were written over and deleted.
fn entries() -> BTreeMap<(String, String), Vec<u8>> {
    let place = |n: u32| (["a", "b", "c"][n as usize % 3].to_owned(), format!("customer/{:03}", n * 7 % 200));
    (0..200).map(|n| (place(n), format!("name {n} ").repeat(6).into_bytes())).collect()
}

/// Values and lists of keys; none where reading is an error.
type Answers = (Vec<Option<Option<Vec<u8>>>>, Vec<Option<Vec<String>>>);

/// What a store answers: the values of all entries, what it says of a key that never was, and its lists of keys. `None` is an
/// error.
fn answers(store: &Redb) -> Answers {
    runtime().block_on(async {
        let (mut values, mut lists) = (Vec::new(), Vec::new());
        for (bucket, key) in entries().into_keys() {
            values.push(store.get(&bucket, key.clone()).await.ok());
            values.push(store.get(&bucket, key + "/missing").await.ok());
        }
        for bucket in ["a", "b", "c", "d"] {
            lists.push(store.list_keys(bucket, None).await.ok().map(|page| page.keys));
        }
        (values, lists)
    })
}

/// Damage that nobody would notice: the file was closed in order, and nothing checks it when it is opened.
#[test]
fn a_flipped_bit_is_an_error_or_makes_no_difference() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    let store = Redb::open(&file).unwrap();
    runtime().block_on(async {
        for ((bucket, key), value) in entries() {
            store.set_many(&bucket, vec![(key.clone(), vec![1; 40]), (key, value)]).await.unwrap();
        }
        store.set("b", "zzz".into(), vec![2; 99]).await.unwrap();
        store.delete("b", "zzz".into()).await.unwrap();
    });
    let right = answers(&store);
    assert!(right.0.iter().chain(right.0.iter()).all(Option::is_some) && right.1.iter().all(Option::is_some));
    drop(store);
    let whole = std::fs::read(&file).unwrap();
    let sound = check(&file).unwrap();
    assert!(sound.is_sound() && sound.sealed, "{sound:?}");
    assert_eq!(sound.entries, entries().len() as u64);
    assert_eq!(std::fs::read(&file).unwrap(), whole, "a check changes nothing");
    let (mut wrong, mut noticed, mut tried) = (Vec::new(), 0, 0);
    for at in (0..whole.len()).filter(|&at| whole[at] != 0).step_by(67) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&file, damaged).unwrap();
        tried += 1;
        let Ok(store) = Redb::open(&file) else {
            noticed += 1;
            continue;
        };
        let given = answers(&store);
        let values = given.0.iter().zip(&right.0).all(|(given, right)| given.is_none() || given == right);
        let lists = given.1.iter().zip(&right.1).all(|(given, right)| given.is_none() || given == right);
        if !values || !lists {
            wrong.push(at);
        }
        noticed += usize::from(given != right);
    }
    assert!(wrong.is_empty(), "of {tried} flipped bits, these make wrong answers: {wrong:?}");
    assert!(noticed > tried / 10, "{noticed} of {tried}");
}

/// A table of the versions that kept values without checksums.
const EARLIER: redb::TableDefinition<(&str, &str), &[u8]> = redb::TableDefinition::new("keyvalue");
/// The same, when an upgrade was killed in its middle.
const LEFT: redb::TableDefinition<(&str, &str), &[u8]> =
    redb::TableDefinition::new("keyvalue without checksums");

fn earlier_store(file: &std::path::Path, rows: u32) {
    let database = redb::Database::create(file).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(EARLIER).unwrap();
        for row in 0..rows {
            table.insert(("b", format!("{row:06}").as_str()), &row.to_be_bytes()[..]).unwrap();
        }
    }
    transaction.commit().unwrap();
}

fn has_all(file: &std::path::Path, rows: u32) {
    let store = Redb::open(file).unwrap();
    runtime().block_on(async {
        for row in 0..rows {
            let value = store.get("b", format!("{row:06}")).await.unwrap();
            assert_eq!(value, Some(row.to_be_bytes().to_vec()), "{row}");
        }
    });
    drop(store);
    let checked = check(file).unwrap();
    assert!(checked.is_sound() && checked.sealed, "{checked:?}");
    assert_eq!(checked.entries, u64::from(rows));
}

#[test]
fn a_store_of_an_earlier_version_gets_checksums() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    earlier_store(&file, 25_000);
    let checked = check(&file).unwrap();
    assert!(checked.is_sound() && !checked.sealed, "{checked:?}");
    has_all(&file, 25_000);
    // A version without checksums does not take it for an empty one.
    let database = redb::Database::create(&file).unwrap();
    assert!(database.begin_write().unwrap().open_table(EARLIER).is_err());
}

#[test]
fn an_upgrade_that_was_killed_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    earlier_store(&file, 10_100);
    has_all(&file, 10_100);
    // As it is after the first batch: the last rows are still in the table of the earlier version.
    let database = redb::Database::create(&file).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(LEFT).unwrap().insert(("b", "010100"), &10_100_u32.to_be_bytes()[..]).unwrap();
    transaction.commit().unwrap();
    drop(database);
    has_all(&file, 10_101);
}

/// Otherwise what is damaged would get a checksum, and be found sound from then on.
#[test]
fn a_damaged_store_of_an_earlier_version_is_not_upgraded() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    earlier_store(&file, 2_000);
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(6).position(|window| window == b"001234").unwrap();
    bytes[at + 5] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let error = Redb::open(&file).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error:?}");
    assert!(!check(&file).unwrap().is_sound());
}

#[test]
fn a_store_has_one_process_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    let first = Redb::open(&file).unwrap();
    assert!(matches!(Redb::open(&file), Err(OpenError::Locked { .. })));
    drop(first);
    Redb::open(&file).unwrap();
}

#[test]
fn what_is_no_store_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notes.txt");
    std::fs::write(&file, "not a store").unwrap();
    let error = Redb::open(&file).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"not a store");
    let error = Redb::open(&directory.path().join("missing/store.redb")).unwrap_err();
    assert!(matches!(error, OpenError::NoDirectory { .. }), "{error:?}");
}
