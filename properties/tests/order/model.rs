//! An independent model of a company: what is done to it, one thing after the other, what the platform tells of that, and
//! what is true in the end. It knows nothing of how OrgBridge works things out.

use std::collections::{BTreeMap, BTreeSet};

use common::{Entity, EntityKey, EntityKind, Field, Fields, Observation, UnixMillis, Value, What};

/// What the platform told, in the order in which it happened, and what is true in the end.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) events: Vec<Observation>,
    pub(crate) truth: BTreeMap<EntityKey, Entity>,
    /// So many of the events had arrived, in order, before the interesting part begins.
    pub(crate) settled: usize,
    /// Somebody got another id more than once, which WeCom does not allow (reference wecom 2.3).
    pub(crate) renamed_twice: bool,
}

/// A human being, whatever ids it bears.
type Person = u32;

#[derive(Debug, Clone, Default)]
struct Entry {
    /// As told last in this life.
    fields: Fields,
    /// Who leads it, as human beings.
    leaders: Vec<Person>,
    /// The second in which its departments, or its parent, were told.
    placed_at: i64,
    was_renamed: bool,
}

/// The company. Doing something that a platform would refuse panics.
pub(crate) struct Company {
    second: i64,
    same_second: bool,
    last_person: Person,
    departments: BTreeMap<String, Entry>,
    /// Departments that the platform does not show: it names them where somebody is in them, and tells nothing of them.
    hidden: BTreeSet<String>,
    /// When it was last answered that a department is not there.
    absent_at: BTreeMap<String, i64>,
    /// Ids (in lower case) of which it was answered that nobody can tell a name.
    nameless: BTreeSet<String>,
    people: BTreeMap<Person, Entry>,
    /// Who bears an id (in lower case) now.
    bearers: BTreeMap<String, Person>,
    /// The spelling of each id that the platform used first.
    spellings: BTreeMap<EntityKey, (i64, String)>,
    /// What happened in this second to whom: 0 a removal, 1 a creation, 2 a change, 3 anything else.
    this_second: BTreeMap<EntityKey, u8>,
    events: Vec<Observation>,
    settled: usize,
    renamed_twice: bool,
}

pub(crate) const COMPANY_NAME: &str = "Acme";

impl Company {
    pub(crate) fn new() -> Self {
        let root = Entry { fields: Fields::new().with(Field::Name, COMPANY_NAME), ..Entry::default() };
        Self {
            second: 1_000_000,
            same_second: false,
            last_person: 0,
            departments: BTreeMap::from([("1".to_owned(), root)]),
            hidden: BTreeSet::new(),
            absent_at: BTreeMap::new(),
            nameless: BTreeSet::new(),
            people: BTreeMap::new(),
            bearers: BTreeMap::new(),
            spellings: BTreeMap::new(),
            this_second: BTreeMap::new(),
            events: Vec::new(),
            settled: 0,
            renamed_twice: false,
        }
    }

    /// The next event happens within the second of the one before.
    pub(crate) fn same_second(&mut self) -> &mut Self {
        self.same_second = true;
        self
    }

    /// What was told until now arrives before everything else, in order.
    pub(crate) fn settle(&mut self) {
        self.settled = self.events.len();
    }

    pub(crate) fn create_department(&mut self, id: &str, parent: &str) {
        let name = format!("department {id} of event {}", self.events.len());
        self.create_department_with(id, Fields::new().with(Field::Name, name).with(Field::Parent, parent));
    }

    pub(crate) fn create_department_with(&mut self, id: &str, fields: Fields) {
        assert!(!self.departments.contains_key(id), "department {id} exists");
        let parent = fields.text(Field::Parent).unwrap();
        assert!(self.parents().iter().any(|known| known == parent) && !self.is_within(parent, id));
        let entry = self.entry(&fields);
        self.departments.insert(id.to_owned(), entry);
        self.hidden.remove(id);
        self.tell(EntityKind::Department, id, What::Created { fields });
    }

    /// A department comes into being that the platform does not show. Its id must be a new one.
    pub(crate) fn hide_department(&mut self, id: &str) {
        assert!(self.is_new(id), "{id} was shown before");
        self.hidden.insert(id.to_owned());
    }

    /// A hidden department is shown from now on.
    pub(crate) fn show_department(&mut self, id: &str, parent: &str) {
        assert!(self.hidden.contains(id), "{id} is not hidden");
        self.create_department(id, parent);
        self.was_asked();
    }

    /// The platform is asked about a department that it does not have or show.
    pub(crate) fn answer_absent(&mut self, id: &str) {
        assert!(!self.departments.contains_key(id), "{id} is there");
        self.tell(EntityKind::Department, id, What::Absent);
        self.was_asked();
        self.absent_at.insert(id.to_owned(), self.second);
    }

    /// The platform is asked about a member, and nobody can tell a name.
    pub(crate) fn answer_nameless(&mut self, id: &str) {
        self.nameless.insert(id.to_lowercase());
        self.tell(EntityKind::Member, id, What::Nameless);
        self.was_asked();
    }

    /// What was told last, was told because the platform was asked.
    fn was_asked(&mut self) {
        if let Some(told) = self.events.last_mut() {
            told.answer = true;
        }
    }

    /// Somebody is hired of whom only ids are told (reference wecom 2.2).
    pub(crate) fn hire_reduced(&mut self, id: &str, departments: &[&str]) {
        self.hire_with(id, Fields::new().with(Field::Departments, departments));
        if let Some(told) = self.events.last_mut() {
            told.hint = true;
        }
    }

    pub(crate) fn move_department(&mut self, id: &str, parent: &str) {
        assert!(!self.is_within(parent, id), "{parent} is within {id}");
        self.update_department(id, Fields::new().with(Field::Parent, parent));
    }

    pub(crate) fn rename_department(&mut self, id: &str, name: &str) {
        self.update_department(id, Fields::new().with(Field::Name, name));
    }

    pub(crate) fn update_department(&mut self, id: &str, fields: Fields) {
        let news = self.entry(&fields);
        self.departments.get_mut(id).unwrap().overlay(news);
        self.tell(EntityKind::Department, id, What::Updated { fields });
    }

    pub(crate) fn remove_department(&mut self, id: &str) {
        assert!(self.is_empty(id), "something is in {id}");
        self.departments.remove(id).unwrap();
        self.tell(EntityKind::Department, id, What::Removed);
    }

    pub(crate) fn hire(&mut self, id: &str, departments: &[&str]) {
        let name = format!("{id} of event {}", self.events.len());
        let mut fields = Fields::new().with(Field::Name, name).with(Field::Departments, departments);
        if departments.len() > 1 {
            fields.set(Field::MainDepartment, departments[0]);
        }
        self.hire_with(id, fields);
    }

    pub(crate) fn hire_with(&mut self, id: &str, fields: Fields) {
        assert!(!self.bearers.contains_key(&id.to_lowercase()), "{id} is taken");
        self.last_person += 1;
        let entry = self.entry(&fields);
        self.people.insert(self.last_person, entry);
        self.bearers.insert(id.to_lowercase(), self.last_person);
        self.tell(EntityKind::Member, id, What::Created { fields });
    }

    pub(crate) fn transfer(&mut self, id: &str, departments: &[&str]) {
        let mut fields = Fields::new().with(Field::Departments, departments);
        if departments.len() > 1 {
            fields.set(Field::MainDepartment, departments[0]);
        }
        self.update_member(id, fields);
    }

    pub(crate) fn update_member(&mut self, id: &str, fields: Fields) {
        let news = self.entry(&fields);
        self.bearer(id).overlay(news);
        self.tell(EntityKind::Member, id, What::Updated { fields });
    }

    pub(crate) fn change_id(&mut self, id: &str, to: &str) {
        self.change_id_with(id, to, Fields::new());
    }

    pub(crate) fn change_id_with(&mut self, id: &str, to: &str, fields: Fields) {
        assert!(!self.bearers.contains_key(&to.to_lowercase()), "{to} is taken");
        let news = self.entry(&fields);
        let bearer = self.bearer(id);
        bearer.overlay(news);
        let is_second = std::mem::replace(&mut bearer.was_renamed, true);
        self.renamed_twice |= is_second;
        let person = self.bearers.remove(&id.to_lowercase()).unwrap();
        self.bearers.insert(to.to_lowercase(), person);
        self.tell(EntityKind::Member, id, What::Renamed { to: to.to_owned(), fields });
    }

    pub(crate) fn dismiss(&mut self, id: &str) {
        let person = self.bearers.remove(&id.to_lowercase()).unwrap();
        self.people.remove(&person);
        self.tell(EntityKind::Member, id, What::Removed);
    }

    /// The company to which exactly this happened, in this order; `None` if a platform would have refused some of it.
    pub(crate) fn replay(events: &[Observation], settled: usize) -> Option<History> {
        let mut company = Self::new();
        let is_absence = |event: &&Observation| event.what == What::Absent;
        company.hidden = events.iter().filter(is_absence).map(|event| event.id.clone()).collect();
        for event in events {
            if !company.allows(event) {
                return None;
            }
            company.same_second = event.at.seconds() == company.second;
            company.second = event.at.seconds() - i64::from(!company.same_second);
            let id = event.id.as_str();
            match (event.kind, event.what.clone()) {
                (EntityKind::Department, What::Created { fields }) => company.create_department_with(id, fields),
                (EntityKind::Department, What::Updated { fields }) => company.update_department(id, fields),
                (EntityKind::Department, What::Removed) => company.remove_department(id),
                (_, What::Absent) => company.answer_absent(id),
                (_, What::Nameless) => company.answer_nameless(id),
                (_, What::Created { fields }) => company.hire_with(id, fields),
                (_, What::Updated { fields }) => company.update_member(id, fields),
                (_, What::Renamed { to, fields }) => company.change_id_with(id, &to, fields),
                (_, What::Removed) => company.dismiss(id),
            }
        }
        company.settled = settled;
        company.open().is_empty().then(|| company.history())
    }

    fn allows(&self, event: &Observation) -> bool {
        let id = event.id.as_str();
        let is_department = event.kind == EntityKind::Department;
        let exists = |id: &str| match event.kind {
            EntityKind::Department => self.departments.contains_key(id),
            _ => self.bearers.contains_key(&id.to_lowercase()),
        };
        let refers_to_what_exists = event.what.fields().is_none_or(|fields| {
            let mut parents =
                fields.list(Field::Departments).iter().map(String::as_str).chain(fields.text(Field::Parent));
            let mut leaders = fields.list(Field::Leaders).iter().map(|id| id.to_lowercase());
            let is_parent = |id: &str| self.departments.contains_key(id) || self.hidden.contains(id);
            parents.all(is_parent) && leaders.all(|id| self.bearers.contains_key(&id))
        });
        let closes_circle = |parent: &str| is_department && self.is_within(parent, id);
        refers_to_what_exists
            && match &event.what {
                What::Absent => is_department && !exists(id),
                What::Nameless => !is_department,
                What::Created { fields } => !exists(id) && !fields.text(Field::Parent).is_some_and(closes_circle),
                What::Updated { fields } => exists(id) && !fields.text(Field::Parent).is_some_and(closes_circle),
                What::Renamed { to, .. } => exists(id) && !exists(to),
                What::Removed => exists(id) && (!is_department || self.is_empty(id)),
            }
    }

    /// Ids of all departments but the root.
    pub(crate) fn departments(&self) -> Vec<String> {
        self.departments.keys().filter(|id| *id != "1").cloned().collect()
    }

    /// Ids of all departments that are shown, and the root.
    pub(crate) fn shown_departments(&self) -> Vec<String> {
        self.departments.keys().cloned().collect()
    }

    /// Ids of all departments, those that are not shown too, and the root.
    pub(crate) fn parents(&self) -> Vec<String> {
        self.departments.keys().chain(&self.hidden).cloned().collect()
    }

    /// Ids of all departments that are not shown.
    pub(crate) fn hidden_departments(&self) -> Vec<String> {
        self.hidden.iter().cloned().collect()
    }

    /// Whether nothing was ever told of a department with this id, and none is hidden.
    pub(crate) fn is_new(&self, id: &str) -> bool {
        let was_told = self.events.iter().any(|event| event.kind == EntityKind::Department && event.id == id);
        !was_told && !self.hidden.contains(id)
    }

    /// Ids of all members.
    pub(crate) fn members(&self) -> Vec<String> {
        self.bearers.keys().cloned().collect()
    }

    pub(crate) fn event_count(&self) -> usize {
        self.events.len()
    }

    /// Whether something of this rank (0 a removal, 1 a creation, 2 a change, 3 anything else) can happen to it within the
    /// second of the event before, so that the ranks alone still tell the order of what happened.
    pub(crate) fn fits_in_second(&self, key: &EntityKey, rank: u8) -> bool {
        self.this_second.get(key).is_none_or(|before| *before < rank && *before < 2 && rank < 3)
    }

    pub(crate) fn is_empty(&self, department: &str) -> bool {
        let has_children = self.departments.values().any(|entry| entry.fields.text(Field::Parent) == Some(department));
        let is_member = |entry: &Entry| entry.fields.list(Field::Departments).iter().any(|id| id == department);
        !has_children && !self.people.values().any(is_member)
    }

    /// Whether a department is another or lies somewhere below it.
    pub(crate) fn is_within(&self, department: &str, other: &str) -> bool {
        let mut current = Some(department);
        while let Some(step) = current {
            if step == other {
                return true;
            }
            current = self.departments.get(step).and_then(|entry| entry.fields.text(Field::Parent));
        }
        false
    }

    /// What the platform must be asked for, or nobody can know the truth: departments that are referred to and hidden, members
    /// without a name.
    fn open(&self) -> Vec<EntityKey> {
        let entries = self.departments.values().chain(self.people.values());
        let mut open: BTreeSet<EntityKey> = BTreeSet::new();
        for entry in entries {
            let is_open = |id: &&str| {
                self.hidden.contains(*id) && self.absent_at.get(*id).is_none_or(|at| *at <= entry.placed_at)
            };
            open.extend(entry.places().into_iter().filter(is_open).map(EntityKey::department));
        }
        for (id, person) in &self.bearers {
            if self.people[person].is_nameless() && !self.nameless.contains(id) {
                open.insert(EntityKey::member(id));
            }
        }
        open.into_iter().collect()
    }

    /// What was told, and what is true now. Whatever must be asked is asked in the end.
    pub(crate) fn history(mut self) -> History {
        for key in self.open() {
            match key.kind {
                EntityKind::Department => self.answer_absent(&key.id),
                _ => self.answer_nameless(&key.id),
            }
        }
        let mut truth = BTreeMap::new();
        for (id, entry) in &self.departments {
            truth.insert(EntityKey::department(id), self.entity(EntityKind::Department, id, entry));
        }
        for (id, person) in &self.bearers {
            let mut entity = self.entity(EntityKind::Member, id, &self.people[person]);
            self.leave_hidden_departments(&mut entity.fields);
            tidy_departments(&mut entity.fields);
            truth.insert(EntityKey::member(id), entity);
        }
        History { events: self.events, truth, settled: self.settled, renamed_twice: self.renamed_twice }
    }

    fn entity(&self, kind: EntityKind, id: &str, entry: &Entry) -> Entity {
        let mut fields = entry.fields.clone();
        let incomplete = entry.is_nameless();
        if incomplete {
            fields.set(Field::Name, self.shown(kind, id));
        }
        if fields.text(Field::Parent).is_some_and(|parent| self.hidden.contains(parent)) {
            fields.set(Field::Parent, "1");
        }
        if fields.has(Field::Leaders) {
            let present = |person: &Person| self.bearers.iter().find(|(_, bearer)| *bearer == person);
            let ids = entry.leaders.iter().filter_map(present).map(|(id, _)| self.shown(EntityKind::Member, id));
            fields.set(Field::Leaders, ids.collect::<Vec<_>>());
        }
        Entity { shown_id: self.shown(kind, id), fields, incomplete }
    }

    /// A member is in those of its departments that are shown, or else in the root.
    fn leave_hidden_departments(&self, fields: &mut Fields) {
        let told = fields.list(Field::Departments);
        let mut shown: Vec<String> = told.iter().filter(|id| !self.hidden.contains(*id)).cloned().collect();
        if shown.len() < told.len() {
            if shown.is_empty() {
                shown.push("1".to_owned());
            }
            if fields.text(Field::MainDepartment).is_some_and(|main| !shown.iter().any(|id| id == main)) {
                fields.remove(Field::MainDepartment);
            }
            fields.set(Field::Departments, shown);
        }
    }

    fn shown(&self, kind: EntityKind, id: &str) -> String {
        self.spellings.get(&EntityKey::new(kind, id)).map_or(id, |(_, spelling)| spelling).to_owned()
    }

    fn bearer(&mut self, id: &str) -> &mut Entry {
        self.people.get_mut(&self.bearers[&id.to_lowercase()]).unwrap()
    }

    /// What is told next, as an entry.
    fn entry(&self, fields: &Fields) -> Entry {
        let placed_at = self.second + i64::from(!self.same_second);
        Entry { fields: fields.clone(), leaders: self.people_of(fields), placed_at, was_renamed: false }
    }

    fn people_of(&self, fields: &Fields) -> Vec<Person> {
        fields.list(Field::Leaders).iter().map(|id| self.bearers[&id.to_lowercase()]).collect()
    }

    fn tell(&mut self, kind: EntityKind, id: &str, what: What) {
        if !std::mem::take(&mut self.same_second) {
            self.second += 1;
            self.this_second.clear();
        }
        let rank = match &what {
            What::Absent | What::Removed => 0,
            What::Created { .. } => 1,
            What::Updated { .. } => 2,
            What::Renamed { .. } | What::Nameless => 3,
        };
        for leader in what.fields().into_iter().flat_map(|fields| fields.list(Field::Leaders)) {
            self.this_second.insert(EntityKey::member(leader), 3);
        }
        if let What::Renamed { to, .. } = &what {
            self.note(kind, to, rank);
        }
        match &what {
            // Who has no such entity, or no name for it, only repeats the id as it was asked for.
            What::Absent | What::Nameless => {
                self.this_second.insert(EntityKey::new(kind, id), rank);
            }
            _ => self.note(kind, id, rank),
        }
        let at = UnixMillis::from_seconds(self.second);
        self.events.push(Observation { kind, id: id.to_owned(), at, what, hint: false, answer: false });
    }

    fn note(&mut self, kind: EntityKind, id: &str, rank: u8) {
        let key = EntityKey::new(kind, id);
        self.this_second.insert(key.clone(), rank);
        let seen = (self.second, id.to_owned());
        let first = self.spellings.entry(key).or_insert_with(|| seen.clone());
        if seen < *first {
            *first = seen;
        }
    }
}

impl Entry {
    fn overlay(&mut self, news: Self) {
        for (field, value) in news.fields.iter() {
            self.fields.set(field, value.clone());
        }
        if !news.places().is_empty() {
            self.placed_at = news.placed_at;
        }
        if news.fields.has(Field::Leaders) {
            self.leaders = news.leaders;
        }
    }

    /// The departments that it is in, or its parent, as told.
    fn places(&self) -> Vec<&str> {
        let departments = self.fields.list(Field::Departments).iter().map(String::as_str);
        departments.chain(self.fields.text(Field::Parent)).collect()
    }

    fn is_nameless(&self) -> bool {
        self.fields.text(Field::Name).is_none_or(str::is_empty)
    }
}

/// A single department is the main one, told or not; nobody leads a department that they are not in.
fn tidy_departments(fields: &mut Fields) {
    let departments = fields.list(Field::Departments).to_vec();
    if let [only] = departments.as_slice() {
        fields.set(Field::MainDepartment, only.as_str());
    }
    if let Some(Value::List(leads)) = fields.get(Field::Leads) {
        let leads: Vec<String> = leads.iter().filter(|id| departments.contains(id)).cloned().collect();
        fields.set(Field::Leads, leads);
    }
}
