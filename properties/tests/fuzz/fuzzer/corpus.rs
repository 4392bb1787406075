//! The inputs that are kept.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{Seek, Write},
    path::{Path, PathBuf},
};

use super::{Came, watch};

/// One parser's folder. How a file is called says what must come of it: `good-*` is taken, `bad-*` is refused; of others, as of
/// those that failed once, it only matters that they do no harm.
pub(crate) struct Corpus {
    folder: PathBuf,
    in_hand: PathBuf,
}

/// A file of a corpus.
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Kept {
    /// Whether this may come of it.
    pub(super) fn allows(&self, came: &Came) -> bool {
        !self.name.starts_with(if came.taken { "bad-" } else { "good-" })
    }

    /// It was not written by us.
    pub(crate) fn failed_once(&self) -> bool {
        self.name.starts_with("failed-")
    }
}

impl Corpus {
    /// Of the parser with this name.
    pub(crate) fn of(parser: &str) -> Self {
        Self::at(
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus")).join(parser),
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{parser}")),
        )
    }

    /// In this folder; `in_hand` is the file for what is just being tried.
    pub(crate) fn at(folder: PathBuf, in_hand: PathBuf) -> Self {
        Self { folder, in_hand }
    }

    pub(super) fn in_hand(&self) -> &Path {
        &self.in_hand
    }

    /// All files, those that failed once first; before them what was in hand when a process died.
    pub(crate) fn files(&self) -> Vec<Kept> {
        let mut files: Vec<Kept> = match fs::read_dir(&self.folder) {
            Ok(entries) => entries.map(|entry| read(&entry.unwrap().path())).collect(),
            Err(error) => panic!("{}: {error}", self.folder.display()),
        };
        files.sort_by_cached_key(|file| (!file.failed_once(), file.name.clone()));
        if self.in_hand.exists() {
            let (place, folder) = (self.in_hand.display(), self.folder.display());
            watch::tell(&format!("{place} was in hand when a process died; if it dies again, move it to {folder}\n"));
            files.insert(0, read(&self.in_hand));
        }
        files
    }

    /// Keeps an input that failed, unless it is one of the files; says where it is.
    pub(super) fn keep(&self, input: &[u8]) -> PathBuf {
        if let Some(file) = self.files().into_iter().find(|file| file.bytes == input) {
            return self.folder.join(file.name);
        }
        let mut hash = DefaultHasher::new();
        input.hash(&mut hash);
        let path = self.folder.join(format!("failed-{:016x}", hash.finish()));
        fs::write(&path, input).unwrap();
        path
    }
}

fn read(path: &Path) -> Kept {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    Kept { name, bytes: fs::read(path).unwrap() }
}

/// The file that holds the input that is just being tried. A stack that overflows ends the process, and nothing but a file is
/// left of it then.
pub(super) struct Hand {
    path: PathBuf,
    file: fs::File,
}

impl Hand {
    pub(super) fn of(corpus: &Corpus) -> Self {
        let path = corpus.in_hand.clone();
        let file = fs::File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, file }
    }

    pub(super) fn hold(&mut self, input: &[u8]) {
        self.file.set_len(0).unwrap();
        self.file.rewind().unwrap();
        self.file.write_all(input).unwrap();
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        // Another run of the same tests may have been faster.
        drop(fs::remove_file(&self.path));
    }
}
