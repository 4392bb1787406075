//! A batch is only a faster way to do the same.

use common::{Action, Change, EntityKind, Field, Fields};
use destinations::{Links, Outcome};

use crate::{
    changes::{
        approval, attendance_with, department_with, in_departments, member_with, remove_approval, remove_attendance,
        remove_department, remove_member, renamed,
    },
    product::{Core, Kind, links, on_each_kind},
};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn person(&mut self) -> String {
        let name = ["a", "B", "cC", "d", "é"][usize::try_from(self.roll(5)).unwrap()];
        if self.roll(2) == 0 { name.to_uppercase() } else { name.to_owned() }
    }

    fn fields(&mut self) -> Fields {
        let departments = [(1 + self.roll(4)).to_string(), (1 + self.roll(4)).to_string()];
        let departments: Vec<&str> = departments.iter().map(String::as_str).collect();
        let leader = self.person().to_lowercase();
        in_departments(&departments).with(Field::Leaders, &[&*leader][..])
    }

    fn paper(&mut self) -> String {
        format!("p{}", self.roll(4))
    }

    fn change(&mut self) -> Change {
        let (person, other) = (self.person(), self.person());
        match self.roll(12) {
            0 | 1 => {
                let id = 2 + self.roll(4);
                let leader = person.to_lowercase();
                let fields = Fields::new().with(Field::Name, format!("{}", self.roll(9)));
                let fields = fields.with(Field::Parent, (1 + self.roll(id - 1)).to_string());
                department_with(&id.to_string(), fields.with(Field::Leaders, &[&*leader][..]))
            }
            2 => remove_department(&(2 + self.roll(4)).to_string()),
            3 => remove_member(&person),
            4 | 5 => renamed(&other, &person, self.fields()),
            6 => {
                let fields = Fields::new().with(Field::Member, person).with(Field::RecordKind, "punch");
                attendance_with(&self.paper(), fields.with(Field::Source, format!("{}", self.roll(9))))
            }
            7 => approval(&self.paper(), &person),
            8 => remove_attendance(&self.paper()),
            9 => remove_approval(&self.paper()),
            _ => member_with(&person, self.fields()),
        }
    }

    /// One that does not always tell all there is.
    fn change_that_tells_some(&mut self) -> Change {
        let mut change = self.change();
        let is_told = self.roll(2) == 0;
        let title = format!("title {}", self.roll(9));
        if let Action::Upsert { entity, .. } = &mut change.action
            && change.entity.kind == EntityKind::Member
            && is_told
        {
            entity.fields.set(Field::Title, title);
        }
        change
    }
}

async fn everything(core: &Core) -> Vec<String> {
    let mut rows =
        core.rows("id, parent_id, name, leaders, version, source_time, deleted_at", "departments ORDER BY id").await;
    rows.extend(core.members("id, name, title, status, main_department_id, manager_id, version, deleted_at").await);
    rows.extend(core.memberships().await);
    rows.extend(core.rows("record_id, member_id, source, version", "attendance ORDER BY record_id").await);
    rows.extend(core.rows("instance_id, applicant_id, version", "approvals ORDER BY instance_id").await);
    rows
}

async fn a_batch_leaves_the_same_rows_as_its_changes_one_by_one(kind: Kind) {
    let mut dice = Dice(7);
    // A server makes and drops two schemas for each.
    let rounds = if kind == Kind::Sqlite { 300 } else { 25 };
    for round in 0..rounds {
        let (whole, single) = (Core::new(kind).await, Core::new(kind).await);
        let ground = || (2..=4).map(|id| department_with(&id.to_string(), Fields::new().with(Field::Parent, "1")));
        whole.take(ground().collect()).await;
        single.take(ground().collect()).await;
        for _ in 0..3 {
            let changes: Vec<Change> = (0..=dice.roll(12)).map(|_| dice.change()).collect();
            let outcomes = whole.apply(changes.clone()).await;
            let mut expected = vec![];
            for change in &changes {
                expected.extend(single.apply(vec![change.clone()]).await);
            }
            assert_eq!(outcomes, expected, "round {round}: {changes:#?}");
            assert_eq!(everything(&whole).await, everything(&single).await, "round {round}: {changes:#?}");
        }
    }
}

/// A product with rows of its own. Some of their ids are those that the platform has for others, one row is not there.
async fn with_rows_of_its_own(kind: Kind) -> Core {
    let core = Core::new(kind).await;
    core.execute(
        "INSERT INTO departments (tenant_id, id, parent_id, name, version, source_time)
             VALUES ('acme', 'D-3', '1', 'x', 0, 0), ('acme', '5', '1', 'y', 0, 0);
         INSERT INTO members (tenant_id, id, name, title, gender, status, version, source_time)
             VALUES ('acme', 'P-a', 'a', 'theirs', 'female', 'left', 0, 0), ('acme', 'P-c', 'c', 'theirs', 'male', 'x', 0, 0),
                 ('acme', 'b', 'e', 'theirs', 'male', 'active', 0, 0);",
    )
    .await;
    core
}

/// Does what a sink does with the links when changes were applied.
fn follow(links: &mut Links, changes: &[Change], outcomes: &[Outcome]) {
    for (change, outcome) in changes.iter().zip(outcomes) {
        if let Action::Upsert { renamed_from: Some(former), .. } = &change.action
            && *outcome == Outcome::Applied
        {
            links.rename(former, &change.entity);
        }
    }
}

async fn so_it_does_where_entities_are_linked_with_rows(kind: Kind) {
    let mut dice = Dice(11);
    let rounds = if kind == Kind::Sqlite { 200 } else { 20 };
    for round in 0..rounds {
        let (whole, single) = (with_rows_of_its_own(kind).await, with_rows_of_its_own(kind).await);
        let linked = || links(&[("a", "P-a"), ("cC", "P-c"), ("d", "P-d"), ("é", "b")], &[("3", "D-3"), ("4", "5")]);
        let ground = || (2..=4).map(|id| department_with(&id.to_string(), Fields::new().with(Field::Parent, "1")));
        whole.take_linked(ground().collect(), &linked()).await;
        single.take_linked(ground().collect(), &linked()).await;
        let (mut of_whole, mut of_single) = (linked(), linked());
        for _ in 0..3 {
            let changes: Vec<Change> = (0..=dice.roll(12)).map(|_| dice.change_that_tells_some()).collect();
            let outcomes = whole.apply_linked(changes.clone(), &of_whole).await;
            follow(&mut of_whole, &changes, &outcomes);
            let mut expected = vec![];
            for change in &changes {
                let alone = vec![change.clone()];
                let outcome = single.apply_linked(alone.clone(), &of_single).await;
                follow(&mut of_single, &alone, &outcome);
                expected.extend(outcome);
            }
            assert_eq!(outcomes, expected, "round {round}: {changes:#?}");
            assert_eq!(of_whole, of_single, "round {round}: {changes:#?}");
            assert_eq!(everything(&whole).await, everything(&single).await, "round {round}: {changes:#?}");
        }
    }
}

on_each_kind!(a_batch_leaves_the_same_rows_as_its_changes_one_by_one, so_it_does_where_entities_are_linked_with_rows,);
