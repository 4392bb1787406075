//! Processor time and memory of processes, as the kernel counts them.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};

/// Kernel ticks of processor time per second, as `/proc` counts them: on every Linux the same, whatever the kernel itself uses.
const TICKS_PER_SECOND: f64 = 100.0;

/// All processes of one moment.
pub(crate) struct Processes(BTreeMap<u32, Stat>);

struct Stat {
    parent: u32,
    own_ticks: f64,
    /// Those of its children that ended, with all that these had started.
    ended_ticks: f64,
}

impl Processes {
    /// Those of now.
    pub(crate) fn now() -> Result<Self> {
        let directory = fs::read_dir("/proc").context("/proc cannot be read: this needs Linux")?;
        let ids = directory.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        // One that ends in between is counted with its parent.
        Ok(Self(ids.filter_map(|id| Some((id, Stat::read(id)?))).collect()))
    }

    /// Who started a process.
    pub(crate) fn parent(&self, id: u32) -> Option<u32> {
        self.0.get(&id).map(|stat| stat.parent)
    }

    /// Seconds of processor time of a process and of all that it started, those that have ended included.
    pub(crate) fn tree_seconds(&self, root: u32) -> f64 {
        let (mut ticks, mut open) = (0.0, vec![root]);
        while let Some(id) = open.pop() {
            let Some(stat) = self.0.get(&id) else { continue };
            ticks += stat.own_ticks + stat.ended_ticks;
            open.extend(self.0.iter().filter(|(_, child)| child.parent == id).map(|(child, _)| *child));
        }
        ticks / TICKS_PER_SECOND
    }

    /// Seconds of processor time of this process itself, and of those of its children that have ended.
    pub(crate) fn own_seconds(&self) -> (f64, f64) {
        let this = self.0.get(&std::process::id());
        this.map_or((0.0, 0.0), |stat| (stat.own_ticks / TICKS_PER_SECOND, stat.ended_ticks / TICKS_PER_SECOND))
    }
}

impl Stat {
    fn read(id: u32) -> Option<Self> {
        let bytes = fs::read(format!("/proc/{id}/stat")).ok()?;
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    fn parse(text: &str) -> Option<Self> {
        // The name stands in brackets, and may have brackets and spaces in it.
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |place: usize| fields.get(place)?.parse::<f64>().ok();
        let parent = fields.get(1)?.parse().ok()?;
        Some(Self { parent, own_ticks: number(11)? + number(12)?, ended_ticks: number(13)? + number(14)? })
    }
}

/// The most memory that a process ever had, in mebibytes.
pub(crate) fn peak_megabytes(id: u32) -> Result<f64> {
    megabytes(id, "VmHWM:")
}

/// The memory that a process has, in mebibytes.
pub(crate) fn resident_megabytes(id: u32) -> Result<f64> {
    megabytes(id, "VmRSS:")
}

fn megabytes(id: u32, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).with_context(|| format!("process {id} has ended"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = value.and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kilobytes.with_context(|| format!("/proc/{id}/status has no {name}"))? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_anything_in_it() {
        let text = "7 (a) (b) S 3 7 7 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.parent, stat.own_ticks, stat.ended_ticks), (3, 120.0, 7.0));
    }

    #[test]
    fn a_tree_counts_what_lives_and_what_has_ended() {
        let stat = |parent, own_ticks, ended_ticks| Stat { parent, own_ticks, ended_ticks };
        let all =
            [(1, stat(0, 900.0, 0.0)), (2, stat(1, 100.0, 50.0)), (3, stat(2, 30.0, 0.0)), (4, stat(3, 20.0, 0.0))];
        assert_eq!(Processes(all.into_iter().collect()).tree_seconds(2), 2.0);
    }

    #[test]
    fn this_process_is_among_them() {
        let id = std::process::id();
        assert!(Processes::now().unwrap().parent(id).is_some());
        assert!(peak_megabytes(id).unwrap() >= resident_megabytes(id).unwrap() / 2.0);
    }
}
