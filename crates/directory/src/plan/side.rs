//! What is kept of each entity and each row: digests of its values and what it refers to. That is a few hundred bytes; the
//! rest is fetched again for what differs.

use common::{Entity, EntityKey, EntityKind, ROOT_DEPARTMENT, UnixMillis};

use super::{
    digest::{Digest, email_key, filled, mobile_key, text_key},
    ids::{Ids, Node, Table},
    row::{DepartmentRow, MemberRow},
    told::{Told, ToldDepartment, ToldMember, ToldPlace, is_unstorable},
};

/// All that one side holds.
pub(super) struct Side<D, M> {
    pub(super) departments: Roll<D>,
    pub(super) members: Roll<M>,
}

/// All that one side holds of one kind.
pub(super) struct Roll<T> {
    pub(super) ids: Ids,
    pub(super) rows: Table<T>,
}

/// A department of the source.
pub(super) struct SourceDepartment {
    /// Name, English name, position.
    pub(super) columns: [Told<Digest>; 3],
    pub(super) name: Option<Digest>,
    pub(super) is_root: bool,
    pub(super) parent: Option<Node>,
    pub(super) leaders: Told<Box<[Node]>>,
    pub(super) is_twice: bool,
    pub(super) is_unstorable: bool,
}

/// A member of the source.
pub(super) struct SourceMember {
    pub(super) texts: [Told<Digest>; 7],
    /// By name, in their order.
    pub(super) attributes: Box<[(Digest, Option<Digest>)]>,
    pub(super) keys: Keys,
    /// In the platform's order.
    pub(super) places: Told<Box<[Place]>>,
    pub(super) tells_leads: bool,
    pub(super) main: Told<Node>,
    pub(super) manager: Told<Option<Node>>,
    pub(super) is_twice: bool,
    pub(super) is_unstorable: bool,
}

/// A department of the destination.
pub(super) struct CoreDepartment {
    /// Name, English name, position.
    pub(super) columns: [Digest; 3],
    pub(super) name: Option<Digest>,
    pub(super) parent: Option<Node>,
    pub(super) leaders: Box<[Node]>,
    pub(super) deleted_at: Option<UnixMillis>,
    /// We wrote it once.
    pub(super) is_ours: bool,
    pub(super) is_twice: bool,
}

/// A member of the destination.
pub(super) struct CoreMember {
    pub(super) texts: [Digest; 7],
    /// By name, in their order; empty ones left out.
    pub(super) attributes: Box<[(Digest, Digest)]>,
    pub(super) keys: Keys,
    /// By department.
    pub(super) places: Box<[Place]>,
    pub(super) main: Option<Node>,
    pub(super) manager: Option<Node>,
    pub(super) deleted_at: Option<UnixMillis>,
    /// We wrote it once.
    pub(super) is_ours: bool,
    /// Nothing personal is left in it.
    pub(super) is_emptied: bool,
    pub(super) is_twice: bool,
}

/// By what members are known.
pub(super) struct Keys {
    /// Mobile number, e-mail, employee number.
    pub(super) unique: [Option<Digest>; 3],
    pub(super) name: Option<Digest>,
}

/// One department of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) department: Node,
    pub(super) leads: bool,
    pub(super) position: i64,
}

impl<D, M> Default for Side<D, M> {
    fn default() -> Self {
        Self { departments: Roll::new(EntityKind::Department), members: Roll::new(EntityKind::Member) }
    }
}

impl<T> Roll<T> {
    fn new(kind: EntityKind) -> Self {
        Self { ids: Ids::new(kind), rows: Table::default() }
    }

    pub(super) fn get(&self, node: Node) -> Option<&T> {
        self.rows.get(node)
    }

    /// The number of an id that a row has or is to get, spelled like this unless there is one.
    pub(super) fn refer(&mut self, id: &str) -> Node {
        let node = self.ids.node(id);
        if !self.rows.has(node) {
            self.ids.spell(node, id);
        }
        node
    }

    /// Those that are there, by their ids: nothing depends on the order in which they came.
    pub(super) fn by_id(&self) -> Vec<Node> {
        self.those(|_, _| true)
    }

    /// Some of those that are there, by their ids.
    pub(super) fn those(&self, are: impl Fn(Node, &T) -> bool) -> Vec<Node> {
        let mut nodes: Vec<Node> =
            self.rows.iter().filter(|(node, row)| are(*node, row)).map(|(node, _)| node).collect();
        nodes.sort_unstable_by(|one, other| self.ids.str(*one).cmp(self.ids.str(*other)));
        nodes
    }
}

/// The id as it is shown; the key itself where that is another id.
fn shown<'a>(key: &'a EntityKey, shown_id: &'a str) -> &'a str {
    if EntityKey::new(key.kind, shown_id) == *key { shown_id } else { &key.id }
}

impl Side<SourceDepartment, SourceMember> {
    pub(super) fn take_department(&mut self, key: &EntityKey, entity: &Entity) {
        let told = ToldDepartment::of(key, entity);
        let node = self.departments.ids.node(&key.id);
        let department = SourceDepartment {
            columns: [
                told.name.map(|name| Digest::of(&Some(name))),
                told.name_en.map(|name| Digest::of(&name)),
                told.position.map(|position| Digest::of(&Some(position))),
            ],
            name: text_key(told.name),
            is_root: key.is_root(),
            parent: told.parent.map(|id| self.departments.ids.node(id)),
            leaders: told.leaders.map(|ids| ids.iter().map(|id| self.members.ids.node(id)).collect()),
            is_twice: false,
            is_unstorable: is_unstorable(entity),
        };
        match self.departments.rows.get_mut(node) {
            Some(first) => first.is_twice = true,
            None => {
                self.departments.ids.spell(node, shown(key, &entity.shown_id));
                self.departments.rows.put(node, department);
            }
        }
    }

    pub(super) fn take_member(&mut self, key: &EntityKey, entity: &Entity, employee_number: &str) {
        let told = ToldMember::of(entity, employee_number);
        let departments = &mut self.departments.ids;
        let place = |place: &ToldPlace<'_>| Place {
            department: departments.node(place.department),
            leads: place.leads,
            position: place.position,
        };
        let places = told.departments.as_ref().map(|places| places.iter().map(place).collect());
        let mut attributes: Vec<(Digest, Option<Digest>)> =
            told.attributes.iter().map(|(name, text)| (Digest::of(*name), text.map(Digest::of))).collect();
        attributes.sort_unstable();
        let [name, mobile, email, _, _, _, number] = told.texts.map(Option::flatten);
        let node = self.members.ids.node(&key.id);
        let member = SourceMember {
            texts: told.texts.map(|text| text.map(|text| Digest::of(&text))),
            attributes: attributes.into(),
            keys: Keys::of(name, mobile, email, number),
            places,
            tells_leads: told.tells_leads,
            main: told.main.map(|id| self.departments.ids.node(id)),
            manager: told.manager.map(|manager| manager.map(|id| self.members.ids.node(id))),
            is_twice: false,
            is_unstorable: is_unstorable(entity),
        };
        match self.members.rows.get_mut(node) {
            Some(first) => first.is_twice = true,
            None => {
                self.members.ids.spell(node, shown(key, &entity.shown_id));
                self.members.rows.put(node, member);
            }
        }
    }
}

impl Side<CoreDepartment, CoreMember> {
    pub(super) fn take_department(&mut self, row: &DepartmentRow) {
        let node = self.departments.ids.node(&row.id);
        let name = filled(Some(&row.name));
        let department = CoreDepartment {
            columns: [Digest::of(&name), Digest::of(&filled(row.name_en.as_deref())), Digest::of(&row.position)],
            name: text_key(name),
            parent: filled(row.parent_id.as_deref()).map(|id| self.departments.ids.node(id)),
            leaders: row.leaders.iter().map(|id| self.members.ids.node(id)).collect(),
            deleted_at: row.deleted_at,
            // The root that we put there when we made the tables has no version, but a source time.
            is_ours: row.version > 0 || (row.id == ROOT_DEPARTMENT && row.source_time.is_some()),
            is_twice: false,
        };
        match self.departments.rows.get_mut(node) {
            Some(first) => first.is_twice = true,
            None => {
                self.departments.ids.spell(node, &row.id);
                self.departments.rows.put(node, department);
            }
        }
    }

    pub(super) fn take_member(&mut self, row: &MemberRow) {
        let mut places: Vec<Place> = Vec::with_capacity(row.departments.len());
        for membership in &row.departments {
            let department = self.departments.ids.node(&membership.department_id);
            places.push(Place { department, leads: membership.is_leader, position: membership.position });
        }
        places.sort_unstable_by_key(|place| place.department);
        let filled_attributes = row.attributes.iter().filter(|(_, text)| !text.is_empty());
        let mut attributes: Vec<(Digest, Digest)> =
            filled_attributes.map(|(name, text)| (Digest::of(name.as_str()), Digest::of(text.as_str()))).collect();
        attributes.sort_unstable();
        let texts = row.texts();
        let [name, mobile, email, _, _, _, number] = texts;
        let node = self.members.ids.node(&row.id);
        let member = CoreMember {
            texts: texts.map(|text| Digest::of(&text)),
            attributes: attributes.into(),
            keys: Keys::of(name, mobile, email, number),
            places: places.into(),
            main: filled(row.main_department_id.as_deref()).map(|id| self.departments.ids.node(id)),
            manager: filled(row.manager_id.as_deref()).map(|id| self.members.ids.node(id)),
            deleted_at: row.deleted_at,
            is_ours: row.version > 0,
            is_emptied: row.is_emptied(),
            is_twice: false,
        };
        match self.members.rows.get_mut(node) {
            Some(first) => first.take_along(member),
            None => {
                self.members.ids.spell(node, &row.id);
                self.members.rows.put(node, member);
            }
        }
    }
}

impl CoreMember {
    /// The departments that its row refers to, in whatever way.
    pub(super) fn refers_to(&self) -> impl Iterator<Item = Node> {
        self.places.iter().map(|place| place.department).chain(self.main)
    }

    /// A second row of the same id: what it refers to counts as well.
    fn take_along(&mut self, other: Self) {
        self.is_twice = true;
        let main = other.main.map(|department| Place { department, leads: false, position: 0 });
        self.places = self.places.iter().chain(other.places.iter()).copied().chain(main).collect();
    }
}

impl Keys {
    fn of(name: Option<&str>, mobile: Option<&str>, email: Option<&str>, number: Option<&str>) -> Self {
        Self { unique: [mobile_key(mobile), email_key(email), text_key(number)], name: text_key(name) }
    }
}
