//! A batch is only a faster way to do the same.

use common::{Change, Field, Fields};

use crate::{
    changes::{department_with, in_departments, member_with, remove_department, remove_member, renamed},
    product::{Core, Kind, on_each_kind},
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

    fn change(&mut self) -> Change {
        let (person, other) = (self.person(), self.person());
        match self.roll(8) {
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
            _ => member_with(&person, self.fields()),
        }
    }
}

async fn everything(core: &Core) -> Vec<String> {
    let mut rows =
        core.rows("id, parent_id, name, leaders, version, source_time, deleted_at", "departments ORDER BY id").await;
    rows.extend(core.members("id, name, status, main_department_id, manager_id, version, deleted_at").await);
    rows.extend(core.memberships().await);
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

on_each_kind!(a_batch_leaves_the_same_rows_as_its_changes_one_by_one,);
