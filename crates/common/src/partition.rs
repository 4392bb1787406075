//! Which queue a message goes to.

use xxhash_rust::xxh3::xxh3_64;

/// A hop of the pipeline; each has partitions of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hop {
    /// From the gateway and the synchronizer to the resolver.
    Events,
    /// From the resolver to the sink, always keyed by tenant.
    Changes,
}

impl Hop {
    /// The name used in queue names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Changes => "changes",
        }
    }
}

/// The partition, `0..partitions`, of an ordering key. The hash is XXH3-64 with seed 0 and never changes between releases:
/// two releases that ran side by side would otherwise split one key over two queues.
pub fn partition_of(ordering_key: &str, partitions: u32) -> u32 {
    let hash = xxh3_64(ordering_key.as_bytes());
    u32::try_from(hash % u64::from(partitions.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_pinned() {
        let seen: Vec<u32> = ["acme", "globex", "acme/zhangsan", ""].iter().map(|key| partition_of(key, 16)).collect();
        assert_eq!(seen, [1, 15, 3, 2]);
    }
}
