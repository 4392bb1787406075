//! What the company had and when, and how far along that somebody who watches it has come: whoever has shown a value shows none that
//! was there only before it.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, Event, EventBody, ROOT_DEPARTMENT};

use crate::{
    seen::{Directory, Fields, name_of},
    world::Violation,
};

/// Whether an entity is there, as a field like others.
const EXISTS: &str = "exists";
const YES: &str = "yes";
const NO: &str = "no";

/// Where a member is.
const DEPARTMENTS: &str = "departments";

/// Fields that are put together from several things that were told, and so may come out as they once were.
const PUT_TOGETHER: [&str; 2] = ["main", "leads"];

/// Who shows the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Mirror,
    Core,
}

/// A field of an entity.
type Place = (EntityKey, &'static str);

/// A value, and since which platform second it was there.
struct Value {
    since: i64,
    text: String,
}

/// See the module.
#[derive(Default)]
pub(crate) struct History {
    tracks: BTreeMap<Place, Vec<Value>>,
    /// When lives began that inherit nothing, by entity and place in its track of [`EXISTS`].
    births: BTreeMap<(EntityKey, usize), i64>,
    /// How far along the tracks each side has come.
    marks: BTreeMap<(Side, Place), usize>,
    /// As of when the platform was last heard to answer about a field: what it told of a later second may come afterwards and be older
    /// than the answer all the same, since an answer is as of when it was asked for.
    answered: BTreeMap<Place, i64>,
}

/// What it comes to that a value is shown.
enum Move {
    /// It was there when the last one was, or later; at this place in its track.
    On(usize),
    /// The company never had it: it stands in for something, or somebody wrote it by hand.
    Unknown,
    /// It was there only before.
    Back(usize),
}

impl History {
    /// The company as it is when somebody first looks.
    pub(crate) fn begin(&mut self, second: i64, directory: &Directory) {
        self.lived(second, &Directory::new(), directory);
    }

    /// What one thing that happened has changed. Whoever goes when somebody comes has been renamed: the two ids are returned.
    pub(crate) fn lived(
        &mut self,
        second: i64,
        before: &Directory,
        after: &Directory,
    ) -> Option<(EntityKey, EntityKey)> {
        let gone: Vec<&EntityKey> = before.keys().filter(|key| !after.contains_key(*key)).collect();
        let come: Vec<&EntityKey> = after.keys().filter(|key| !before.contains_key(*key)).collect();
        let renamed = match (gone.as_slice(), come.as_slice()) {
            ([from], [to]) if from.kind == EntityKind::Member && to.kind == EntityKind::Member => {
                Some((EntityKey::clone(from), EntityKey::clone(to)))
            }
            _ => None,
        };
        for key in gone {
            self.add(key, EXISTS, second, NO);
        }
        for key in &come {
            self.add(key, EXISTS, i64::MIN, NO);
            self.add(key, EXISTS, second, YES);
            match &renamed {
                Some((from, _)) => self.inherit(from, key),
                None => {
                    let place = self.tracks.get(&(EntityKey::clone(key), EXISTS)).map_or(0, Vec::len) - 1;
                    self.births.insert((EntityKey::clone(key), place), second);
                }
            }
        }
        let nothing = Fields::new();
        for (key, fields) in after {
            let former = before.get(key).unwrap_or(&nothing);
            for (field, _) in former.iter().filter(|(field, _)| !fields.contains_key(*field)) {
                self.add(key, field, second, "");
            }
            if renamed.is_none() && come.contains(&key) {
                self.begin_anew(key, second, fields);
            }
            for (field, value) in fields {
                self.add(key, field, second, value);
            }
        }
        renamed
    }

    /// A life that inherits nothing begins with values of its own, though they be the same as those of the one before, or none
    /// where that one had some: what it comes to later may be the same again.
    fn begin_anew(&mut self, key: &EntityKey, since: i64, fields: &Fields) {
        for field in self.fields_of(key) {
            let text = fields.get(field).cloned().unwrap_or_default();
            self.tracks.entry((key.clone(), field)).or_default().push(Value { since, text });
        }
    }

    /// The fields that ever said something of an entity.
    fn fields_of(&self, key: &EntityKey) -> Vec<&'static str> {
        let of_it = self.tracks.keys().filter(|(other, field)| other == key && *field != EXISTS);
        of_it.map(|(_, field)| *field).collect()
    }

    fn add(&mut self, key: &EntityKey, field: &'static str, since: i64, text: &str) {
        let track = self.tracks.entry((key.clone(), field)).or_default();
        if track.last().is_none_or(|last| last.text != text) {
            track.push(Value { since, text: text.to_owned() });
        }
    }

    /// Whoever bears a new id shows what was told of the former one until something is told of the new one.
    fn inherit(&mut self, from: &EntityKey, to: &EntityKey) {
        for field in self.fields_of(from) {
            let values: Vec<(i64, String)> = self
                .tracks
                .get(&(from.clone(), field))
                .into_iter()
                .flatten()
                .map(|value| (value.since, value.text.clone()))
                .collect();
            for (since, text) in values {
                self.add(to, field, since, &text);
            }
        }
    }

    /// The resolver takes what the platform answered.
    pub(crate) fn told(&mut self, event: &Event) {
        let EventBody::Directory(seen) = &event.body else { return };
        let fields = seen.what.fields().into_iter().flat_map(|fields| fields.iter());
        for field in fields.filter_map(|(field, _)| name_of(field)) {
            let answered = self.answered.entry((seen.key(), field)).or_insert(i64::MIN);
            *answered = (*answered).max(seen.at.seconds());
        }
    }

    /// Looks at what a side shows. Of those in `torn` a row is missing because somebody deleted it, or said that it
    /// is not theirs; who is back is taken out.
    pub(crate) fn look(&mut self, side: Side, shown: &Directory, torn: &mut BTreeSet<EntityKey>) -> Vec<Violation> {
        let known: Vec<EntityKey> =
            self.tracks.keys().filter(|(_, field)| *field == EXISTS).map(|(key, _)| key.clone()).collect();
        let mut found = Vec::new();
        for key in known {
            let fields = shown.get(&key);
            if side == Side::Core && fields.is_none() && torn.contains(&key) {
                continue;
            }
            if side == Side::Core {
                torn.remove(&key);
            }
            found.extend(self.look_whether_it_is_there(side, &key, fields.is_some()));
            for (field, value) in fields.into_iter().flatten() {
                found.extend(self.look_at(side, &key, field, value, shown));
            }
        }
        found
    }

    fn look_whether_it_is_there(&mut self, side: Side, key: &EntityKey, is_there: bool) -> Option<Violation> {
        let place = (key.clone(), EXISTS);
        let before = self.mark(side, &place);
        match self.step(side, &place, if is_there { YES } else { NO }) {
            Move::On(now) if now > before => {
                self.begin_life(side, key, now);
                None
            }
            Move::On(_) | Move::Unknown => None,
            Move::Back(_) if is_there => {
                Some(Violation::Resurrected(format!("{side:?}: {key} is there, and has not come back")))
            }
            Move::Back(_) => Some(Violation::RemovedWrongly(format!("{side:?}: {key} is gone, and was never removed"))),
        }
    }

    /// No life shows what belongs to the one before. A product that is told of a new life only where it is another row may keep what
    /// nobody told it anew.
    fn begin_life(&mut self, side: Side, key: &EntityKey, life: usize) {
        let Some(birth) = self.births.get(&(key.clone(), life)).copied().filter(|_| side == Side::Mirror) else {
            return;
        };
        for field in self.fields_of(key) {
            let place = (key.clone(), field);
            let track = self.tracks.get(&place).map(Vec::as_slice).unwrap_or_default();
            let first = track.iter().position(|value| value.since >= birth).unwrap_or(track.len());
            let mark = self.marks.entry((side, place)).or_default();
            *mark = (*mark).max(first);
        }
    }

    fn look_at(
        &mut self,
        side: Side,
        key: &EntityKey,
        field: &'static str,
        value: &str,
        shown: &Directory,
    ) -> Option<Violation> {
        // Somebody is active where nothing was told of it.
        if PUT_TOGETHER.contains(&field) || (field == "status" && value == "active") {
            return None;
        }
        let place = (key.clone(), field);
        let Move::Back(to) = self.step(side, &place, value) else { return None };
        if field == DEPARTMENTS && self.is_what_is_left(side, &place, value, shown) {
            return None;
        }
        let since = self.tracks.get(&place).and_then(|track| track.get(to)).map_or(i64::MIN, |value| value.since);
        if self.answered.get(&place).is_some_and(|at| since >= *at) {
            self.marks.insert((side, place), to);
            return None;
        }
        let newer = self.mark(side, &place);
        let what = self.tracks.get(&place).and_then(|track| track.get(newer)).map_or("", |value| value.text.as_str());
        Some(Violation::RolledBack(format!("{side:?}: {field} of {key} is {value} again, and was {what} since")))
    }

    /// Whether a member is where it was later than it shows, but for departments that have gone since, or did not come yet: without
    /// those it may be shown as it once was.
    fn is_what_is_left(&self, side: Side, place: &Place, value: &str, shown: &Directory) -> bool {
        let is_there = |id: &&str| shown.contains_key(&EntityKey::department(id));
        let is_it = |known: &Value| {
            let left: Vec<&str> = known.text.split(',').filter(is_there).collect();
            if left.is_empty() { value == ROOT_DEPARTMENT } else { left.join(",") == value }
        };
        let track = self.tracks.get(place).map(Vec::as_slice).unwrap_or_default();
        track.iter().skip(self.mark(side, place)).any(is_it)
    }

    fn mark(&self, side: Side, place: &Place) -> usize {
        self.marks.get(&(side, place.clone())).copied().unwrap_or_default()
    }

    /// Goes on along a track, as little as possible: a value may have been there several times.
    fn step(&mut self, side: Side, place: &Place, value: &str) -> Move {
        let Some(track) = self.tracks.get(place) else { return Move::Unknown };
        let from = self.mark(side, place);
        let is_it = |known: &Value| known.text == value;
        if let Some(further) = track.iter().skip(from).position(is_it) {
            let to = from + further;
            self.marks.insert((side, place.clone()), to);
            return Move::On(to);
        }
        match track.iter().take(from).rposition(is_it) {
            Some(back) => Move::Back(back),
            None => Move::Unknown,
        }
    }
}

#[test]
fn a_new_life_may_come_to_what_the_one_before_had_and_may_not_begin_with_it() {
    let ann = EntityKey::member("ann");
    let with = |fields: Fields| Directory::from([(ann.clone(), fields)]);
    let (nobody, unknown) = (Directory::new(), with(Fields::new()));
    let male = with(Fields::from([("gender", "male".to_owned())]));
    let (mut history, mut torn) = (History::default(), BTreeSet::new());
    history.begin(1, &male);
    assert!(history.look(Side::Mirror, &male, &mut torn).is_empty());
    history.lived(2, &male, &nobody);
    assert!(history.look(Side::Mirror, &nobody, &mut torn).is_empty());
    history.lived(3, &nobody, &unknown);
    let seen = history.look(Side::Mirror, &male, &mut torn);
    assert!(matches!(seen.as_slice(), [Violation::RolledBack(_)]), "{seen:?}");
    history.lived(4, &unknown, &male);
    assert!(history.look(Side::Mirror, &male, &mut torn).is_empty());
}

#[test]
fn somebody_without_a_department_that_has_gone_may_be_shown_where_he_once_was() {
    let (ann, place) = (EntityKey::member("ann"), EntityKey::department);
    let with = |departments: &str, there: &[&str]| {
        let of_ann = (ann.clone(), Fields::from([(DEPARTMENTS, departments.to_owned())]));
        Directory::from_iter(there.iter().map(|id| (place(id), Fields::new())).chain([of_ann]))
    };
    let (mut history, mut torn) = (History::default(), BTreeSet::new());
    let in_time = [with("1", &["1", "2"]), with("1,2", &["1", "2"]), with("1,3", &["1", "2", "3"])];
    history.begin(1, &in_time[0]);
    history.lived(2, &in_time[0], &in_time[1]);
    history.lived(3, &in_time[1], &in_time[2]);
    assert!(history.look(Side::Mirror, &in_time[1], &mut torn).is_empty());
    let without_the_third = history.look(Side::Mirror, &with("1", &["1", "2"]), &mut torn);
    assert!(without_the_third.is_empty(), "{without_the_third:?}");
    let rolled_back = history.look(Side::Mirror, &with("1", &["1", "2", "3"]), &mut torn);
    assert!(matches!(rolled_back.as_slice(), [Violation::RolledBack(_)]), "{rolled_back:?}");
}
