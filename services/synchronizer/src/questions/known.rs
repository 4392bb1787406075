//! A claimed question, with what the mirror knows of the one that it is about.

use common::{EntityKey, EntityKind, EntityMap, EntitySet, Field, Fields, TenantId, UnixMillis};
use database::{Connection, Result};
use directory::{Fact, Record, Why};
use store::{
    questions::{self, ANSWERS_LATER_BY_MILLIS},
    records, snapshots,
};

use super::{
    Wanted,
    absence::FRESH_MILLIS,
    early::{self, ROUNDING_MILLIS},
};

/// What these questions are about. The others are asked elsewhere.
const KINDS: &[EntityKind] = &[EntityKind::Department, EntityKind::Member];
/// Records that are read together.
const READ_AT_ONCE: i64 = 1000;

/// A question that is ours for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// About whom.
    pub(crate) about: EntityKey,
    /// The platform's time of the hint: an answer has to be later, by as much as clocks may differ. 0 where any will do.
    pub(crate) hinted_at: UnixMillis,
    /// The platform's time of the newest event that says that it exists.
    pub(crate) told_at: UnixMillis,
    /// How often it was asked in vain.
    pub(crate) attempts: u32,
    /// When a list first did not have it.
    pub(crate) absent_since: Option<UnixMillis>,
    /// The mirror has it as something that exists.
    pub(crate) is_live: bool,
    /// Something told that it exists, whether it was sent or not.
    pub(crate) exists: bool,
    /// Of a member, the departments that it is in as far as known.
    pub(crate) departments: Vec<String>,
    /// It is asked for where it is, too.
    pub(crate) places: bool,
    /// W3C trace context of the event that raised it, where that had one.
    pub(crate) traceparent: Option<String>,
}

impl Question {
    /// A hint comes with ids (reference wecom 2.1), so only details are asked for; whatever else is asked for, or was
    /// never told, the lists of ids must tell.
    fn new(claimed: questions::Claimed, record: Option<&Record>, reads_details: bool) -> Self {
        let questions::Claimed { about, why, about_at, attempts, absent_since, .. } = claimed;
        let departments = record.map(departments).unwrap_or_default();
        let is_placed = match about.kind {
            EntityKind::Member => !departments.is_empty(),
            _ => about.is_root() || record.is_some_and(|record| newest(record, Field::Parent).is_some()),
        };
        Self {
            places: !is_placed || why != Why::Hint || !reads_details,
            is_live: record.is_some_and(Record::is_live),
            exists: record.is_some_and(Record::exists),
            told_at: about_at.max(record.map(told_at).unwrap_or_default()),
            traceparent: record.and_then(|record| record.traceparent.clone()),
            about,
            hinted_at: about_at,
            attempts,
            absent_since,
            departments,
        }
    }

    /// How many milliseconds an answer of that time is too early; 0 where it does.
    pub(crate) fn lacks(&self, at: UnixMillis) -> i64 {
        early::lacks(self.hinted_at, at)
    }

    /// How long to wait until an answer will be late enough, if that is soon; if it is not, our clock is wrong.
    pub(crate) fn wait(&self, now: UnixMillis) -> Option<i64> {
        early::wait(self.hinted_at, now)
    }

    /// Whether it is known to have existed so lately that no whole list would be believed that does not have it.
    pub(crate) fn is_fresh(&self, now: UnixMillis) -> bool {
        // If it is to come yet, our clock is wrong.
        (-ANSWERS_LATER_BY_MILLIS..FRESH_MILLIS + ROUNDING_MILLIS).contains(&now.since(self.told_at))
    }

    /// The same, for planning.
    pub(crate) fn wanted(&self) -> Wanted {
        Wanted { about: self.about.clone(), departments: self.departments.clone(), places: self.places }
    }
}

/// How the platform spells the ids of those who were asked about, of whom it is known: a key has its own spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spelled(EntityMap<String>);

impl Spelled {
    /// The id of an entity as it is to be asked for.
    pub(crate) fn of<'a>(&'a self, about: &'a EntityKey) -> &'a str {
        self.0.get(about).map_or(&*about.id, String::as_str)
    }

    /// Adds what was heard elsewhere of those of whom nothing is known.
    pub(crate) fn add(&mut self, heard: impl IntoIterator<Item = (EntityKey, String)>) {
        for (about, id) in heard {
            self.0.entry(about).or_insert(id);
        }
    }
}

/// Claims questions of a tenant that are due, at most `limit`, until `until`.
pub(crate) fn claim(
    conn: &mut Connection,
    tenant: &TenantId,
    (now, until): (UnixMillis, UnixMillis),
    limit: i64,
    reads_details: bool,
) -> Result<(Vec<Question>, Spelled)> {
    let claimed = questions::claim(conn, tenant, KINDS, now, until, limit)?;
    let about: Vec<EntityKey> = claimed.iter().map(|claimed| claimed.about.clone()).collect();
    let mirror: EntityMap<records::Row> = records::load(conn, tenant, &about)?.into_iter().collect();
    let question = |claimed: questions::Claimed| {
        let record = mirror.get(&claimed.about).map(|row| &row.record);
        Question::new(claimed, record, reads_details)
    };
    let questions = claimed.into_iter().map(question).collect();
    let shown = mirror.iter().filter_map(|(about, row)| Some((about.clone(), row.record.shown.as_ref()?.1.clone())));
    Ok((questions, Spelled(shown.collect())))
}

/// Of these, those of which nothing was ever told, or nothing since they ended.
pub(crate) fn unheard_of(conn: &mut Connection, tenant: &TenantId, about: Vec<EntityKey>) -> Result<EntitySet> {
    let known = records::load(conn, tenant, &about)?.into_iter().filter(|(_, row)| row.record.exists());
    let known: EntitySet = known.map(|(about, _)| about).collect();
    Ok(about.into_iter().filter(|about| !known.contains(about)).collect())
}

/// The ids of the departments that are there as far as is known, shown or not.
pub(crate) fn departments_known(conn: &mut Connection, tenant: &TenantId) -> Result<Vec<String>> {
    let (mut known, mut after) = (Vec::new(), None);
    loop {
        let page = snapshots::mirror_after(conn, tenant, after.as_ref(), READ_AT_ONCE)?;
        let is_last = i64::try_from(page.len()).is_ok_and(|rows| rows < READ_AT_ONCE);
        for (key, record) in page {
            if key.kind != EntityKind::Department {
                return Ok(known);
            }
            if record.exists() {
                known.push(key.id.to_string());
            }
            after = Some(key);
        }
        if is_last {
            return Ok(known);
        }
    }
}

fn told_at(record: &Record) -> UnixMillis {
    let newest = record.facts.iter().rev().find(|fact| fact.fields().is_some());
    newest.map(|fact| fact.at).unwrap_or_default()
}

fn departments(record: &Record) -> Vec<String> {
    newest(record, Field::Departments).map(|fields| fields.list(Field::Departments).to_vec()).unwrap_or_default()
}

/// The newest of what was told of this life that has the field, or else what was last sent.
fn newest(record: &Record, field: Field) -> Option<&Fields> {
    let life = record.facts.iter().rev().take_while(|fact| !fact.ends_life());
    let told = life.filter_map(Fact::fields).find(|fields| fields.has(field));
    told.or_else(|| record.sent.as_ref().map(|sent| &sent.entity.fields).filter(|fields| fields.has(field)))
}
