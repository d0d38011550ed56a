//! Folders that people fill, and the folder in which fetched lists outlive a restart.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trust::{Certificate, Digest, OcspAnswer, Time};

use super::material::Signed;

/// A file that is larger is no certificate, and no list that would be fetched.
const FILE_BYTES_MAX: u64 = 256 << 20;

const ANSWER_EXTENSION: &str = "ocsp";

/// What the files of a folder hold, and what is wrong with the others.
#[derive(Debug)]
pub(super) struct Folder<T> {
    pub(super) found: Vec<T>,
    pub(super) faults: Vec<String>,
}

impl<T> Default for Folder<T> {
    fn default() -> Folder<T> {
        Folder {
            found: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// All certificates of a folder.
pub(super) fn certificates(folder: &Path) -> io::Result<Folder<Arc<Certificate>>> {
    read_all(folder, certificates_of)
}

/// All certificates of a file: PEM with one or more, DER, or a bundle (PKCS#7) in DER.
pub(super) fn certificates_of(bytes: &[u8]) -> Result<Vec<Arc<Certificate>>, String> {
    if bytes.first() == Some(&0x30) {
        let sole = Certificate::from_der(bytes).map(|one| vec![Arc::new(one)]);
        // A bundle of them (PKCS#7), as authorities hand them out.
        return sole.or_else(|fault| {
            let bundle = trust::cms::certificates(bytes).ok().filter(|all| !all.is_empty());
            bundle.ok_or_else(|| fault.to_string())
        });
    }
    let found = Certificate::all_from_pem(bytes).map_err(|fault| fault.to_string())?;
    if found.is_empty() {
        Err("holds no certificate".to_owned())
    } else {
        Ok(found.into_iter().map(Arc::new).collect())
    }
}

/// The bytes of every file of a folder.
pub(super) fn contents(folder: &Path) -> io::Result<Folder<Vec<u8>>> {
    read_all(folder, |bytes| Ok(vec![bytes.to_vec()]))
}

fn read_all<T>(folder: &Path, read: impl Fn(&[u8]) -> Result<Vec<T>, String>) -> io::Result<Folder<T>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Half-written files of others and our own begin or end like this.
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_file() && !name.starts_with('.') && !name.ends_with(".new") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut folder = Folder::default();
    for path in paths {
        match read_file(&path).and_then(|bytes| read(&bytes)) {
            Ok(found) => folder.found.extend(found),
            Err(fault) => folder.faults.push(format!("{}: {fault}", path.display())),
        }
    }
    Ok(folder)
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("{size} bytes are too many"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

/// The folder of fetched lists, learned issuers and learned addresses.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    lists: PathBuf,
    issuers: PathBuf,
    answers: PathBuf,
    addresses: PathBuf,
}

impl Cache {
    /// The cache below this folder; made if it is missing.
    pub(super) fn open(folder: &Path) -> io::Result<Cache> {
        let cache = Cache::at(folder);
        for folder in [&cache.lists, &cache.issuers, &cache.answers] {
            fs::create_dir_all(folder)?;
        }
        Ok(cache)
    }

    /// The cache below this folder, whether it is there or not: for whoever only reads.
    pub(super) fn at(folder: &Path) -> Cache {
        let [lists, issuers, answers] = ["lists", "issuers", "answers"].map(|name| folder.join(name));
        Cache {
            lists,
            issuers,
            answers,
            addresses: folder.join("addresses"),
        }
    }

    /// The lists that were kept, and those that cannot be read. As below: what is not there holds nothing.
    pub(super) fn lists(&self) -> io::Result<Folder<Vec<u8>>> {
        or_empty(contents(&self.lists))
    }

    /// The issuers that were learned. The expired are removed.
    pub(super) fn issuers(&self, now: Time) -> io::Result<Folder<Arc<Certificate>>> {
        let mut folder = or_empty(certificates(&self.issuers))?;
        let (good, expired) = folder.found.into_iter().partition(|one| now <= one.not_after());
        folder.found = good;
        let expired: Vec<Arc<Certificate>> = expired;
        for one in expired {
            fs::remove_file(self.issuer_file(&one))?;
        }
        Ok(folder)
    }

    /// The addresses of lists that were kept, with the series that each gave.
    pub(super) fn addresses(&self) -> Vec<(String, Option<Digest>)> {
        let text = fs::read_to_string(&self.addresses).unwrap_or_default();
        let read = |line: &str| {
            let known = line.split_once(' ').and_then(|(series, url)| {
                let series = series.parse().ok()?;
                Some((url.to_owned(), Some(series)))
            });
            // Earlier versions wrote the address alone.
            known.unwrap_or_else(|| (line.to_owned(), None))
        };
        text.lines().map(read).collect()
    }

    /// Keeps a list in the place of the older one of its series.
    pub(super) fn keep_list(&self, signed: &Signed) -> io::Result<()> {
        write_whole(
            &self.lists.join(format!("{}.crl", signed.series())),
            signed.list.der(),
        )
    }

    /// Keeps an issuer that was learned.
    pub(super) fn keep_issuer(&self, issuer: &Certificate) -> io::Result<()> {
        let file = self.issuer_file(issuer);
        if file.exists() {
            return Ok(());
        }
        write_whole(&file, issuer.der())
    }

    fn issuer_file(&self, issuer: &Certificate) -> PathBuf {
        self.issuers.join(format!("{}.crt", issuer.fingerprint()))
    }

    /// The OCSP answers that were kept, each with the fingerprint of the certificate that it is about. A file that is none
    /// is passed over: what it said can be asked for again.
    pub(super) fn answers(&self) -> io::Result<Vec<(Digest, Arc<OcspAnswer>)>> {
        let mut answers = Vec::new();
        let entries = or_empty(fs::read_dir(&self.answers).map(Iterator::collect::<Vec<_>>))?;
        for entry in entries {
            let path = entry?.path();
            let about = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            let is_answer = path
                .extension()
                .is_some_and(|extension| extension == ANSWER_EXTENSION);
            if let (Some(about), true) = (about, is_answer)
                && let Ok(bytes) = read_file(&path)
                && let Ok(answer) = OcspAnswer::from_der(bytes)
            {
                answers.push((about, Arc::new(answer)));
            }
        }
        Ok(answers)
    }

    /// Keeps the answer about a certificate in the place of the older one.
    pub(super) fn keep_answer(&self, about: &Digest, answer: &OcspAnswer) -> io::Result<()> {
        write_whole(&self.answer_file(about), answer.der())
    }

    /// Removes the answer about a certificate, if there is one.
    pub(super) fn remove_answer(&self, about: &Digest) -> io::Result<()> {
        match fs::remove_file(self.answer_file(about)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn answer_file(&self, about: &Digest) -> PathBuf {
        self.answers.join(format!("{about}.{ANSWER_EXTENSION}"))
    }

    /// Keeps the addresses.
    pub(super) fn keep_addresses(&self, addresses: &[(String, Digest)]) -> io::Result<()> {
        let lines = addresses.iter().map(|(url, series)| format!("{series} {url}"));
        let lines: Vec<String> = lines.collect();
        write_whole(&self.addresses, lines.join("\n").as_bytes())
    }
}

/// A gateway that never ran has no cache.
fn or_empty<T: Default>(read: io::Result<T>) -> io::Result<T> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        read => read,
    }
}

/// Writes a file so that after a crash the old one or the new one is there, whole.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::rename(write_fresh(path, bytes)?, path)?;
    let folder = path.parent().expect("a file of the cache stands in a folder");
    File::open(folder)?.sync_all()
}

/// Makes a file that is whole when it is seen, and fails where one of its name is there. The folder is left to be synced.
pub(super) fn create_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = write_fresh(path, bytes)?;
    let linked = fs::hard_link(&fresh, path);
    fs::remove_file(&fresh)?;
    linked
}

/// Writes beside the file what it is to hold.
fn write_fresh(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(fresh)
}
