//! Names of orders.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Characters of an order's id: 130 bits, 5 a character.
pub const LENGTH: usize = 26;

/// The id that follows from an idempotency key: the first 130 bits of a hash that is used for nothing else.
/// Whoever does not know the key cannot guess the id, and the id does not give the key away.
#[must_use]
pub fn of_key(idempotency_key: &str) -> String {
    let hash = Sha256::new().chain_update(b"shop:storage order\0").chain_update(idempotency_key).finalize();
    (0..LENGTH)
        .map(|index| {
            let (byte, bit) = (index * 5 / 8, index * 5 % 8);
            let window = u16::from_be_bytes([hash[byte], hash[byte + 1]]);
            char::from(ALPHABET[usize::from(window >> (11 - bit) & 31)])
        })
        .collect()
}

/// Whether this can be an order's id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte))
}
