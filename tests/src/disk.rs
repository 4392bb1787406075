//! Disks that are soon full.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tempfile::TempDir;

/// Much more than any small disk has: who fills that much is filling another one.
const MOST_BYTES: usize = 1 << 30;
/// How often what became free is taken.
const TOPPED_UP_EVERY: Duration = Duration::from_millis(10);

/// A disk of a few megabytes, in memory. It is gone when this is dropped, with whatever is on it.
#[derive(Debug)]
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts one; nothing where that is not allowed, as to anybody but root.
    ///
    /// # Panics
    /// When there can be no temporary directory.
    pub fn mount(megabytes: u32) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0755"), "tmpfs"]).arg(directory.path());
        let mounted = mount.stdin(Stdio::null()).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(directory))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file there is about to end. If it fails, there is nobody to tell.
        Command::new("umount").arg("--lazy").arg(self.path()).status().ok();
    }
}

/// A file that takes all the room that a disk has left, and what becomes free later, until this is dropped: who has no room gives some back
/// now and then, and would find it again.
#[derive(Debug)]
pub struct Ballast {
    path: PathBuf,
    end: Option<mpsc::Sender<()>>,
    filling: Option<JoinHandle<()>>,
}

impl Ballast {
    /// Fills the small disk that this directory is on. Blocks until it is full.
    ///
    /// # Panics
    /// When no file can be made there, and when it is no small disk.
    pub fn fill(directory: &Path) -> Self {
        let path = directory.join("ballast");
        let mut file = File::create(&path).expect("a file");
        let mut bytes = top_up(&mut file);
        assert!(bytes < MOST_BYTES, "{} is no small disk", directory.display());
        let (end, ended) = mpsc::channel();
        let filling = thread::spawn(move || {
            while bytes < MOST_BYTES && ended.recv_timeout(TOPPED_UP_EVERY) == Err(RecvTimeoutError::Timeout) {
                bytes += top_up(&mut file);
            }
        });
        Self { path, end: Some(end), filling: Some(filling) }
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(filling) = self.filling.take() {
            // If it panicked there is nobody to tell.
            filling.join().ok();
        }
        // It may be gone with its disk.
        fs::remove_file(&self.path).ok();
    }
}

/// Writes until there is no room; how many bytes that were.
fn top_up(file: &mut File) -> usize {
    let mut bytes = 0;
    for piece in [vec![0_u8; 1 << 20], vec![0_u8; 4096]] {
        while bytes < MOST_BYTES && file.write_all(&piece).is_ok() {
            bytes += piece.len();
        }
    }
    bytes
}
