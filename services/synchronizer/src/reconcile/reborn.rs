//! Leaders whose ids somebody else bears by now. A reference means who bore the id when it was told; where a source tells the same id
//! later, it may mean somebody else (ids of members can be given to others, reference wecom 2.2).

use std::collections::BTreeMap;

use common::{EntityKey, Field, TenantId, UnixMillis, Value};
use database::Connection;
use directory::Record;
use store::records;

/// Members who are live, and when the life before theirs ended.
#[derive(Debug, Default)]
pub(crate) struct Reborn(BTreeMap<EntityKey, UnixMillis>);

impl Reborn {
    /// Those among the leaders that these were told to have and do not have: nobody else has to be looked at.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn among<'a>(
        conn: &mut Connection,
        tenant: &TenantId,
        of: impl Iterator<Item = &'a Record>,
    ) -> database::Result<Self> {
        let mut leaders: Vec<EntityKey> = of.flat_map(without).collect();
        if leaders.is_empty() {
            return Ok(Self::default());
        }
        leaders.sort_unstable();
        leaders.dedup();
        let found = records::load(conn, tenant, &leaders)?.into_iter().map(|(key, row)| (key, row.record));
        let live = found.filter(|(_, record)| record.is_live());
        Ok(Self(live.filter_map(|(key, record)| Some((key, record.ended_at()?))).collect()))
    }

    /// Whether a list of leaders means somebody else at `at` than the same list meant at `told_at`.
    pub(crate) fn mean_others(&self, leaders: &Value, told_at: UnixMillis, at: UnixMillis) -> bool {
        let Value::List(leaders) = leaders else { return false };
        let ended = |id: &String| self.0.get(&EntityKey::member(id));
        leaders.iter().filter_map(ended).any(|ended_at| told_at <= *ended_at && *ended_at < at)
    }
}

/// The leaders that it was told to have and does not have.
fn without(record: &Record) -> Vec<EntityKey> {
    let told = record.facts.iter().rev().filter_map(directory::Fact::fields).find(|fields| fields.has(Field::Leaders));
    let (Some(told), Some(sent)) = (told, &record.sent) else { return Vec::new() };
    let has: Vec<EntityKey> = sent.entity.fields.list(Field::Leaders).iter().map(|id| EntityKey::member(id)).collect();
    let told = told.list(Field::Leaders).iter().map(|id| EntityKey::member(id));
    told.filter(|leader| !has.contains(leader)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_means_others_when_somebody_in_it_left_after_it_was_told() {
        let reborn = Reborn([(EntityKey::member("bob"), UnixMillis(20))].into());
        let mean_others =
            |ids: &[&str], told_at, at| reborn.mean_others(&Value::from(ids), UnixMillis(told_at), UnixMillis(at));
        assert!(mean_others(&["ann", "BOB"], 10, 30));
        assert!(!mean_others(&["ann"], 10, 30), "she never left");
        assert!(!mean_others(&["bob"], 25, 30), "it was told of who bears the id now");
        assert!(!mean_others(&["bob"], 10, 15), "it is of the same time");
    }
}
