//! The OA's own directory. It takes a message whole or not at all.

use crate::message::Message;
use crate::roster::Roster;
use crate::tree::Tree;
use crate::{Act, Department, Gender, Member, ROOT, Snapshot, Status, Subject, ViolationKind, fold};

/// Why a message could not be applied.
pub(super) struct Fault {
    pub(super) kind: ViolationKind,
    pub(super) detail: String,
}

impl Fault {
    fn new(kind: ViolationKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

type Result<T> = std::result::Result<T, Fault>;

pub(super) struct Directory {
    tree: Tree,
    roster: Roster,
    strict_leaders: bool,
}

impl Directory {
    pub(super) fn new(strict_leaders: bool) -> Self {
        Self { tree: Tree::new(""), roster: Roster::default(), strict_leaders }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { departments: self.tree.all().clone(), members: self.roster.all().clone() }
    }

    pub(super) fn apply(&mut self, message: &Message, subject: &Subject, act: Act) -> Result<()> {
        match subject {
            Subject::Department(id) if id.is_empty() => Err(Fault::new(ViolationKind::Malformed, "Id is missing")),
            Subject::Member(id) if id.is_empty() => Err(Fault::new(ViolationKind::Malformed, "UserID is missing")),
            Subject::Department(id) => self.department(message, id, act),
            Subject::Member(id) => self.member(message, id, act),
            Subject::Other => Ok(()),
        }
    }

    fn department(&mut self, message: &Message, id: &str, act: Act) -> Result<()> {
        let known = self.tree.get(id).cloned();
        match (act, known) {
            (Act::Create, None) => self.create_department(message, id),
            (Act::Create, Some(known)) => {
                let same = department_of(message, id).is_ok_and(|department| department == known);
                Err(Fault::new(if same { ViolationKind::Doubled } else { ViolationKind::AlreadyThere }, id))
            }
            (_, None) => Err(Fault::new(ViolationKind::NotThere, id)),
            (Act::Remove, Some(_known)) => self.remove_department(id),
            (_, Some(_known)) => self.update_department(message, id),
        }
    }

    fn create_department(&mut self, message: &Message, id: &str) -> Result<()> {
        let department = department_of(message, id)?;
        let parent = department.parent.as_deref().unwrap_or_default();
        if !self.tree.contains(parent) {
            return Err(Fault::new(ViolationKind::SentBeforeReference, parent));
        }
        self.tree.add(department);
        Ok(())
    }

    fn update_department(&mut self, message: &Message, id: &str) -> Result<()> {
        if let Some(parent) = message.field("ParentId").map(str::trim) {
            if !self.tree.contains(parent) {
                return Err(Fault::new(ViolationKind::SentBeforeReference, parent));
            }
            if id == ROOT || self.tree.is_within(parent, id) {
                return Err(Fault::new(ViolationKind::Cycle, parent));
            }
            self.tree.relocate(id, parent);
        }
        if let Some(name) = message.field("Name") {
            self.tree.rename(id, name);
        }
        if let Some(order) = message.field("Order").and_then(|order| order.trim().parse().ok()) {
            self.tree.reorder(id, order);
        }
        Ok(())
    }

    fn remove_department(&mut self, id: &str) -> Result<()> {
        if id == ROOT || self.tree.has_children(id) || self.roster.occupies(id) {
            return Err(Fault::new(ViolationKind::NotEmpty, id));
        }
        self.tree.remove(id);
        Ok(())
    }

    fn member(&mut self, message: &Message, id: &str, act: Act) -> Result<()> {
        let known = self.roster.get(id).cloned();
        match (act, known) {
            (Act::Create, None) => {
                let member = self.edited(Member { id: id.to_owned(), ..Member::default() }, message)?;
                if member.departments.is_empty() {
                    return Err(Fault::new(ViolationKind::Malformed, "Department is missing"));
                }
                self.roster.put(member);
                Ok(())
            }
            (Act::Create, Some(known)) => {
                let anew = self.edited(Member { id: id.to_owned(), ..Member::default() }, message);
                let same = anew.is_ok_and(|anew| anew == known);
                Err(Fault::new(if same { ViolationKind::Doubled } else { ViolationKind::AlreadyThere }, id))
            }
            (_, None) => Err(Fault::new(ViolationKind::NotThere, id)),
            (Act::Remove, Some(_known)) => {
                self.roster.dismiss(id);
                Ok(())
            }
            (_, Some(known)) => self.update_member(message, known),
        }
    }

    fn update_member(&mut self, message: &Message, known: Member) -> Result<()> {
        let old_id = known.id.clone();
        let member = self.edited(known, message)?;
        let Some(new_id) = message.field("NewUserID").map(str::trim) else {
            self.roster.put(member);
            return Ok(());
        };
        if new_id.is_empty() {
            return Err(Fault::new(ViolationKind::Malformed, "NewUserID is empty"));
        }
        if fold(new_id) != fold(&old_id) && self.roster.contains(new_id) {
            return Err(Fault::new(ViolationKind::AlreadyThere, new_id));
        }
        self.roster.put(member);
        self.roster.rename(&old_id, new_id);
        Ok(())
    }

    /// The member with the elements of a message; what is absent stays as it is.
    fn edited(&self, mut member: Member, message: &Message) -> Result<Member> {
        self.place(&mut member, message)?;
        if let Some(leaders) = message.list("DirectLeader") {
            let unknown = leaders.iter().find(|leader| !self.roster.contains(leader));
            if let Some(leader) = unknown.filter(|_leader| self.strict_leaders) {
                return Err(Fault::new(ViolationKind::SentBeforeReference, leader.as_str()));
            }
            member.leaders = leaders;
        }
        let copy = |name, target: &mut String| {
            if let Some(text) = message.field(name) {
                text.clone_into(target);
            }
        };
        copy("Name", &mut member.name);
        copy("Position", &mut member.title);
        copy("Mobile", &mut member.mobile);
        copy("Email", &mut member.email);
        if let Some(code) = message.field("Gender") {
            member.gender = Gender::from_code(code.trim()).ok_or_else(|| unreadable("Gender"))?;
        }
        if let Some(code) = message.field("Status") {
            member.status = Status::from_code(code.trim()).ok_or_else(|| unreadable("Status"))?;
        }
        if let Some(attributes) = &message.attributes {
            member.attributes.clone_from(attributes);
        }
        Ok(member)
    }

    /// Departments, leader flags and main department.
    fn place(&self, member: &mut Member, message: &Message) -> Result<()> {
        if let Some(departments) = message.list("Department") {
            if let Some(missing) = departments.iter().find(|id| !self.tree.contains(id)) {
                return Err(Fault::new(ViolationKind::SentBeforeReference, missing.as_str()));
            }
            member.leads.retain(|led| departments.contains(led));
            member.departments = departments;
        }
        if let Some(flags) = message.list("IsLeaderInDept") {
            if flags.len() != member.departments.len() {
                return Err(unreadable("IsLeaderInDept"));
            }
            let led = member.departments.iter().zip(flags).filter(|(_id, flag)| flag == "1");
            member.leads = led.map(|(id, _flag)| id.clone()).collect();
        }
        if let Some(main) = message.field("MainDepartment").map(str::trim) {
            if !main.is_empty() && !member.departments.iter().any(|id| id == main) {
                return Err(Fault::new(ViolationKind::Malformed, "MainDepartment is none of its departments"));
            }
            member.main_department = Some(main.to_owned()).filter(|main| !main.is_empty());
        }
        member.main_department = match member.departments.as_slice() {
            [only] => Some(only.clone()),
            several => member.main_department.take().filter(|main| several.contains(main)),
        };
        Ok(())
    }
}

fn department_of(message: &Message, id: &str) -> Result<Department> {
    let parent = message.field("ParentId").map(str::trim).ok_or_else(|| unreadable("ParentId"))?;
    let order = message.field("Order").map(|order| order.trim().parse()).transpose();
    let order = order.map_err(|_error| unreadable("Order"))?;
    let name = message.field("Name").unwrap_or_default().to_owned();
    Ok(Department { id: id.to_owned(), name, parent: Some(parent.to_owned()), order })
}

fn unreadable(element: &str) -> Fault {
    Fault::new(ViolationKind::Malformed, format!("{element} cannot be understood"))
}
