//! Who is who.

use std::collections::BTreeSet;

use common::{EntityKey, EntityKind, Field};

use super::{Doubt, Naive, is_live, is_ours, refers_to, told_name};
use crate::plan::tests::company::values;

/// What makes two values of a column the same.
type Normal = fn(&str) -> String;

impl Naive<'_> {
    /// Who has one row that has nobody else is judged by `alone`; all others are in doubt for the reason `else_`.
    fn settle(
        &mut self,
        edges: &[(EntityKey, usize, &'static str)],
        else_: &'static str,
        alone: impl Fn(&Self, usize, &BTreeSet<&'static str>) -> Result<Option<&'static str>, &'static str>,
    ) {
        let keys: BTreeSet<&EntityKey> = edges.iter().map(|(key, ..)| key).collect();
        let mut decisions = vec![];
        for key in keys {
            let mine: Vec<_> = edges.iter().filter(|(other, ..)| other == key).collect();
            let rows: BTreeSet<usize> = mine.iter().map(|(_, row, _)| *row).collect();
            let by: BTreeSet<&'static str> = mine.iter().map(|(.., by)| *by).filter(|by| !by.is_empty()).collect();
            let first = *rows.first().unwrap();
            let theirs = edges.iter().filter(|(_, row, _)| *row == first).map(|(key, ..)| key);
            let is_alone = rows.len() == 1 && theirs.collect::<BTreeSet<_>>().len() == 1;
            let decision = if is_alone { alone(self, first, &by) } else { Err(else_) };
            decisions.push((key.clone(), first, Doubt { word: "", by, rows }, decision));
        }
        for (key, first, doubt, decision) in decisions {
            match decision {
                Ok(how) => {
                    self.pairs.insert(key, (first, how));
                }
                Err(word) => {
                    self.doubts.insert(key, Doubt { word, ..doubt });
                }
            }
        }
        for (_, row, _) in edges {
            if self.owner(*row).is_none() {
                self.contested.insert(*row);
            }
        }
    }

    fn links(&self, kind: EntityKind, sure: bool) -> Vec<(EntityKey, usize, &'static str)> {
        let mut links = vec![];
        for (key, id, is_sure) in &self.company.links {
            let there = self.row(&EntityKey::new(key.kind, id));
            let is_asked_for = key.kind == kind && *is_sure == sure && self.is_open(key);
            if let Some(row) = there.filter(|row| is_asked_for && self.is_open_row(*row))
                && !self.is_rejected(key, &self.rows[row].key)
            {
                links.push((key.clone(), row, ""));
            }
        }
        links
    }

    fn pair_by_id(&mut self, kind: EntityKind) {
        for (key, row) in self.open(kind) {
            if self.rows[row].key == key {
                let is_news = !is_ours(self.rows[row].what);
                self.pairs.insert(key, (row, is_news.then_some("same_id")));
            }
        }
    }

    pub(super) fn pair_departments(&mut self) {
        let kind = EntityKind::Department;
        let links = self.links(kind, true);
        self.settle(&links, "ambiguous", |_, _, _| Ok(None));
        self.pair_by_id(kind);
        let root = EntityKey::department("1");
        if self.row(&root).is_none() {
            let mut edges = self.open(kind);
            edges.retain(|(key, row)| {
                let row = &self.rows[*row];
                key.is_root() && refers_to(row.what).is_empty() && is_live(row.what) && !row.twice
            });
            let edges: Vec<_> = edges.into_iter().map(|(key, row)| (key, row, "")).collect();
            self.settle(&edges, "ambiguous", |_, _, _| Ok(Some("root")));
        }
        loop {
            let mut edges = self.open(kind);
            edges.retain(|(key, row)| self.is_child_of_same(key, *row));
            let edges: Vec<_> = edges.into_iter().map(|(key, row)| (key, row, "name")).collect();
            if edges.is_empty() {
                break;
            }
            self.settle(&edges, "ambiguous", |_, _, _| Ok(Some("name")));
        }
        let links = self.links(kind, false);
        self.settle(&links, "proposed", |_, _, _| Err("proposed"));
    }

    fn is_child_of_same(&self, key: &EntityKey, row: usize) -> bool {
        let (entity, row) = (self.entity(key).unwrap(), &self.rows[row]);
        let (Some(parent), Some(above)) = (self.parent(entity), refers_to(row.what).pop_first()) else { return false };
        let same_parent = self.pairs.get(&parent).is_some_and(|(row, _)| *self.rows[*row].key.id == *above);
        let name = told_name(entity.what).map(str::trim).filter(|name| !name.is_empty());
        let same_name = name.is_some_and(|name| values(row.what)["name"].trim() == name);
        same_parent && same_name && !entity.twice && !row.twice && is_live(row.what)
    }

    pub(super) fn pair_members(&mut self) {
        let kind = EntityKind::Member;
        let links = self.links(kind, true);
        self.settle(&links, "ambiguous", |_, _, _| Ok(None));
        self.pair_by_id(kind);
        let mut edges = vec![];
        for (key, row) in self.open(kind) {
            let (entity, there) = (self.entity(&key).unwrap(), &self.rows[row]);
            if entity.twice || there.twice {
                continue;
            }
            let (told, has) = (self.told(entity.what), values(there.what));
            let keys: [(&'static str, Normal); 3] = [("mobile", mobile), ("email", email), ("employee_number", number)];
            for (column, normal) in keys {
                let mine = told.get(column).map(|text| normal(text)).filter(|text| !text.is_empty());
                if mine.is_some_and(|mine| normal(&has[column]) == mine) {
                    edges.push((key.clone(), row, column));
                }
            }
        }
        self.settle(&edges, "ambiguous", |naive, row, by| {
            let first = ["mobile", "email", "employee_number"].into_iter().find(|column| by.contains(column));
            if is_live(naive.rows[row].what) { Ok(first) } else { Err("disabled") }
        });
        let links = self.links(kind, false);
        self.settle(&links, "proposed", |_, _, _| Err("proposed"));
        let mut edges = vec![];
        for (key, row) in self.open(kind) {
            let (entity, there) = (self.entity(&key).unwrap(), &self.rows[row]);
            let name = told_name(entity.what).map(str::trim).filter(|name| !name.is_empty());
            let same_name = name.is_some_and(|name| values(there.what)["name"].trim() == name);
            let mut places = entity.what.fields.list(Field::Departments).iter();
            let together = places.any(|id| {
                let row = self.pairs.get(&EntityKey::department(id)).map(|(row, _)| &self.rows[*row].key);
                row.is_some_and(|row| refers_to(there.what).contains(&*row.id))
            });
            if same_name && together && !entity.twice && !there.twice && is_live(there.what) {
                edges.push((key, row, "name"));
            }
        }
        self.settle(&edges, "same_name", |_, _, _| Err("same_name"));
    }
}

fn mobile(text: &str) -> String {
    let text: String = text.chars().filter(|c| !" -".contains(*c)).collect();
    let rest = text.strip_prefix("+86").or(text.strip_prefix("0086"));
    rest.unwrap_or(&text).to_owned()
}

fn email(text: &str) -> String {
    text.trim().to_lowercase()
}

fn number(text: &str) -> String {
    text.trim().to_owned()
}
