//! Operations on members.

use super::{Callback, Company, Document, Illegal, identity_key, member_key, render};
use crate::{Act, Member, Subject, fold};

/// More direct leaders are refused by WeCom (60257).
const MAX_LEADERS: usize = 5;

impl Company {
    /// Creates a member.
    ///
    /// # Errors
    /// [`Illegal`] if the id is taken or the fields contradict each other or name what does not exist.
    pub fn create_member(&mut self, member: Member) -> Result<Vec<Callback>, Illegal> {
        if self.roster.contains(&member.id) {
            return Err(Illegal::IdTaken(member.id));
        }
        self.consistent(&member)?;
        let at_seconds = self.tick(&[member_key(&member.id)], &leaders_of(&member));
        let depth = self.member_depth(&member);
        let subject = Subject::Member(member.id.clone());
        let mut callbacks = Vec::new();
        if self.ink.chance(self.options.heralded_share) {
            let elements = render::member_herald(&member);
            let document = Document::contact("update_user", elements);
            let herald = self.callback(at_seconds, subject.clone(), Act::Update, depth, document);
            callbacks.extend([herald.clone(), herald]);
        }
        let elements = render::member_created(&member, self.options.profile, &mut self.ink);
        callbacks.push(self.callback(
            at_seconds,
            subject,
            Act::Create,
            depth,
            Document::contact("create_user", elements),
        ));
        self.admit(member);
        Ok(callbacks)
    }

    /// Takes a member in whose fields are known to be sound.
    pub(super) fn admit(&mut self, member: Member) {
        self.member_pool.add(fold(&member.id));
        self.contacts_changed(None, Some(&member));
        self.roster.put(member);
    }

    /// Changes anything of a member but its id. Departments, leaders and all other fields as `edit` leaves them.
    ///
    /// # Errors
    /// [`Illegal`] if it is unknown or would be inconsistent.
    pub fn update_member(&mut self, id: &str, edit: impl FnOnce(&mut Member)) -> Result<Vec<Callback>, Illegal> {
        let before = self.roster.get(id).cloned().ok_or_else(|| Illegal::UnknownMember(id.to_owned()))?;
        let mut after = before.clone();
        edit(&mut after);
        after.id.clone_from(&before.id);
        self.consistent(&after)?;
        let at_seconds = self.tick(&[member_key(id)], &leaders_of(&after));
        let depth = self.member_depth(&after);
        let elements = render::member_updated(&before, &after, self.options.profile, &mut self.ink);
        self.contacts_changed(Some(&before), Some(&after));
        self.roster.put(after);
        let subject = Subject::Member(before.id);
        let callback = elements.map(|elements| {
            self.callback(at_seconds, subject, Act::Update, depth, Document::contact("update_user", elements))
        });
        Ok(Vec::from_iter(callback))
    }

    /// Puts a member into other departments; the first becomes its main one.
    ///
    /// # Errors
    /// [`Illegal`] as for an update.
    pub fn move_member(&mut self, id: &str, departments: &[&str]) -> Result<Vec<Callback>, Illegal> {
        self.update_member(id, |member| {
            member.departments = departments.iter().map(|id| (*id).to_owned()).collect();
            member.main_department = member.departments.first().cloned();
            member.leads.retain(|led| departments.contains(&led.as_str()));
        })
    }

    /// Changes a user id, which WeCom allows once per member. Direct leaders follow silently.
    ///
    /// # Errors
    /// [`Illegal`] if it is unknown, was renamed before, or the new id is taken.
    pub fn rename_member(&mut self, id: &str, new_id: &str) -> Result<Vec<Callback>, Illegal> {
        let member = self.roster.get(id).cloned().ok_or_else(|| Illegal::UnknownMember(id.to_owned()))?;
        if self.renamed.contains(&fold(id)) {
            return Err(Illegal::AlreadyRenamed(id.to_owned()));
        }
        if self.roster.contains(new_id) {
            return Err(Illegal::IdTaken(new_id.to_owned()));
        }
        let at_seconds = self.tick(&[member_key(id), identity_key(id), member_key(new_id), identity_key(new_id)], &[]);
        let depth = self.member_depth(&member);
        let elements = render::member_renamed(&member, new_id, self.options.profile, &mut self.ink);
        self.roster.rename(id, new_id);
        self.contacts_changed(Some(&member), Some(&Member { id: new_id.to_owned(), ..member.clone() }));
        self.hand_card_over(id, Some(new_id));
        self.member_pool.remove(&fold(id));
        self.member_pool.add(fold(new_id));
        self.renamed.insert(fold(new_id));
        self.free_ids.push(member.id.clone());
        let document = Document::contact("update_user", elements);
        Ok(vec![self.callback(at_seconds, Subject::Member(member.id), Act::Update, depth, document)])
    }

    /// Removes a member. Whoever has it as direct leader loses it first, with callbacks of their own.
    ///
    /// # Errors
    /// [`Illegal`] if it is unknown.
    pub fn remove_member(&mut self, id: &str) -> Result<Vec<Callback>, Illegal> {
        let member = self.roster.get(id).cloned().ok_or_else(|| Illegal::UnknownMember(id.to_owned()))?;
        let mut callbacks = Vec::new();
        for report in self.roster.reports_of(id) {
            let without = |member: &mut Member| member.leaders.retain(|leader| fold(leader) != fold(id));
            callbacks.extend(self.update_member(&report, without)?);
        }
        let at_seconds = self.tick(&[member_key(id), identity_key(id)], &[]);
        let depth = self.member_depth(&member);
        self.roster.take(id);
        self.contacts_changed(Some(&member), None);
        self.hand_card_over(id, None);
        self.member_pool.remove(&fold(id));
        self.renamed.remove(&fold(id));
        self.free_ids.push(member.id.clone());
        let document = Document::contact("delete_user", render::member_removed(&member));
        callbacks.push(self.callback(at_seconds, Subject::Member(member.id), Act::Remove, depth, document));
        Ok(callbacks)
    }

    fn consistent(&self, member: &Member) -> Result<(), Illegal> {
        let refuse = |why| Err(Illegal::Inconsistent { id: member.id.clone(), why });
        for (index, department) in member.departments.iter().enumerate() {
            self.known_department(department)?;
            if member.departments.iter().skip(index + 1).any(|other| other == department) {
                return refuse("a department twice");
            }
        }
        if member.departments.is_empty() || member.id.is_empty() || member.name.is_empty() {
            return refuse("no department, id or name");
        }
        if !member.main_department.as_ref().is_some_and(|main| member.departments.contains(main)) {
            return refuse("the main department is not one of its own");
        }
        if !member.leads.iter().all(|led| member.departments.contains(led)) {
            return refuse("it leads a department that it is not in");
        }
        if member.leaders.len() > MAX_LEADERS || member.leaders.iter().any(|leader| fold(leader) == fold(&member.id)) {
            return refuse("too many leaders, or its own leader");
        }
        match member.leaders.iter().find(|leader| !self.roster.contains(leader)) {
            Some(leader) => Err(Illegal::UnknownMember(leader.clone())),
            None => Ok(()),
        }
    }
}

fn leaders_of(member: &Member) -> Vec<String> {
    member.leaders.iter().map(|leader| identity_key(leader)).collect()
}
