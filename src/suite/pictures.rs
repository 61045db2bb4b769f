//! Image files of the user's: their digests, by which a suite knows them again.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Stands for the digest of a file that cannot be read.
pub(super) const UNREADABLE: &str = "unreadable";

/// SHA-256 of a file, hex.
pub(super) fn digest_of_file(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hasher.update(&buffer[..count]),
        }
    }
}
