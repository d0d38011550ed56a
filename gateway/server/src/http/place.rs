//! Where commands find the running gateway: two files in its data folder.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::auth::Token;

/// The file that holds the address of the internal port.
pub const ADDRESS_FILE: &str = "http.address";
/// The file that holds the token; only its owner may read it.
pub const TOKEN_FILE: &str = "administration.token";

/// Where a running gateway is, and what opens its desk.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its internal port.
    pub address: SocketAddr,
    /// What opens the desk.
    pub token: Token,
}

/// Why a file of the place could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PlaceFault {
    /// It cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// It does not hold an address.
    #[error("{path} holds no address")]
    NoAddress {
        /// Which.
        path: PathBuf,
    },
}

impl Place {
    /// Writes the token first, so that whoever finds the address finds the token that belongs to it.
    pub(super) fn write(data_dir: &Path, address: SocketAddr, token: &Token) -> Result<(), PlaceFault> {
        write_private(&data_dir.join(TOKEN_FILE), token.expose())?;
        write_private(&data_dir.join(ADDRESS_FILE), &address.to_string())
    }

    /// Where the gateway of this data folder is, if one wrote it; it may have ended since.
    ///
    /// # Errors
    /// [`PlaceFault::Read`] or [`PlaceFault::NoAddress`].
    pub fn find(data_dir: &Path) -> Result<Option<Place>, PlaceFault> {
        let Some(address) = read(&data_dir.join(ADDRESS_FILE))? else {
            return Ok(None);
        };
        let Some(token) = read(&data_dir.join(TOKEN_FILE))? else {
            return Ok(None);
        };
        let fault = || PlaceFault::NoAddress {
            path: data_dir.join(ADDRESS_FILE),
        };
        Ok(Some(Place {
            address: address.trim().parse().map_err(|_| fault())?,
            token: Token::of(token.trim()),
        }))
    }
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_private(path: &Path, text: &str) -> Result<(), PlaceFault> {
    let fault = |error| PlaceFault::Write {
        path: path.to_owned(),
        error,
    };
    let fresh = path.with_extension("new");
    // A left-over of a crash may have other permissions.
    match fs::remove_file(&fresh) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(fault(error)),
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(fault)?;
    file.write_all(text.as_bytes()).map_err(fault)?;
    fs::rename(&fresh, path).map_err(fault)
}

fn read(path: &Path) -> Result<Option<String>, PlaceFault> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PlaceFault::Read {
            path: path.to_owned(),
            error,
        }),
    }
}
