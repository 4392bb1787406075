//! What differs.

use std::collections::{BTreeMap, BTreeSet};

use common::{Entity, EntityKey, EntityKind, Field, Value};

use super::{Naive, is_live, told_name};
use crate::plan::{Row, tests::company::values};

impl Naive<'_> {
    /// What the source tells of an entity's own values, by column.
    pub(super) fn told(&self, entity: &Entity) -> BTreeMap<String, String> {
        let fields = &entity.fields;
        let mut told = BTreeMap::new();
        let mut put = |column: &str, value: &str| drop(told.insert(column.to_owned(), value.to_owned()));
        if let Some(name) = told_name(entity) {
            put("name", name);
        }
        for (field, column, empty) in [
            (Field::NameEn, "name_en", ""),
            (Field::Mobile, "mobile", ""),
            (Field::Title, "title", ""),
            (Field::Gender, "gender", "unknown"),
            (Field::Status, "status", "active"),
            (Field::Alias, "attributes.alias", ""),
            (Field::BizMail, "attributes.biz_mail", ""),
        ] {
            match fields.text(field) {
                Some("") => put(column, empty),
                Some(text) => put(column, text),
                None => {}
            }
        }
        if let Some(order) = fields.number(Field::Order) {
            put("position", &order.to_string());
        }
        match (fields.text(Field::Email), fields.text(Field::BizMail)) {
            (Some(mail), _) if !mail.is_empty() => put("email", mail),
            (_, Some(mail)) if !mail.is_empty() => put("email", mail),
            (Some(_), _) => put("email", ""),
            _ => {}
        }
        for (name, text) in fields.map(Field::Attributes).into_iter().flatten() {
            let alias = fields.text(Field::Alias).unwrap_or_default();
            if name != "alias" || alias.is_empty() {
                put(&format!("attributes.{name}"), text);
            }
            if name == "number" {
                put("employee_number", text);
            }
        }
        told
    }

    /// The columns of a row that differ from what the source tells, in the order in which they are named.
    pub(super) fn differences(&self, key: &EntityKey, row: &Row) -> Vec<&'static str> {
        let entity = self.entity(key).unwrap().what;
        let (mut told, has) = (self.told(entity), values(row));
        let list = |field| match entity.fields.get(field) {
            Some(Value::List(ids)) => Some(ids.clone()),
            _ => None,
        };
        let folded = |id: &String| self.target(&EntityKey::member(id)).map(|id| id.to_lowercase());
        let leaders = list(Field::Leaders);
        if key.kind == EntityKind::Department {
            let ids: Option<Vec<String>> = leaders.and_then(|ids| ids.iter().map(folded).collect());
            told.extend(ids.map(|ids| ("leaders".to_owned(), ids.join(","))));
            let parent = self.parent(self.entity(key).unwrap());
            told.extend(parent.map(|parent| ("parent_id".to_owned(), self.standing(&parent).unwrap())));
        } else if let Some(ids) = leaders {
            let manager = ids.first().map_or(Some(String::new()), folded);
            told.extend(manager.map(|manager| ("manager_id".to_owned(), manager)));
        }
        let mut differs: BTreeSet<&str> = BTreeSet::new();
        for (column, value) in &told {
            if has.get(column).map_or("", String::as_str) != value {
                differs.insert(column.split('.').next().unwrap());
            }
        }
        if let (Some(departments), Row::Member(row)) = (list(Field::Departments), row) {
            let leads = list(Field::Leads);
            let mut places: Vec<(String, i64, Option<bool>)> = vec![];
            for (position, id) in departments.iter().enumerate() {
                let department = self.standing(&EntityKey::department(id)).unwrap();
                if places.iter().all(|(other, ..)| *other != department) {
                    places.push((department, position as i64, leads.as_ref().map(|leads| leads.contains(id))));
                }
            }
            let told_main =
                entity.fields.text(Field::MainDepartment).filter(|main| departments.iter().any(|id| id == main));
            let is_main = |main: &str| match told_main {
                Some(told) => self.standing(&EntityKey::department(told)).as_deref() == Some(main),
                None => places.iter().any(|(id, ..)| id == main),
            };
            let has_main = row.main_department_id.as_deref();
            if !has_main.map_or(places.is_empty(), is_main) {
                differs.insert("main_department_id");
            }
            let mut rest: Vec<_> = row.departments.iter().collect();
            for (id, position, leads) in &places {
                rest.retain(|there| {
                    let same_leads = leads.is_none_or(|leads| leads == there.is_leader);
                    there.department_id != *id || there.position != *position || !same_leads
                });
            }
            if !rest.is_empty() || places.len() != row.departments.len() {
                differs.insert("departments");
            }
        }
        if !is_live(row) {
            differs.insert("deleted_at");
        }
        let order = [
            "name",
            "name_en",
            "parent_id",
            "position",
            "leaders",
            "mobile",
            "email",
            "title",
            "gender",
            "status",
            "employee_number",
            "main_department_id",
            "manager_id",
            "attributes",
            "departments",
            "deleted_at",
        ];
        order.into_iter().filter(|column| differs.contains(column)).collect()
    }
}
