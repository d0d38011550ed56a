//! Files, read within a limit.
//!
//! **Invariant:** no more than the limit and one octet of a file is ever in memory.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::command::fault;
use crate::command::text::{Said, VerifyText};

/// The octets of a regular file.
///
/// # Errors
/// In words: why it cannot be read, or that it is larger than the limit.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Said> {
    let system = |error: std::io::Error| fault::system(&error);
    // Opening a pipe would wait for whoever writes into it.
    if !std::fs::metadata(path).map_err(system)?.is_file() {
        return Err(VerifyText::FileNotRegular.said());
    }
    let file = File::open(path).map_err(system)?;
    let mut bytes = Vec::new();
    let limit = bytes_max.saturating_add(1);
    let read = file.take(limit).read_to_end(&mut bytes).map_err(system)?;
    if u64::try_from(read).is_ok_and(|read| read <= bytes_max) {
        Ok(bytes)
    } else {
        Err(VerifyText::FileTooLarge.said().with("limit", bytes_max))
    }
}

/// How many PEM blocks of any label begin in a text.
pub(super) fn pem_blocks(text: &[u8]) -> usize {
    let begin = b"-----BEGIN ";
    text.windows(begin.len()).filter(|window| window == begin).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit_and_no_further() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 10]).expect("written");
        assert_eq!(read(&path, 10).map(|bytes| bytes.len()), Ok(10));
        let told = read(&path, 9).expect_err("too large").to_string();
        assert!(told.contains("9 byte"), "{told}");
        let told = read(folder.path(), 10).expect_err("a folder").to_string();
        assert!(told.contains("no regular file"), "{told}");
        let told = read(&folder.path().join("absent"), 10)
            .expect_err("absent")
            .to_string();
        assert!(told.contains("there is no such file"), "{told}");
    }
}
