//! Random companies, random orders.

use common::{EntityKey, Field, Fields};

use crate::{
    bugs::Bug,
    dice::Dice,
    model::{Company, History},
    run::{Arrival, run},
    shell::Habits,
    shrink::shrink,
};

/// What the histories that are drawn are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// What a platform tells by itself.
    Told,
    /// Also what it says when it is asked.
    Asked,
}

/// Runs the order with this seed: a history of 8 to 60 events, each arriving 1 to 4 times.
pub(crate) fn run_seed(seed: u64, bug: Option<Bug>) -> Result<(), String> {
    run_seed_of(Family::Told, seed, bug)
}

/// The same with a history of some family.
pub(crate) fn run_seed_of(family: Family, seed: u64, bug: Option<Bug>) -> Result<(), String> {
    let (history, arrival, mut dice) = draw(family, seed);
    run(&history, &arrival, &mut dice, bug)
}

/// The smallest run found that fails in place of the one with this seed, with everything that led to it.
pub(crate) fn report(family: Family, seed: u64, reason: String) -> String {
    let (history, arrival, dice) = draw(family, seed);
    shrink(history, arrival, &dice, reason)
}

fn draw(family: Family, seed: u64) -> (History, Arrival, Dice) {
    let mut dice = Dice::new(seed);
    let largest = [12, 16, 24, 60][dice.below(4)];
    let size = dice.between(8, largest);
    let history = random_history(&mut dice, family, size);
    let arrival = random_arrival(&mut dice, history.events.len());
    (history, arrival, dice)
}

pub(crate) fn random_arrival(dice: &mut Dice, events: usize) -> Arrival {
    let repeats = dice.once_in(2);
    let mut deliveries: Vec<usize> = Vec::new();
    for event in 0..events {
        let times = if repeats && dice.once_in(4) { dice.between(2, 4) } else { 1 };
        deliveries.extend(std::iter::repeat_n(event, times));
    }
    if dice.once_in(3) {
        // Nearly in order, as in ordinary life.
        let reach = dice.between(2, 6);
        for place in 0..deliveries.len() {
            let other = (place + dice.below(reach)).min(deliveries.len() - 1);
            deliveries.swap(place, other);
        }
    } else if dice.once_in(8) {
        // Leaves first, root last: the worst case.
        deliveries.reverse();
    } else {
        dice.shuffle(&mut deliveries);
    }
    Arrival {
        deliveries,
        batch_max: [1, 2, 4, 8, 64][dice.below(5)],
        slice_max: dice.between(1, 6),
        fails_once_in: if dice.once_in(2) { dice.between(3, 12) } else { 0 },
        folds: dice.once_in(3),
        habits: Habits { forgets_keys: dice.once_in(3), skips_named: dice.once_in(2) },
        oa_has_moods: dice.once_in(2),
    }
}

/// What is done to a company, `size` events long, and what is still to be asked then.
fn random_history(dice: &mut Dice, family: Family, size: usize) -> History {
    let mut company = Company::new();
    let mut tries = 0;
    let shares_seconds = dice.once_in(3);
    // Some companies only reorganise, in some people come and go.
    let (first, mut last) = [(0, 19), (0, 19), (0, 9), (9, 19)][dice.below(4)];
    if family == Family::Asked {
        last = 26;
    }
    let mut life = Life { dice, company: &mut company, shares_seconds };
    while life.company.event_count() < size && tries < 20 * size {
        let deed = life.dice.between(first, last);
        life.something_happens(deed);
        tries += 1;
    }
    company.history()
}

/// Somebody to whom something happens all day long, so that more is told than a record keeps.
pub(crate) fn busy_history(dice: &mut Dice) -> History {
    let mut company = Company::new();
    let mut life = Life { dice, company: &mut company, shares_seconds: false };
    while life.company.event_count() < 200 {
        match life.dice.below(40) {
            0 => life.somebody_leaves(),
            1..=4 => life.somebody_moves(),
            5 => life.a_department_is_created(),
            _ if life.company.members().is_empty() => life.somebody_is_hired(),
            _ => life.somebody_changes(),
        };
    }
    company.history()
}

const DEPARTMENT_IDS: [&str; 7] = ["2", "3", "4", "5", "6", "7", "8"];
const MEMBER_IDS: [&str; 7] = ["ann", "bob", "cai", "dou", "eva", "fei", "gus"];

/// Life at the company.
struct Life<'a> {
    dice: &'a mut Dice,
    company: &'a mut Company,
    shares_seconds: bool,
}

impl Life<'_> {
    fn something_happens(&mut self, deed: usize) {
        match deed {
            0..=2 => self.a_department_is_created(),
            3..=5 => self.a_department_moves(),
            6 => self.a_department_changes(),
            7..=8 => self.a_department_goes(),
            9..=11 => self.somebody_is_hired(),
            12..=13 => self.somebody_moves(),
            14 => self.somebody_changes(),
            15..=16 => self.somebody_gets_another_id(),
            17 => self.somebody_leaves(),
            18 => self.somebody_gets_leaders(),
            19 => self.a_department_gets_leaders(),
            20..=21 => self.a_hidden_department_is_created(),
            22 => self.a_hidden_department_is_shown(),
            23..=24 => self.a_department_is_asked_for(),
            25 => self.somebody_is_hired_by_id(),
            _ => self.somebody_is_asked_for(),
        };
    }

    fn a_hidden_department_is_created(&mut self) -> Option<()> {
        let id = *self.dice.pick(&DEPARTMENT_IDS)?;
        if !self.company.is_new(id) {
            return None;
        }
        self.company.hide_department(id);
        Some(())
    }

    fn a_hidden_department_is_shown(&mut self) -> Option<()> {
        let id = self.pick(Company::hidden_departments)?;
        let parent = self.pick(Company::parents)?;
        if self.company.is_within(&parent, &id) {
            return None;
        }
        self.company.show_department(&id, &parent);
        Some(())
    }

    /// One that is hidden, was removed, or never was.
    fn a_department_is_asked_for(&mut self) -> Option<()> {
        let id = *self.dice.pick(&DEPARTMENT_IDS)?;
        if self.company.shown_departments().iter().any(|known| known == id) {
            return None;
        }
        self.company.answer_absent(id);
        Some(())
    }

    fn somebody_is_hired_by_id(&mut self) -> Option<()> {
        let id = *self.dice.pick(&MEMBER_IDS)?;
        let department = self.pick(Company::parents)?;
        if self.company.members().iter().any(|known| known == id) {
            return None;
        }
        let id = self.spell(id);
        self.company.hire_reduced(&id, &[department.as_str()]);
        Some(())
    }

    fn somebody_is_asked_for(&mut self) -> Option<()> {
        let id = *self.dice.pick(&MEMBER_IDS)?;
        self.company.answer_nameless(id);
        Some(())
    }

    fn a_department_is_created(&mut self) -> Option<()> {
        let id = *self.dice.pick(&DEPARTMENT_IDS)?;
        let parent = self.pick(Company::parents)?;
        if self.company.parents().iter().any(|known| known == id) {
            return None;
        }
        self.share_second(&EntityKey::department(id), 1);
        let name = format!("D{id} of #{}", self.company.event_count());
        let mut fields = Fields::new().with(Field::Name, name).with(Field::Parent, parent);
        if self.dice.once_in(2) {
            fields.set(Field::Order, self.dice.below(1000) as i64);
        }
        self.company.create_department_with(id, fields);
        Some(())
    }

    fn a_department_moves(&mut self) -> Option<()> {
        let id = self.pick(Company::departments)?;
        let parent = self.pick(Company::parents)?;
        if self.company.is_within(&parent, &id) {
            return None;
        }
        self.share_second(&EntityKey::department(&id), 2);
        self.company.move_department(&id, &parent);
        Some(())
    }

    fn a_department_changes(&mut self) -> Option<()> {
        let id = self.pick(Company::shown_departments)?;
        self.share_second(&EntityKey::department(&id), 2);
        let value = format!("D{id} of #{}", self.company.event_count());
        let field = if self.dice.once_in(3) { Field::NameEn } else { Field::Name };
        self.company.update_department(&id, Fields::new().with(field, value));
        Some(())
    }

    fn a_department_goes(&mut self) -> Option<()> {
        let empty = |company: &Company| {
            let departments = company.departments();
            departments.into_iter().filter(|id| company.is_empty(id)).collect()
        };
        let id = self.pick(empty)?;
        self.share_second(&EntityKey::department(&id), 0);
        self.company.remove_department(&id);
        Some(())
    }

    fn somebody_is_hired(&mut self) -> Option<()> {
        let id = *self.dice.pick(&MEMBER_IDS)?;
        if self.company.members().iter().any(|known| known == id) {
            return None;
        }
        let mut fields = self.places();
        fields.set(Field::Name, format!("{id} of #{}", self.company.event_count()));
        if self.dice.once_in(2) {
            fields.set(Field::Mobile, format!("139{}", self.company.event_count()));
        }
        if self.dice.once_in(3) {
            self.add_leaders(&mut fields, id);
        }
        self.share_second_with_leaders(&EntityKey::member(id), 1, &fields);
        let id = self.spell(id);
        self.company.hire_with(&id, fields);
        Some(())
    }

    fn somebody_moves(&mut self) -> Option<()> {
        let id = self.pick(Company::members)?;
        let fields = self.places();
        self.update_member(&id, fields)
    }

    fn somebody_changes(&mut self) -> Option<()> {
        let id = self.pick(Company::members)?;
        let field = *self.dice.pick(&[Field::Name, Field::Mobile, Field::Title, Field::Email])?;
        let value =
            if self.dice.once_in(6) { String::new() } else { format!("{field:?} of #{}", self.company.event_count()) };
        let value = if field == Field::Name && value.is_empty() { id.clone() } else { value };
        self.update_member(&id, Fields::new().with(field, value))
    }

    fn somebody_gets_another_id(&mut self) -> Option<()> {
        let id = self.pick(Company::members)?;
        let to = *self.dice.pick(&MEMBER_IDS)?;
        if self.company.members().iter().any(|known| known == to) {
            return None;
        }
        let fields = match self.dice.below(4) {
            0 => self.places(),
            1 => Fields::new().with(Field::Name, format!("{to} of #{}", self.company.event_count())),
            _ => Fields::new(),
        };
        if self.company.fits_in_second(&EntityKey::member(to), 3) {
            self.share_second(&EntityKey::member(&id), 3);
        }
        let (id, to) = (self.spell(&id), self.spell(to));
        self.company.change_id_with(&id, &to, fields);
        Some(())
    }

    fn somebody_leaves(&mut self) -> Option<()> {
        let id = self.pick(Company::members)?;
        self.share_second(&EntityKey::member(&id), 0);
        let id = self.spell(&id);
        self.company.dismiss(&id);
        Some(())
    }

    fn somebody_gets_leaders(&mut self) -> Option<()> {
        let id = self.pick(Company::members)?;
        let mut fields = Fields::new();
        self.add_leaders(&mut fields, &id);
        self.update_member(&id, fields)
    }

    fn a_department_gets_leaders(&mut self) -> Option<()> {
        let id = self.pick(Company::departments)?;
        let mut fields = Fields::new();
        self.add_leaders(&mut fields, "");
        self.share_second_with_leaders(&EntityKey::department(&id), 2, &fields);
        self.company.update_department(&id, fields);
        Some(())
    }

    fn update_member(&mut self, id: &str, fields: Fields) -> Option<()> {
        self.share_second_with_leaders(&EntityKey::member(id), 2, &fields);
        let id = self.spell(id);
        self.company.update_member(&id, fields);
        Some(())
    }

    fn pick(&mut self, from: impl Fn(&Company) -> Vec<String>) -> Option<String> {
        self.dice.pick(&from(self.company)).cloned()
    }

    /// One or two departments, which of them is the main one, and which of them are led.
    fn places(&mut self) -> Fields {
        let mut departments = self.company.parents();
        self.dice.shuffle(&mut departments);
        departments.truncate(if self.dice.once_in(3) { 2 } else { 1 });
        let mut fields = Fields::new();
        if departments.len() > 1 || self.dice.once_in(2) {
            fields.set(Field::MainDepartment, departments[0].as_str());
        }
        let leads = if self.dice.once_in(3) { vec![departments[0].clone()] } else { Vec::new() };
        fields.set(Field::Leads, leads);
        fields.set(Field::Departments, departments);
        fields
    }

    fn add_leaders(&mut self, fields: &mut Fields, but_not: &str) {
        let mut leaders = self.company.members();
        leaders.retain(|id| id != but_not);
        self.dice.shuffle(&mut leaders);
        leaders.truncate(self.dice.below(3));
        let leaders: Vec<String> = leaders.iter().map(|id| self.spell(id)).collect();
        fields.set(Field::Leaders, leaders);
    }

    /// The platform is not strict about capital letters.
    fn spell(&mut self, id: &str) -> String {
        if self.dice.once_in(8) { id.to_uppercase() } else { id.to_owned() }
    }

    fn share_second(&mut self, key: &EntityKey, rank: u8) {
        if self.shares_seconds && self.dice.once_in(3) && self.company.fits_in_second(key, rank) {
            self.company.same_second();
        }
    }

    /// A leader must be somebody to whom nothing else happened in that second.
    fn share_second_with_leaders(&mut self, key: &EntityKey, rank: u8, fields: &Fields) {
        let mut leaders = fields.list(Field::Leaders).iter();
        if leaders.all(|leader| self.company.fits_in_second(&EntityKey::member(leader), 3)) {
            self.share_second(key, rank);
        }
    }
}
