//! Small companies, drawn so that everything meets everything: few ids, few names, few numbers.

use std::{collections::BTreeMap, fmt};

use common::{Entity, EntityKey, EntityKind, Field, Fields, UnixMillis, Value};
use proptest::{prelude::*, sample::select};

use crate::plan::{Comparison, DepartmentRow, MemberRow, Membership, Options, Plan, Row};

const DAY: i64 = 86_400_000;
/// The moment at which all comparisons of the tests are made.
pub(super) const NOW: UnixMillis = UnixMillis(1_000 * DAY);

/// All that a comparison is fed with.
#[derive(Clone)]
pub(super) struct Company {
    pub(super) source: Vec<(EntityKey, Entity)>,
    pub(super) rows: Vec<Row>,
    /// Sure or not.
    pub(super) links: Vec<(EntityKey, String, bool)>,
    pub(super) rejected: Vec<(EntityKey, String)>,
    pub(super) options: Options,
}

impl Default for Company {
    fn default() -> Self {
        let options = Options {
            source_complete: true,
            destination_complete: true,
            now: NOW,
            delete_after_seconds: 30 * 86_400,
            root_name: "Acme".into(),
            employee_number: "number".into(),
        };
        Self { source: vec![], rows: vec![], links: vec![], rejected: vec![], options }
    }
}

impl Company {
    pub(super) fn plan(&self) -> Plan {
        let mut comparison = Comparison::new(self.options.clone());
        self.rows.iter().for_each(|row| comparison.destination(row));
        self.source.iter().for_each(|(key, entity)| comparison.source(key, entity));
        self.links.iter().for_each(|(key, core_id, sure)| comparison.link(key, core_id, *sure));
        self.rejected.iter().for_each(|(key, core_id)| comparison.reject(key, core_id));
        comparison.plan()
    }

    /// The same, told in another order.
    pub(super) fn plan_backwards(&self) -> Plan {
        let mut comparison = Comparison::new(self.options.clone());
        self.rejected.iter().rev().for_each(|(key, core_id)| comparison.reject(key, core_id));
        self.links.iter().rev().for_each(|(key, core_id, sure)| comparison.link(key, core_id, *sure));
        self.source.iter().rev().for_each(|(key, entity)| comparison.source(key, entity));
        self.rows.iter().rev().for_each(|row| comparison.destination(row));
        comparison.plan()
    }

    pub(super) fn entity(&self, key: &EntityKey) -> Option<&Entity> {
        self.source.iter().find(|(other, _)| other == key).map(|(_, entity)| entity)
    }

    pub(super) fn row(&self, kind: EntityKind, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.kind() == kind && row.id() == id)
    }

    /// Without what a database would not have let in: two of one id, and references of rows to nothing.
    pub(super) fn sound(mut self) -> Self {
        let mut keys: Vec<EntityKey> = vec![];
        self.source.retain(|(key, _)| {
            let is_first = !keys.contains(key);
            keys.push(key.clone());
            is_first
        });
        let mut ids: Vec<EntityKey> = vec![];
        self.rows.retain(|row| {
            let key = EntityKey::new(row.kind(), row.id());
            let is_first = !ids.contains(&key);
            ids.push(key);
            is_first
        });
        let departments: Vec<String> = self
            .rows
            .iter()
            .filter(|row| row.kind() == EntityKind::Department)
            .map(|row| row.id().to_owned())
            .collect();
        for row in &mut self.rows {
            match row {
                Row::Department(row) => row.parent_id = row.parent_id.take().filter(|id| departments.contains(id)),
                Row::Member(row) => {
                    let main = row.main_department_id.take();
                    row.main_department_id = main.filter(|id| departments.contains(id));
                    row.departments.retain(|place| departments.contains(&place.department_id));
                }
            }
        }
        self
    }
}

/// As JSON, since rows show nothing personal otherwise.
impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, entity) in &self.source {
            writeln!(f, "{key}: {}", serde_json::to_string(entity).unwrap())?;
        }
        for row in &self.rows {
            writeln!(f, "row: {}", serde_json::to_string(row).unwrap())?;
        }
        writeln!(f, "links {:?} rejected {:?} {:?}", self.links, self.rejected, self.options)
    }
}

static NAMES: [&str; 4] = ["甲", "乙", " 乙", ""];
static MOBILES: [&str; 6] = ["13800000001", "+86 138-0000-0001", "008613800000002", "13800000002", "1", ""];
static EMAILS: [&str; 5] = ["a@x.cn", "A@X.cn ", "b@x.cn", "c@x.cn", ""];
static NUMBERS: [&str; 4] = ["7", " 7", "8", ""];
static DEPARTMENTS: [&str; 7] = ["1", "2", "3", "4", "5", "6", "9"];
static MEMBERS: [&str; 7] = ["ann", "Bob", "cy", "dan", "eve", "bob", "zoe"];
static CORE_DEPARTMENTS: [&str; 7] = ["1", "2", "3", "4", "c1", "c2", "c3"];
static CORE_MEMBERS: [&str; 7] = ["ann", "BOB", "bob", "dan", "u1", "u2", "u3"];

fn text(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(texts).prop_map(str::to_owned)
}

fn sometimes<T: Strategy>(probability: f64, value: T) -> impl Strategy<Value = Option<T::Value>> {
    prop::option::weighted(probability, value)
}

fn set(fields: &mut Fields, field: Field, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        fields.set(field, value);
    }
}

fn source_department(id: &'static str) -> impl Strategy<Value = (EntityKey, Entity)> {
    let above = DEPARTMENTS.iter().copied().filter(move |other| *other < id).collect::<Vec<_>>();
    let above = if above.is_empty() { vec!["2"] } else { above };
    let parent = prop_oneof![6 => select(above).prop_map(str::to_owned), 1 => text(&DEPARTMENTS)];
    (
        sometimes(0.95, text(&NAMES)),
        sometimes(0.97, parent),
        sometimes(0.2, text(&["", "X", "Y"])),
        sometimes(0.3, 0i64..2),
        sometimes(0.2, prop::collection::vec(text(&MEMBERS), 0..2)),
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.02),
    )
        .prop_map(move |(name, parent, name_en, order, leaders, incomplete, nul)| {
            let mut fields = Fields::new();
            set(&mut fields, Field::Name, name);
            set(&mut fields, Field::Parent, parent);
            set(&mut fields, Field::NameEn, name_en);
            set(&mut fields, Field::Order, order);
            set(&mut fields, Field::Leaders, leaders);
            if nul {
                fields.set(Field::Name, "a\0b");
            }
            (EntityKey::department(id), Entity { shown_id: id.to_owned(), fields, incomplete })
        })
}

fn source_member(id: &'static str) -> impl Strategy<Value = (EntityKey, Entity)> {
    let contact = (
        sometimes(0.95, text(&NAMES)),
        sometimes(0.5, text(&MOBILES)),
        sometimes(0.4, text(&EMAILS)),
        sometimes(0.1, text(&EMAILS)),
        prop::bool::weighted(0.05),
    );
    let details = (
        sometimes(0.3, prop::collection::btree_map(text(&["number", "alias", "x"]), text(&NUMBERS), 0..3)),
        sometimes(0.2, text(&["", "Z"])),
        sometimes(0.2, text(&["", "Engineer"])),
        sometimes(0.2, text(&["male", "unknown", ""])),
        sometimes(0.2, text(&["active", "disabled"])),
    );
    let places = (
        sometimes(0.95, prop::collection::vec(text(&DEPARTMENTS[..4]), 0..3)),
        sometimes(0.5, prop::collection::vec(text(&DEPARTMENTS[..4]), 0..2)),
        sometimes(0.3, text(&DEPARTMENTS[..4])),
        sometimes(0.3, prop::collection::vec(text(&MEMBERS), 0..2)),
    );
    (contact, details, places).prop_map(move |(contact, details, places)| {
        let mut fields = Fields::new();
        set(&mut fields, Field::Name, contact.0);
        set(&mut fields, Field::Mobile, contact.1);
        set(&mut fields, Field::Email, contact.2);
        set(&mut fields, Field::BizMail, contact.3);
        set(&mut fields, Field::Attributes, details.0);
        set(&mut fields, Field::Alias, details.1);
        set(&mut fields, Field::Title, details.2);
        set(&mut fields, Field::Gender, details.3);
        set(&mut fields, Field::Status, details.4);
        set(&mut fields, Field::Departments, places.0);
        set(&mut fields, Field::Leads, places.1);
        set(&mut fields, Field::MainDepartment, places.2);
        set(&mut fields, Field::Leaders, places.3);
        (EntityKey::member(id), Entity { shown_id: id.to_owned(), fields, incomplete: contact.4 })
    })
}

fn deleted_at() -> impl Strategy<Value = Option<UnixMillis>> {
    let days = select(vec![1i64, 29, 30, 31, 400]);
    sometimes(0.2, days.prop_map(|days| NOW.plus_millis(-days * DAY)))
}

fn core_department(id: &'static str) -> impl Strategy<Value = Row> {
    let above = CORE_DEPARTMENTS.iter().copied().filter(move |other| *other < id).collect::<Vec<_>>();
    let above = if above.is_empty() { vec!["1"] } else { above };
    let parent = prop_oneof![8 => select(above).prop_map(str::to_owned), 1 => text(&CORE_DEPARTMENTS)];
    let has_parent = if id == "1" { 0.1 } else { 0.9 };
    (
        text(&NAMES),
        sometimes(has_parent, parent),
        sometimes(0.2, text(&["", "X", "Y"])),
        sometimes(0.3, 0i64..2),
        prop::collection::vec(text(&CORE_MEMBERS), 0..2),
        0u64..2,
        deleted_at(),
        any::<bool>(),
    )
        .prop_map(move |(name, parent_id, name_en, position, leaders, version, deleted_at, was_put)| {
            Row::Department(DepartmentRow {
                id: id.to_owned(),
                parent_id,
                name,
                name_en,
                position,
                leaders,
                version,
                source_time: was_put.then_some(UnixMillis(0)),
                deleted_at,
            })
        })
}

fn core_member(id: &'static str) -> impl Strategy<Value = Row> {
    let contact = (
        text(&NAMES),
        sometimes(0.5, text(&MOBILES)),
        sometimes(0.4, text(&EMAILS)),
        sometimes(0.2, text(&["", "Engineer"])),
        sometimes(0.3, text(&NUMBERS)),
    );
    let details = (
        sometimes(0.8, text(&["male", "unknown", ""])),
        sometimes(0.8, text(&["active", "left"])),
        prop::collection::btree_map(text(&["number", "alias", "x", "y"]), text(&["", "7", "Z"]), 0..3),
        0u64..2,
        deleted_at(),
    );
    let places = (
        prop::collection::btree_map(text(&CORE_DEPARTMENTS), (any::<bool>(), 0i64..2), 0..3),
        sometimes(0.7, text(&CORE_DEPARTMENTS)),
        sometimes(0.3, text(&["ann", "bob", "u1", "zoe"])),
    );
    (contact, details, places).prop_map(move |(contact, details, places)| {
        let membership = |(department_id, (is_leader, position))| Membership { department_id, is_leader, position };
        Row::Member(MemberRow {
            id: id.to_owned(),
            name: contact.0,
            mobile: contact.1,
            email: contact.2,
            title: contact.3,
            gender: details.0,
            status: details.1,
            employee_number: contact.4,
            main_department_id: places.1,
            manager_id: places.2,
            attributes: details.2,
            departments: places.0.into_iter().map(membership).collect(),
            version: details.3,
            source_time: None,
            deleted_at: details.4,
        })
    })
}

/// A source's entity and a row's id, seldom of the same sort of thing by chance.
fn pair() -> impl Strategy<Value = (EntityKey, String)> {
    prop_oneof![
        (text(&DEPARTMENTS), text(&CORE_DEPARTMENTS)).prop_map(|(id, row)| (EntityKey::department(&id), row)),
        (text(&MEMBERS), text(&["ann", "bob", "dan", "u1", "u2", "u9"]))
            .prop_map(|(id, row)| (EntityKey::member(&id), row)),
    ]
}

/// Each with a probability.
fn some<T: Strategy>(probability: f64, of: Vec<T>) -> impl Strategy<Value = Vec<T::Value>> {
    let each: Vec<_> = of.into_iter().map(|one| prop::option::weighted(probability, one)).collect();
    each.prop_map(|some| some.into_iter().flatten().collect::<Vec<_>>())
}

/// Any company.
pub(super) fn company() -> impl Strategy<Value = Company> {
    let source = (
        some(0.8, DEPARTMENTS[..6].iter().copied().map(source_department).collect()),
        some(0.7, MEMBERS[..5].iter().copied().map(source_member).collect()),
        some(0.03, vec![source_department("3"), source_department("2")]),
        some(0.03, vec![source_member("ann"), source_member("bob")]),
    );
    let core = (
        some(0.6, CORE_DEPARTMENTS.iter().copied().map(core_department).collect()),
        some(0.5, CORE_MEMBERS.iter().copied().filter(|id| *id != "bob").map(core_member).collect()),
        some(0.1, vec![core_member("bob")]),
    );
    let links = prop::collection::vec((pair(), prop::bool::weighted(0.7)), 0..3);
    let rejected = prop::collection::vec(pair(), 0..3);
    let whole = (prop::bool::weighted(0.85), prop::bool::weighted(0.95));
    (source, core, links, rejected, whole).prop_map(|(source, core, links, rejected, whole)| {
        let (source_complete, destination_complete) = whole;
        Company {
            source: [source.0, source.1, source.2, source.3].concat(),
            rows: [core.0, core.1, core.2].concat(),
            links: links.into_iter().map(|((key, row), sure)| (key, row, sure)).collect(),
            rejected,
            options: Options { source_complete, destination_complete, ..Company::default().options },
        }
    })
}

/// Values of a row by column, as texts; the ids of members are folded.
pub(super) fn values(row: &Row) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut put = |column: &str, value: String| drop(values.insert(column.to_owned(), value));
    match row {
        Row::Department(row) => {
            put("name", row.name.clone());
            put("name_en", row.name_en.clone().unwrap_or_default());
            put("parent_id", row.parent_id.clone().unwrap_or_default());
            put("position", row.position.map(|position| position.to_string()).unwrap_or_default());
            put("leaders", row.leaders.iter().map(|id| id.to_lowercase()).collect::<Vec<_>>().join(","));
        }
        Row::Member(row) => {
            let filled = |text: &Option<String>| text.clone().unwrap_or_default();
            let or = |text: &Option<String>, other: &str| match text.as_deref() {
                None | Some("") => other.to_owned(),
                Some(text) => text.to_owned(),
            };
            put("name", row.name.clone());
            put("mobile", filled(&row.mobile));
            put("email", filled(&row.email));
            put("title", filled(&row.title));
            put("gender", or(&row.gender, "unknown"));
            put("status", or(&row.status, "active"));
            put("employee_number", filled(&row.employee_number));
            put("main_department_id", filled(&row.main_department_id));
            put("manager_id", filled(&row.manager_id).to_lowercase());
            row.attributes.iter().for_each(|(name, text)| put(&format!("attributes.{name}"), text.clone()));
            for place in &row.departments {
                let text = format!("{} {}", place.position, place.is_leader);
                put(&format!("departments.{}", place.department_id), text);
            }
        }
    }
    values
}
