//! A company that lives in WeCom: departments, members, and the callbacks that each change of them raises.

mod cards;
mod clock;
mod contacts;
mod departments;
mod import;
mod life;
mod members;
mod names;
mod others;
mod pool;
mod remote;
mod render;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::roster::Roster;
use crate::tree::Tree;
use crate::xml::{Element, Ink};
use crate::{Act, Department, Member, Snapshot, Subject, fold};

use cards::Card;
use clock::Clock;
pub use clock::Pace;
use contacts::Contacts;
use pool::Pool;

/// The greatest number of departments above one (wecom.md 8).
pub(crate) const MAX_DEPTH: u32 = 15;

/// What the callbacks carry (wecom.md 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// All fields, as to a URL that was saved before 2022-08-15.
    #[default]
    Full,
    /// Ids only; renames and changes of personal fields raise no callback at all.
    Reduced,
}

/// How a company is made.
#[derive(Clone, Debug)]
pub struct CompanyOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// The corp id, in each callback's `ToUserName`.
    pub corp_id: String,
    /// The root department's name.
    pub name: String,
    /// What callbacks carry.
    pub profile: Profile,
    /// Where the virtual clock starts, Unix seconds.
    pub start_seconds: i64,
    /// How the clock advances.
    pub pace: Pace,
    /// The clock advances before an entity is changed twice within a second, so that the order stays tellable.
    pub distinct_seconds_per_entity: bool,
    /// XML is written in different shapes: CDATA or plain, element order, indentation, a missing `MainDepartment`.
    pub varied_xml: bool,
    /// `live` sometimes gives a removed or renamed-away user id to a new member.
    pub reuse_member_ids: bool,
    /// The share of members who have a direct leader.
    pub leader_share: f64,
    /// The share of members whose creation is announced by two equal `update_user` before `create_user` (wecom.md 2.10).
    pub heralded_share: f64,
    /// `live` sometimes puts a department under another one.
    pub reorganises: bool,
}

impl Default for CompanyOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            corp_id: "wwbridge0000demo01".to_owned(),
            name: "示例制造有限公司".to_owned(),
            profile: Profile::Full,
            start_seconds: 1_767_225_600,
            pace: Pace::OwnSecond,
            distinct_seconds_per_entity: true,
            varied_xml: true,
            reuse_member_ids: true,
            leader_share: 0.6,
            heralded_share: 0.0,
            reorganises: true,
        }
    }
}

/// One callback that WeCom would push, not encrypted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Its place in the natural order.
    pub sequence: u64,
    /// The virtual time of the change, Unix seconds; also `CreateTime`.
    pub at_seconds: i64,
    /// The XML.
    pub plaintext: String,
    /// What it is about.
    pub subject: Subject,
    /// What happened.
    pub act: Act,
    /// How far below the root its subject is: 1 for a department under the root, one more for its members.
    pub depth: u32,
}

/// Why WeCom refuses an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// There is no such department.
    #[error("department {0} does not exist")]
    UnknownDepartment(String),
    /// There is no such member.
    #[error("member {0} does not exist")]
    UnknownMember(String),
    /// It still has members or departments.
    #[error("department {0} is not empty")]
    NotEmpty(String),
    /// The root cannot be moved or removed.
    #[error("the root department stays where it is")]
    Root,
    /// The department would be below itself.
    #[error("department {0} would be below itself")]
    Cycle(String),
    /// The tree would be deeper than allowed.
    #[error("department {0} would be too deep")]
    TooDeep(String),
    /// A sibling has that name.
    #[error("a department beside it is called {0} already")]
    NameTaken(String),
    /// A department has that id.
    #[error("department id {0} is taken")]
    DepartmentIdTaken(String),
    /// A member has that id.
    #[error("member id {0} is taken")]
    IdTaken(String),
    /// A user id can be changed once.
    #[error("member {0} was renamed before")]
    AlreadyRenamed(String),
    /// It was asked to be kept; only `live` heeds that.
    #[error("{0} is to stay")]
    Kept(String),
    /// A member's fields contradict each other.
    #[error("member {id}: {why}")]
    Inconsistent {
        /// The member.
        id: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// The company. Operations on it are checked as WeCom checks them, and return the callbacks that they raise: none where
/// the profile keeps silent, several where one change entails others.
#[derive(Debug)]
pub struct Company {
    options: CompanyOptions,
    random: StdRng,
    ink: Ink,
    clock: Clock,
    tree: Tree,
    roster: Roster,
    /// For picking one at random in constant time.
    department_pool: Pool,
    member_pool: Pool,
    renamed: HashSet<String>,
    /// What `live` leaves where it is; member ids are folded.
    kept: HashSet<Subject>,
    /// What no callback tells of members, under their folded ids.
    cards: HashMap<String, Card>,
    /// English names of departments that have one.
    names_en: HashMap<String, String>,
    /// Whose numbers and mail addresses they are; only once somebody asked.
    contacts: Option<Contacts>,
    /// Ids of departments that were not the next ones.
    chosen_departments: HashSet<u64>,
    free_ids: Vec<String>,
    next_department: u64,
    next_person: u64,
    next_sequence: u64,
}

impl Company {
    /// A company with a root department and nobody in it.
    #[must_use]
    pub fn new(options: CompanyOptions) -> Self {
        Self {
            random: StdRng::seed_from_u64(options.seed),
            ink: Ink::new(options.seed ^ 0x1_4e4b, options.varied_xml),
            clock: Clock::new(options.start_seconds, options.pace, options.distinct_seconds_per_entity),
            tree: Tree::new(&options.name),
            roster: Roster::default(),
            department_pool: Pool::new([crate::ROOT.to_owned()]),
            member_pool: Pool::default(),
            renamed: HashSet::new(),
            kept: HashSet::new(),
            cards: HashMap::new(),
            names_en: HashMap::new(),
            contacts: None,
            chosen_departments: HashSet::new(),
            free_ids: Vec::new(),
            next_department: 2,
            next_person: 1,
            next_sequence: 0,
            options,
        }
    }

    /// The truth.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { departments: self.tree.all().clone(), members: self.roster.all().clone() }
    }

    /// The number of departments, the root included.
    #[must_use]
    pub fn department_count(&self) -> usize {
        self.tree.all().len()
    }

    /// The number of members.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.roster.all().len()
    }

    /// A member by id.
    #[must_use]
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.roster.get(id)
    }

    /// A department by id.
    #[must_use]
    pub fn department(&self, id: &str) -> Option<&Department> {
        self.tree.get(id)
    }

    /// All departments, for reading without a copy.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// All members, for reading without a copy.
    pub(crate) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The corp id.
    #[must_use]
    pub fn corp_id(&self) -> &str {
        &self.options.corp_id
    }

    /// The virtual time, Unix seconds.
    #[must_use]
    pub fn now_seconds(&self) -> i64 {
        self.clock.now_seconds()
    }

    /// Sets the virtual time; the next operation happens then or later.
    pub fn set_now_seconds(&mut self, seconds: i64) {
        self.clock.set(seconds);
    }

    /// Changes how the clock advances.
    pub fn set_pace(&mut self, pace: Pace) {
        self.clock.set_pace(pace);
    }

    /// Changes what callbacks carry, as saving the callback URL again does.
    pub fn set_profile(&mut self, profile: Profile) {
        self.options.profile = profile;
    }

    /// From now on `live` neither removes this department or member nor changes its id. Anything else may happen to it.
    pub fn keep(&mut self, subject: Subject) {
        self.kept.insert(match subject {
            Subject::Member(id) => Subject::Member(fold(&id)),
            other => other,
        });
    }

    fn tick(&mut self, writes: &[String], reads: &[String]) -> i64 {
        self.clock.tick(writes, reads)
    }

    fn callback(&mut self, at_seconds: i64, subject: Subject, act: Act, depth: u32, document: Document) -> Callback {
        let header = vec![
            Element::text("ToUserName", self.options.corp_id.clone()),
            Element::text("FromUserName", "sys"),
            Element::number("CreateTime", at_seconds),
            Element::text("MsgType", "event"),
            Element::text("Event", document.event),
        ];
        let plaintext = self.ink.document(header, document.elements);
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        Callback { sequence, at_seconds, plaintext, subject, act, depth }
    }

    fn member_depth(&self, member: &Member) -> u32 {
        1 + member.departments.iter().map(|department| self.tree.depth(department)).max().unwrap_or_default()
    }
}

/// What stands in a callback besides the common header.
#[derive(Debug)]
struct Document {
    event: &'static str,
    elements: Vec<Element>,
}

impl Document {
    fn contact(change_type: &str, mut elements: Vec<Element>) -> Self {
        elements.insert(0, Element::text("ChangeType", change_type));
        Self { event: "change_contact", elements }
    }
}

/// The clock's names of what an operation touches.
fn member_key(id: &str) -> String {
    format!("m{}", fold(id))
}

/// Written when an id ends, read by whoever names it: both in one second could not be told apart.
fn identity_key(id: &str) -> String {
    format!("i{}", fold(id))
}

fn department_key(id: &str) -> String {
    format!("d{id}")
}
