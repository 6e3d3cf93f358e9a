//! A sorted list of keys in a store that can neither sort nor write two keys at once.
//!
//! The list is a chain of [`Chunk`]s. Each holds up to [`CHUNK`] entries in ascending order and names the
//! next one together with that one's *low key*: the chunk holds the entries from its own low key up to, but
//! not including, the next one's. What makes this safe with many writers, without locks:
//!
//! - *An entry is inserted by one compare-and-swap on one chunk.* Whether the chunk is the right one is decided
//!   from the same value that is replaced. Where the key is not below the next low key, one moves right.
//! - *A full chunk is split in two steps.* The right half is written first, under a number that nobody else
//!   has, so nobody can see it. Then the left half and the pointer to the right one replace the full chunk in one
//!   compare-and-swap. Before it nothing has changed, after it everything has; where it fails, or the
//!   writer vanishes, the right half is garbage that nothing points to, and costs only its space.
//! - *Low keys never change, and chunks are never removed.* So whoever knew where a chunk begins still knows,
//!   however long it slept: it starts there and moves right.
//!
//! A reader that meets a chunk before or after a split sees the same entries.
//!
//! Chunk 0 is where the chain begins. To start nearer to the goal there are [`Signposts`]: some chunks with
//! their low keys, written after each split. They are only a hint, since whatever an old one says is still
//! true; they are thinned out before they grow long, but for the last one, which makes appending cheap.
//! A key that is appended at the very end opens a new chunk instead of splitting the full one in halves, so that
//! lists that only grow consist of full chunks.

use serde::{Deserialize, Serialize};

use crate::record::{Record, decode_some};
use crate::store::{KeyValue, Step, update};
use crate::types::Error;

/// The most entries of a chunk.
pub const CHUNK: usize = 128;
/// The most signposts.
pub const POSTS: usize = 256;

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    v: u32,
    entries: Vec<String>,
    next: Option<Post>,
}

/// Where a chunk begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Post {
    low: String,
    chunk: u64,
}

/// Some chunks, ascending by their low keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signposts {
    v: u32,
    posts: Vec<Post>,
}

impl Chunk {
    fn new(entries: Vec<String>, next: Option<Post>) -> Self {
        Self { v: Self::NEWEST, entries, next }
    }

    /// The chunk to the right, where a key does not belong into this one.
    fn right_of(&self, key: &str) -> Option<&Post> {
        self.next.as_ref().filter(|next| key >= next.low.as_str())
    }
}

impl Record for Chunk {
    const NEWEST: u32 = 1;

    fn fault(&self) -> Option<&'static str> {
        let below_next = match (self.entries.last(), &self.next) {
            (Some(last), Some(next)) => *last < next.low,
            _ => true,
        };
        let in_order = below_next && self.entries.is_sorted_by(|a, b| a < b);
        (!in_order).then_some("its entries are out of order")
    }
}

impl Signposts {
    /// Where to start looking for a key.
    fn before(&self, key: &str) -> u64 {
        let above = self.posts.partition_point(|post| post.low.as_str() <= key);
        above.checked_sub(1).map_or(0, |index| self.posts[index].chunk)
    }

    /// Adds one; false where it is there already.
    fn add(&mut self, post: Post, most: usize) -> bool {
        match self.posts.binary_search_by(|known| known.low.cmp(&post.low)) {
            Ok(_) => false,
            Err(index) => {
                self.posts.insert(index, post);
                if self.posts.len() > most {
                    let last = self.posts.len() - 1;
                    let mut index = 0;
                    self.posts.retain(|_| {
                        index += 1;
                        index % 2 == 0 || index > last
                    });
                }
                true
            }
        }
    }
}

impl Record for Signposts {
    const NEWEST: u32 = 1;
}

/// A sorted list of keys under a name.
pub struct Index<'a, S> {
    store: &'a S,
    name: &'static str,
    chunk: usize,
    posts: usize,
}

/// What became of a try to insert.
enum Inserted {
    /// The entry is there.
    There,
    /// The entry is there, and this chunk is new.
    Split(Post),
    /// It belongs into a chunk further right.
    Right(u64),
}

impl<'a, S: KeyValue> Index<'a, S> {
    /// The list with this name; an empty one needs no preparation.
    pub fn new(store: &'a S, name: &'static str) -> Self {
        Self::with_limits(store, name, CHUNK, POSTS)
    }

    /// The same with other limits, at least 2 each. Any number of them may be at work on one list.
    pub fn with_limits(store: &'a S, name: &'static str, chunk: usize, posts: usize) -> Self {
        Self { store, name, chunk, posts }
    }

    /// Adds a key; nothing happens where it is there already.
    ///
    /// # Errors
    /// Those of the store, a chunk that cannot be read, or [`Error::Contended`].
    pub fn insert(&self, key: &str) -> Result<(), Error> {
        let mut number = self.start(key)?;
        loop {
            match self.insert_at(number, key)? {
                Inserted::There => return Ok(()),
                Inserted::Right(next) => number = next,
                Inserted::Split(post) => {
                    // The entry is stored: a signpost that could not be set is no failure.
                    let _ = self.set_post(&post);
                    return Ok(());
                }
            }
        }
    }

    fn insert_at(&self, number: u64, key: &str) -> Result<Inserted, Error> {
        let place = self.place(number);
        update(self.store, &place, |bytes| {
            let mut chunk = match decode_some::<Chunk>(&place, bytes)? {
                Some(chunk) => chunk,
                None if number == 0 => Chunk::new(Vec::new(), None),
                None => return Err(self.lost(number)),
            };
            if let Some(right) = chunk.right_of(key) {
                return Ok(Step::Keep(Inserted::Right(right.chunk)));
            }
            let Err(at) = chunk.entries.binary_search_by(|entry| entry.as_str().cmp(key)) else {
                return Ok(Step::Keep(Inserted::There));
            };
            let appended = at == chunk.entries.len() && chunk.next.is_none();
            chunk.entries.insert(at, key.to_owned());
            if chunk.entries.len() <= self.chunk {
                return Ok(Step::Write(chunk.encode(), Inserted::There));
            }
            let middle = if appended { at } else { chunk.entries.len() / 2 };
            let right = Chunk::new(chunk.entries.split_off(middle), chunk.next.take());
            let post = Post { low: right.entries[0].clone(), chunk: self.write_unseen(&right)? };
            chunk.next = Some(post.clone());
            Ok(Step::Write(chunk.encode(), Inserted::Split(post)))
        })
    }

    /// Writes a chunk under a number that nobody else knows, and answers the number.
    fn write_unseen(&self, chunk: &Chunk) -> Result<u64, Error> {
        let number = self.store.next_number(&format!("{}/last", self.name))?;
        let bytes = chunk.encode();
        update(self.store, &self.place(number), |found| {
            Ok(if found == Some(&bytes) { Step::Keep(number) } else { Step::Write(bytes.clone(), number) })
        })
    }

    /// Up to `limit` keys above `after`, ascending.
    ///
    /// # Errors
    /// Those of the store, or a chunk that cannot be read.
    pub fn after(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        let mut number = match after {
            Some(key) => self.start(key)?,
            None => 0,
        };
        while let Some(chunk) = self.chunk(number)? {
            let begin = after.map_or(0, |after| chunk.entries.partition_point(|key| key.as_str() <= after));
            found.extend(chunk.entries.into_iter().skip(begin).take(limit - found.len()));
            match chunk.next {
                Some(next) if found.len() < limit => number = next.chunk,
                _ => break,
            }
        }
        Ok(found)
    }

    fn place(&self, number: u64) -> String {
        format!("{}/{number}", self.name)
    }

    fn lost(&self, number: u64) -> Error {
        Error::Damaged(format!("{}: the list goes on there, but there is nothing", self.place(number)))
    }

    /// A chunk; none only for the first one of a list that is empty.
    fn chunk(&self, number: u64) -> Result<Option<Chunk>, Error> {
        let place = self.place(number);
        match decode_some(&place, self.store.get(&place)?.as_deref())? {
            None if number > 0 => Err(self.lost(number)),
            chunk => Ok(chunk),
        }
    }

    /// A chunk that begins at or before a key. Signposts that cannot be read are as good as none.
    fn start(&self, key: &str) -> Result<u64, Error> {
        let place = format!("{}/posts", self.name);
        let bytes = self.store.get(&place)?;
        Ok(decode_some::<Signposts>(&place, bytes.as_deref())
            .ok()
            .flatten()
            .map_or(0, |posts| posts.before(key)))
    }

    fn set_post(&self, post: &Post) -> Result<(), Error> {
        let place = format!("{}/posts", self.name);
        update(self.store, &place, |bytes| {
            let mut posts = decode_some::<Signposts>(&place, bytes)?
                .unwrap_or(Signposts { v: Signposts::NEWEST, posts: Vec::new() });
            let added = posts.add(post.clone(), self.posts);
            Ok(if added { Step::Write(posts.encode(), ()) } else { Step::Keep(()) })
        })
    }
}
