//! Which part of a lane is whose.

use std::collections::BTreeMap;

use common::{Hop, partition_of};

use crate::{Broker, Lane};

/// The part of a lane that comes to the consumers of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// There are no others.
    All,
    /// Nobody knows yet who else there is.
    Unknown,
    /// For each partition, whether it does.
    Partitions(Vec<bool>),
}

impl Share {
    /// Whether messages with this ordering key come here; `None` while that is not known.
    pub fn has(&self, ordering_key: &str) -> Option<bool> {
        match self {
            Self::All => Some(true),
            Self::Unknown => None,
            Self::Partitions(mine) => {
                let partition = partition_of(ordering_key, u32::try_from(mine.len()).unwrap_or(u32::MAX));
                mine.get(usize::try_from(partition).ok()?).copied()
            }
        }
    }
}

/// What of some lanes comes to one process at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares(BTreeMap<Lane, Share>);

impl Shares {
    /// Of the lanes that the process consumes.
    pub fn of(broker: &dyn Broker, hop: Hop, lanes: &[Lane]) -> Self {
        Self(lanes.iter().map(|lane| (lane.clone(), broker.share(hop, lane))).collect())
    }

    /// Whether messages with this ordering key come here; `None` while that is not known.
    pub fn has(&self, lane: &Lane, ordering_key: &str) -> Option<bool> {
        self.0.get(lane).map_or(Some(false), |share| share.has(ordering_key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_where_its_partition_is() {
        let keys: Vec<String> = (0..100).map(|key| format!("tenant-{key}")).collect();
        let (odd, even): (Vec<bool>, Vec<bool>) =
            (0..8).map(|partition| (partition % 2 == 1, partition % 2 == 0)).unzip();
        let (odd, even) = (Share::Partitions(odd), Share::Partitions(even));
        for key in &keys {
            let is_odd = partition_of(key, 8) % 2 == 1;
            assert_eq!((odd.has(key), even.has(key)), (Some(is_odd), Some(!is_odd)));
            assert_eq!((Share::All.has(key), Share::Unknown.has(key)), (Some(true), None));
        }
        assert_eq!(Share::Partitions(Vec::new()).has("tenant-1"), None);
    }
}
