//! Disks that are soon full.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Much more than any small disk has: who fills that much is filling another one.
const MOST_BYTES: usize = 1 << 30;

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

/// A file that takes all the room that a disk has left, until this is dropped.
#[derive(Debug)]
pub struct Ballast {
    path: PathBuf,
    file: File,
    bytes: usize,
}

impl Ballast {
    /// Fills the small disk that this directory is on. Blocks.
    ///
    /// # Panics
    /// When no file can be made there, and when it is no small disk.
    pub fn fill(directory: &Path) -> Self {
        let path = directory.join("ballast");
        let file = File::create(&path).expect("a file");
        let mut ballast = Self { path, file, bytes: 0 };
        ballast.top_up();
        ballast
    }

    /// Takes what became free since: who has no room gives some back now and then, and would find it again. Blocks.
    ///
    /// # Panics
    /// When it is no small disk.
    pub fn top_up(&mut self) {
        for piece in [vec![0_u8; 1 << 20], vec![0_u8; 4096]] {
            while self.file.write_all(&piece).is_ok() {
                self.bytes += piece.len();
                assert!(self.bytes < MOST_BYTES, "{} is on no small disk", self.path.display());
            }
        }
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        // It may be gone with its disk.
        fs::remove_file(&self.path).ok();
    }
}
