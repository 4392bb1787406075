//! Where things are by lists of ids: they alone see everything, so they alone tell who is in which department, what is below what, and
//! that something is not there (reference wecom 0, 3.3, 3.4; dingtalk 4.4, 4.5).

use common::{EntityKey, EntityKind, EntityMap, Fields, UnixMillis};

/// Where those are that were asked about, by one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// The platform's time at which the list was begun.
    pub(crate) asked_at: UnixMillis,
    /// All of it could be read: what was asked about and is not in it is not there.
    pub(crate) is_whole: bool,
    /// Those that were asked about and are there.
    pub(crate) found: EntityMap<Place>,
}

/// That something is there, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its id as the platform spells it.
    pub(crate) id: String,
    /// Of a member its departments, of a department its parent and its place among its siblings.
    pub(crate) fields: Fields,
}

/// What the lists say of one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed<'a> {
    /// There was no list, or not all of it could be read.
    Unknown,
    /// It is not there.
    NotThere(UnixMillis),
    /// It is there.
    There(UnixMillis, &'a Place),
}

/// What the lists of a round say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    pub(crate) departments: Option<Places>,
    pub(crate) members: Option<Places>,
    /// What was looked up one by one, each as of when that was. It says nothing of what is not in it.
    pub(crate) singly: EntityMap<(UnixMillis, Place)>,
}

impl Lists {
    pub(crate) fn of(&self, about: &EntityKey) -> Listed<'_> {
        if let Some((asked_at, place)) = self.singly.get(about) {
            return Listed::There(*asked_at, place);
        }
        let list = if about.kind == EntityKind::Member { &self.members } else { &self.departments };
        let Some(places) = list else { return Listed::Unknown };
        match places.found.get(about) {
            Some(place) => Listed::There(places.asked_at, place),
            None if places.is_whole => Listed::NotThere(places.asked_at),
            None => Listed::Unknown,
        }
    }
}
