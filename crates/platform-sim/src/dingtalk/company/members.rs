//! Operations on members, and the events of them (reference dingtalk 3.2).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::events::Event;
use super::super::{ids, time};
use super::{Company, Department, Illegal, Member, Post, population};

/// How much earlier than the event a change is stamped, in ms.
const STAMP_LAG_MS: i64 = 23;

/// Somebody who is to be hired. What is not given is made up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMember {
    /// The user id.
    pub userid: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The mobile number.
    pub mobile: Option<String>,
    /// The employee number.
    pub job_number: Option<String>,
    /// The position.
    pub title: String,
    /// The direct superior; empty without one.
    pub manager: String,
    /// The departments, at least one.
    pub departments: Vec<i64>,
}

impl NewMember {
    /// Anybody, in these departments.
    #[must_use]
    pub fn in_departments(departments: &[i64]) -> Self {
        Self { departments: departments.to_vec(), ..Self::default() }
    }
}

impl Company {
    /// Hires somebody, or somebody again; the user id comes with the events.
    ///
    /// # Errors
    /// [`Illegal`] if the id is taken or a department or the superior does not exist.
    pub fn hire(&mut self, new: NewMember) -> Result<(String, Vec<Event>), Illegal> {
        let number = self.numbers.person;
        let userid = new.userid.unwrap_or_else(|| format!("user{number:04}"));
        if self.members.contains_key(&userid) {
            return Err(Illegal::IdTaken(userid));
        }
        let posts = self.posts(&userid, &new.departments)?;
        if !new.manager.is_empty() {
            self.present(&new.manager)?;
        }
        self.numbers.person += 1;
        let now_ms = self.tick();
        let member = Member {
            unionid: ids::hex(&format!("union/{}/{userid}", self.options.corp_id)),
            name: new.name.unwrap_or_else(|| population::name(number)),
            mobile: new.mobile.unwrap_or_else(|| format!("138{number:08}")),
            job_number: new.job_number.unwrap_or_else(|| format!("A{number:05}")),
            title: new.title,
            email: String::new(),
            org_email: String::new(),
            telephone: String::new(),
            work_place: String::new(),
            remark: String::new(),
            avatar: String::new(),
            manager: new.manager,
            posts,
            extension: BTreeMap::new(),
            hired_ms: time::midnight(&time::date(now_ms)).unwrap_or(now_ms),
            active: true,
            admin: false,
            in_scope: true,
            readable_from_ms: now_ms.saturating_add(self.options.entity_lag_ms),
            userid: userid.clone(),
        };
        self.former.remove(&userid);
        self.members.insert(userid.clone(), member);
        let event = self.tell_member("user_add_org", &userid, now_ms, None);
        Ok((userid, vec![event]))
    }

    /// Changes anything of a member but the user id. A portrait alone raises no event.
    ///
    /// # Errors
    /// [`Illegal`] if the member or one of the departments does not exist, or there would be no department.
    pub fn update_member(&mut self, userid: &str, edit: impl FnOnce(&mut Member)) -> Result<Vec<Event>, Illegal> {
        let before = self.present(userid)?.clone();
        let mut after = before.clone();
        edit(&mut after);
        after.userid.clone_from(&before.userid);
        if after.posts.is_empty() {
            return Err(Illegal::Nowhere(before.userid));
        }
        for post in &after.posts {
            self.existing(post.department)?;
        }
        let now_ms = self.tick();
        self.members.insert(before.userid.clone(), after.clone());
        let visible = Member { avatar: before.avatar.clone(), ..after.clone() } != before;
        let diff = diff(&before, &after);
        Ok(Vec::from_iter(visible.then(|| self.tell_member("user_modify_org", &before.userid, now_ms, Some(diff)))))
    }

    /// Puts a member into other departments.
    ///
    /// # Errors
    /// [`Illegal`] as for an update.
    pub fn move_member(&mut self, userid: &str, departments: &[i64]) -> Result<Vec<Event>, Illegal> {
        let posts = self.posts(userid, departments)?;
        self.update_member(userid, |member| member.posts = posts)
    }

    /// A member leaves. Departments and people that the member led lose that, and say so.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such member.
    pub fn leave(&mut self, userid: &str) -> Result<Vec<Event>, Illegal> {
        self.present(userid)?;
        let managed = |department: &&Department| department.managers.iter().any(|manager| manager == userid);
        let managed: Vec<i64> = self.departments.values().filter(managed).map(|department| department.id).collect();
        let led = self.members.values().filter(|member| member.manager == userid);
        let led: Vec<String> = led.map(|member| member.userid.clone()).collect();
        let mut events = Vec::new();
        for id in managed {
            let retain = |department: &mut Department| department.managers.retain(|manager| manager != userid);
            events.extend(self.change_department(id, retain)?);
        }
        for member in led {
            events.extend(self.update_member(&member, |member| member.manager.clear())?);
        }
        let now_ms = self.tick();
        self.members.remove(userid);
        self.former.insert(userid.to_owned());
        events.push(self.tell_member("user_leave_org", userid, now_ms, None));
        Ok(events)
    }

    /// Makes a member an administrator, or not.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such member.
    pub fn set_admin(&mut self, userid: &str, admin: bool) -> Result<Vec<Event>, Illegal> {
        let member = self.members.get_mut(userid).ok_or_else(|| Illegal::UnknownMember(userid.to_owned()))?;
        member.admin = admin;
        let now_ms = self.tick();
        let kind = if admin { "org_admin_add" } else { "org_admin_remove" };
        Ok(vec![self.tell_member(kind, userid, now_ms, None)])
    }

    pub(super) fn present(&self, userid: &str) -> Result<&Member, Illegal> {
        self.members.get(userid).ok_or_else(|| Illegal::UnknownMember(userid.to_owned()))
    }

    fn posts(&mut self, userid: &str, departments: &[i64]) -> Result<Vec<Post>, Illegal> {
        if departments.is_empty() {
            return Err(Illegal::Nowhere(userid.to_owned()));
        }
        for id in departments {
            self.existing(*id)?;
        }
        let post = |department: &i64| Post { department: *department, order: self.next_order(), leader: false };
        Ok(departments.iter().map(post).collect())
    }

    /// `diffInfo` is an array in captures and an object in the documentation; here it is one or the other.
    fn tell_member(&mut self, kind: &str, userid: &str, now_ms: i64, diff: Option<Value>) -> Event {
        let stamp = now_ms.saturating_sub(STAMP_LAG_MS).to_string();
        let mut data = json!({"timeStamp": stamp, "userId": [userid]});
        if let (Some(diff), Some(data)) = (diff, data.as_object_mut()) {
            let diff = if self.numbers.event.is_multiple_of(4) { diff } else { Value::Array(vec![diff]) };
            data.insert("diffInfo".to_owned(), diff);
        }
        self.raise(kind, now_ms, data)
    }
}

/// What `diffInfo` tells: not the departments, and no field that is empty.
fn diff(before: &Member, after: &Member) -> Value {
    let (prev, curr) = (told(before), told(after));
    let only = |these: &Map<String, Value>, those: &Map<String, Value>| -> Map<String, Value> {
        these
            .iter()
            .filter(|(name, value)| those.get(*name) != Some(*value))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    };
    json!({"prev": only(&prev, &curr), "curr": only(&curr, &prev), "userid": after.userid})
}

fn told(member: &Member) -> Map<String, Value> {
    let fields = [
        ("name", &member.name),
        ("email", &member.email),
        ("jobNumber", &member.job_number),
        ("workPlace", &member.work_place),
        ("remark", &member.remark),
        ("telephone", &member.telephone),
        ("managerUserid", &member.manager),
    ];
    let filled = fields.into_iter().filter(|(_name, value)| !value.is_empty());
    let mut told: Map<String, Value> = filled.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    told.insert("hiredDate".to_owned(), json!(time::date(member.hired_ms)));
    if !member.extension.is_empty() {
        told.insert("extFields".to_owned(), json!(json!(member.extension).to_string()));
    }
    told
}
