//! New hires as people fill them in: with odd names, numbers written in every way, and mistakes.

use serde_json::{Value, json};

use crate::jiandaoyun::ids::{draw, is_within};

const SURNAMES: &[&str] = &["王", "李", "张", "刘", "陈", "欧阳", "上官", "诸葛", "𠮷", "䶮"];
const GIVEN: &[&str] =
    &["伟", "芳", "子涵", "雨桐", "建国", "春晓😀", "·买买提", "O'Neil", "<b>明</b>", "{{伟}}", "\"静\""];
const POSITIONS: &[&str] = &["工程师", "R&D <主管>", "质检员", "司机", ""];
const BAD_PHONES: &[&str] = &["021-66668888", "1380013800", "138001380000", "无", "12800138000", "+86 1380013"];

/// What is wrong with a hire. The first hire has nothing wrong and waits for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// The mobile number is none.
    BadPhone,
    /// There is no name.
    NoName,
    /// The name has more than 64 characters.
    LongName,
    /// There is no user id.
    NoUserid,
    /// The user id has characters that it may not have.
    BadUserid,
    /// The user id is that of an earlier hire, a sound one that waits for no department, but for the case of its letters.
    SameUserid(usize),
    /// The mobile number is that of such an earlier hire.
    SameMobile(usize),
}

/// Which hires there are.
#[derive(Clone, Debug)]
pub struct HireOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many.
    pub count: usize,
    /// Departments that exist.
    pub departments: Vec<u64>,
    /// Departments that appear later.
    pub later: Vec<u64>,
    /// The share of hires in one of the latter.
    pub later_share: f64,
    /// The share with a bad mobile number.
    pub bad_phone_share: f64,
    /// The share with each of the other flaws.
    pub flaw_share: f64,
}

impl Default for HireOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            count: 100,
            departments: vec![1],
            later: Vec::new(),
            later_share: 0.1,
            bad_phone_share: 0.05,
            flaw_share: 0.01,
        }
    }
}

/// One hire.
#[derive(Clone, Debug, PartialEq)]
pub struct Hire {
    /// What is filled in, for [`super::contract_form`].
    pub values: Value,
    /// The user id as filled in.
    pub userid: String,
    /// The name as filled in, without spaces around it.
    pub name: String,
    /// The mobile number as WeCom keeps it; as filled in where it is a bad one.
    pub mobile: String,
    /// The departments.
    pub departments: Vec<u64>,
    /// The position; may be empty.
    pub position: String,
    /// What is wrong.
    pub flaw: Option<Flaw>,
}

/// New hires; of two that have something in common the earlier one is to be created, where nothing else is wrong.
#[must_use]
pub fn hires(options: &HireOptions) -> Vec<Hire> {
    let mut hires: Vec<Hire> = Vec::with_capacity(options.count);
    for number in 0..options.count {
        let hire = hire(options, number, &hires);
        hires.push(hire);
    }
    hires
}

fn hire(options: &HireOptions, number: usize, earlier: &[Hire]) -> Hire {
    let dice = Dice { seed: options.seed, number };
    let flaw = flaw(options, dice, earlier);
    let userid = match flaw {
        Some(Flaw::NoUserid) => String::new(),
        Some(Flaw::BadUserid) => format!("新人 {number}"),
        Some(Flaw::SameUserid(other)) => earlier.get(other).map(|hire| other_case(&hire.userid)).unwrap_or_default(),
        _ => format!("Hire{number:05}.{}", dice.pick(&["wang", "li", "Zhang"], "userid")),
    };
    let mut name = match flaw {
        Some(Flaw::NoName) => String::new(),
        Some(Flaw::LongName) => "长".repeat(65),
        _ => dice.pick(SURNAMES, "surname").to_owned() + dice.pick(GIVEN, "given"),
    };
    // Whoever has the number and the name of somebody is taken for that one.
    if let Some(Flaw::SameMobile(other)) = flaw
        && earlier.get(other).is_some_and(|hire| hire.name == name)
    {
        name.push('二');
    }
    let mobile = match flaw {
        Some(Flaw::BadPhone) => dice.pick(BAD_PHONES, "bad phone").to_owned(),
        Some(Flaw::SameMobile(other)) => earlier.get(other).map(|hire| hire.mobile.clone()).unwrap_or_default(),
        _ => format!("13{:09}", 100_000_000 + number),
    };
    let written = if flaw == Some(Flaw::BadPhone) { mobile.clone() } else { dice.written(&mobile) };
    let departments = dice.departments(options);
    let position = dice.pick(POSITIONS, "position").to_owned();
    let listed = json!(departments).to_string();
    let mut values = json!({ "_widget_1001": dice.spaced(&name), "_widget_1002": written, "_widget_1003": listed });
    if let Value::Object(values) = &mut values {
        for (field, text) in [("_widget_1004", &position), ("_widget_1005", &userid)] {
            // What nobody fills in is not there.
            if !text.is_empty() {
                values.insert(field.to_owned(), Value::from(text.as_str()));
            }
        }
    }
    Hire { values, userid, name, mobile, departments, position, flaw }
}

fn flaw(options: &HireOptions, dice: Dice, earlier: &[Hire]) -> Option<Flaw> {
    if dice.number == 0 {
        return None;
    }
    if dice.happens("bad phone at all", options.bad_phone_share) {
        return Some(Flaw::BadPhone);
    }
    // A sound one that waits for nothing, so that it is clear which of the two is to be created. The first one is.
    let waits = |hire: &Hire| hire.departments.iter().any(|department| options.later.contains(department));
    let reach = dice.place(earlier.len(), "other").map_or(0, |place| place + 1);
    let mut candidates = earlier.iter().take(reach);
    let other = candidates.rposition(|hire| hire.flaw.is_none() && !waits(hire)).unwrap_or_default();
    let flaws = [
        Flaw::NoName,
        Flaw::LongName,
        Flaw::NoUserid,
        Flaw::BadUserid,
        Flaw::SameUserid(other),
        Flaw::SameMobile(other),
    ];
    flaws
        .into_iter()
        .enumerate()
        .find(|(which, _flaw)| dice.happens(&format!("flaw {which}"), options.flaw_share))
        .map(|(_which, flaw)| flaw)
}

/// The same with the case of each letter changed.
fn other_case(text: &str) -> String {
    let turned = |letter: char| {
        if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    };
    text.chars().map(turned).collect()
}

/// Draws for one hire.
#[derive(Clone, Copy)]
struct Dice {
    seed: u64,
    number: usize,
}

impl Dice {
    fn draw(self, what: &str) -> u64 {
        draw(self.seed, &format!("hire {} {what}", self.number))
    }

    fn happens(self, what: &str, share: f64) -> bool {
        is_within(self.draw(what), share)
    }

    /// A place in a list of that length.
    fn place(self, length: usize, what: &str) -> Option<usize> {
        let length = u64::try_from(length).ok().filter(|length| *length > 0)?;
        usize::try_from(self.draw(what) % length).ok()
    }

    fn one_of<T: Copy>(self, list: &[T], what: &str) -> Option<T> {
        list.get(self.place(list.len(), what)?).copied()
    }

    fn pick(self, list: &[&'static str], what: &str) -> &'static str {
        self.one_of(list, what).unwrap_or_default()
    }

    /// One department, or two.
    fn departments(self, options: &HireOptions) -> Vec<u64> {
        let is_later = self.number > 0 && !options.later.is_empty() && self.happens("later", options.later_share);
        let from = if is_later { &options.later } else { &options.departments };
        let mut departments: Vec<u64> = self.one_of(from, "department").into_iter().collect();
        if self.happens("second", 0.2) {
            let second = self.one_of(&options.departments, "second department");
            departments.extend(second.filter(|second| !departments.contains(second)));
        }
        departments
    }

    /// A number of the mainland as people write it.
    fn written(self, mobile: &str) -> String {
        let (head, tail) = mobile.split_at_checked(3).unwrap_or((mobile, ""));
        let (middle, end) = tail.split_at_checked(4).unwrap_or((tail, ""));
        let wide = |digit: char| digit.to_digit(10).and_then(|digit| char::from_u32(0xff10 + digit)).unwrap_or(digit);
        match self.draw("written") % 7 {
            0 => format!("{head} {middle} {end}"),
            1 => format!("{head}-{middle}-{end}"),
            2 => format!("+86{mobile}"),
            3 => format!("0086 {mobile}"),
            4 => mobile.chars().map(wide).collect(),
            _ => mobile.to_owned(),
        }
    }

    fn spaced(self, text: &str) -> String {
        if self.happens("spaced", 0.1) { format!(" {text}\u{3000}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn many() -> Vec<Hire> {
        let departments = HireOptions { departments: vec![1, 2, 3], later: vec![90, 91], ..HireOptions::default() };
        hires(&HireOptions { count: 2_000, flaw_share: 0.02, ..departments })
    }

    #[test]
    fn sound_hires_are_different_and_flawed_ones_have_what_is_said_of_them() {
        let hires = many();
        assert_eq!(hires, many());
        let sound: Vec<&Hire> = hires.iter().filter(|hire| hire.flaw.is_none()).collect();
        let userids: BTreeSet<String> = sound.iter().map(|hire| hire.userid.to_lowercase()).collect();
        let mobiles: BTreeSet<&String> = sound.iter().map(|hire| &hire.mobile).collect();
        assert_eq!((userids.len(), mobiles.len()), (sound.len(), sound.len()));
        for hire in &hires {
            match hire.flaw {
                Some(Flaw::SameUserid(other)) => {
                    let other = &hires[other];
                    assert!(other.flaw.is_none() && other.userid != hire.userid);
                    assert!(other.userid.eq_ignore_ascii_case(&hire.userid));
                }
                Some(Flaw::SameMobile(other)) => {
                    assert_eq!((hires[other].flaw, &hires[other].mobile), (None, &hire.mobile));
                    assert_ne!(hires[other].name, hire.name);
                }
                Some(Flaw::NoUserid) => assert_eq!(hire.values.get("_widget_1005"), None),
                _ => {}
            }
        }
        let bad = hires.iter().filter(|hire| hire.flaw == Some(Flaw::BadPhone)).count();
        assert!((60..140).contains(&bad), "{bad} bad phones");
        let later = hires.iter().filter(|hire| hire.departments.first().is_some_and(|first| *first >= 90)).count();
        assert!((140..260).contains(&later), "{later} in departments that appear later");
    }

    #[test]
    fn numbers_are_written_in_many_ways() {
        let written: Vec<String> =
            many().iter().filter_map(|hire| hire.values["_widget_1002"].as_str().map(str::to_owned)).collect();
        for part in ["+86", "0086 ", " ", "-", "１３"] {
            assert!(written.iter().any(|written| written.contains(part)), "{part}");
        }
    }
}
