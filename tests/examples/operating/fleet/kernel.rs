//! What the kernel counts of processes.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Ticks of processor time per second in `/proc`: on every Linux the same.
const TICKS_PER_SECOND: f64 = 100.0;
/// The state of a connection that is open, in `/proc/net/tcp`.
const ESTABLISHED: &str = "01";

/// One process, or several together, at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    /// Processor time, with that of children that have ended.
    pub(crate) seconds: f64,
    pub(crate) resident_megabytes: f64,
    pub(crate) threads: u64,
    /// Files, sockets among them.
    pub(crate) files: usize,
}

impl Reading {
    /// Of a process; nothing of one that is gone.
    pub(crate) fn of(id: u32) -> Self {
        Self::read(id).unwrap_or_default()
    }

    /// Of all of them. Memory that they share counts for each.
    pub(crate) fn of_all(ids: &[u32]) -> Self {
        let readings = ids.iter().map(|id| Self::of(*id));
        readings.fold(Self::default(), |sum, one| Self {
            seconds: sum.seconds + one.seconds,
            resident_megabytes: sum.resident_megabytes + one.resident_megabytes,
            threads: sum.threads + one.threads,
            files: sum.files + one.files,
        })
    }

    fn read(id: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name stands in brackets, and may have brackets and spaces in it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: Option<Vec<f64>> = fields.get(11..15)?.iter().map(|ticks| ticks.parse().ok()).collect();
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let number = |name: &str| -> Option<f64> {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.split_whitespace().next()?.parse().ok()
        };
        Some(Self {
            seconds: ticks?.iter().sum::<f64>() / TICKS_PER_SECOND,
            resident_megabytes: number("VmRSS:")? / 1024.0,
            threads: fields.get(17)?.parse().ok()?,
            files: fs::read_dir(format!("/proc/{id}/fd")).ok()?.count(),
        })
    }
}

/// The processes that work in a directory or below it: a server with all its helpers.
pub(crate) fn processes_in(directory: &Path) -> Vec<u32> {
    let directory = directory.canonicalize().expect("a directory of a server");
    let ids = fs::read_dir("/proc").expect("/proc").filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let works_there = |id: &u32| fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|at| at.starts_with(&directory));
    ids.filter(works_there).collect()
}

/// How many connections a process has to a server of this machine.
pub(crate) fn connections(id: u32, server: SocketAddr) -> usize {
    let entries = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten();
    let links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let sockets: BTreeSet<PathBuf> = links.filter(|link| link.to_string_lossy().starts_with("socket:")).collect();
    let to_it = format!(":{:04X}", server.port());
    let table = fs::read_to_string(format!("/proc/{id}/net/tcp")).unwrap_or_default();
    let is_its = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // Local and remote address, state; the inode comes later.
        let [_, _, remote, state, ..] = fields.as_slice() else { return false };
        let inode = fields.get(9).copied().unwrap_or_default();
        remote.ends_with(&to_it) && *state == ESTABLISHED && sockets.contains(Path::new(&format!("socket:[{inode}]")))
    };
    table.lines().filter(is_its).count()
}
