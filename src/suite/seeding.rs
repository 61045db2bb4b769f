//! Randomness by name: every random choice is drawn from a generator that is seeded by what it decides about.
//!
//! So the same item comes out the same whatever was generated before it, in any order and on any thread.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// A generator for the choice that `path` names, under the suite's `seed`.
pub fn generator(seed: u64, path: &[&str]) -> ChaCha8Rng {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    for part in path {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    ChaCha8Rng::from_seed(hasher.finalize().into())
}

/// A digest of bytes as lower-case hexadecimal.
pub fn hex_digest(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn the_path_is_unambiguous() {
        let next = |path: &[&str]| generator(0, path).next_u64();
        assert_ne!(next(&["ab", "c"]), next(&["a", "bc"]));
        assert_eq!(next(&["ab", "c"]), next(&["ab", "c"]));
        assert_ne!(generator(1, &["a"]).next_u64(), generator(2, &["a"]).next_u64());
    }
}
