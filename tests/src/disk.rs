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
pub struct Ballast(PathBuf);

impl Ballast {
    /// Fills the small disk that this directory is on. Blocks.
    ///
    /// # Panics
    /// When no file can be made there, and when it is no small disk.
    pub fn fill(directory: &Path) -> Self {
        let ballast = Self(directory.join("ballast"));
        let mut file = File::create(&ballast.0).expect("a file");
        let mut written = 0;
        for piece in [vec![0_u8; 1 << 20], vec![0_u8; 4096]] {
            while file.write_all(&piece).is_ok() {
                written += piece.len();
                assert!(written < MOST_BYTES, "{} is no small disk", directory.display());
            }
        }
        ballast
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        // It may be gone with its disk.
        fs::remove_file(&self.0).ok();
    }
}
