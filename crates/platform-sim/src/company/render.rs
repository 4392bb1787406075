//! What each kind of contact callback carries, by profile (wecom.md 2.1 to 2.7).

use super::Profile;
use crate::xml::{Element, Ink};
use crate::{Department, Gender, Member};

pub(super) fn department_created(department: &Department, profile: Profile) -> Vec<Element> {
    let mut elements = vec![Element::number("Id", &department.id)];
    let parent = department.parent.as_ref().map(|parent| Element::number("ParentId", parent));
    if profile == Profile::Full {
        elements.push(Element::text("Name", &department.name));
        elements.extend(department.order.map(|order| Element::number("Order", order)));
    }
    elements.extend(parent);
    elements
}

/// `None` where nothing changed or the profile keeps silent about it.
pub(super) fn department_updated(before: &Department, after: &Department, profile: Profile) -> Option<Vec<Element>> {
    let moved = before.parent != after.parent;
    let renamed = before.name != after.name && profile == Profile::Full;
    let mut elements = vec![Element::number("Id", &after.id)];
    if renamed {
        elements.push(Element::text("Name", &after.name));
    }
    if moved {
        elements.extend(after.parent.as_ref().map(|parent| Element::number("ParentId", parent)));
    }
    (moved || renamed).then_some(elements)
}

pub(super) fn department_removed(id: &str) -> Vec<Element> {
    vec![Element::number("Id", id)]
}

pub(super) fn member_created(member: &Member, profile: Profile, ink: &mut Ink) -> Vec<Element> {
    let mut elements = vec![Element::text("UserID", &member.id)];
    if profile == Profile::Reduced {
        elements.push(departments(member));
        return elements;
    }
    elements.push(Element::text("Name", &member.name));
    elements.extend(placement(member, ink));
    let present = |name, value: &str| (!value.is_empty()).then(|| Element::text(name, value));
    elements.extend(present("DirectLeader", &member.leaders.join(",")));
    elements.extend(present("Position", &member.title));
    elements.extend(present("Mobile", &member.mobile));
    if member.gender != Gender::Unknown || ink.chance(0.5) {
        elements.push(Element::number("Gender", member.gender.code()));
    }
    elements.extend(present("Email", &member.email));
    elements.push(Element::number("Status", member.status.code()));
    if !member.attributes.is_empty() {
        elements.push(attributes(member, ink));
    }
    elements
}

/// The callback that has been seen to come before a creation: id and departments only.
pub(super) fn member_herald(member: &Member) -> Vec<Element> {
    vec![Element::text("UserID", &member.id), departments(member)]
}

/// `None` where nothing changed or the profile keeps silent about it.
pub(super) fn member_updated(before: &Member, after: &Member, profile: Profile, ink: &mut Ink) -> Option<Vec<Element>> {
    let placed = before.departments != after.departments || before.leads != after.leads;
    let main = before.main_department != after.main_department;
    let mut elements = Vec::new();
    if profile == Profile::Reduced {
        elements.extend((placed || main).then(|| departments(after)));
    } else {
        if placed || main {
            elements.extend(placement(after, ink));
        }
        let (leaders_before, leaders) = (before.leaders.join(","), after.leaders.join(","));
        let mut text = |name, before: &str, after: &str| {
            elements.extend((before != after).then(|| Element::text(name, after)));
        };
        text("Name", &before.name, &after.name);
        text("DirectLeader", &leaders_before, &leaders);
        text("Position", &before.title, &after.title);
        text("Mobile", &before.mobile, &after.mobile);
        text("Email", &before.email, &after.email);
        elements.extend((before.gender != after.gender).then(|| Element::number("Gender", after.gender.code())));
        elements.extend((before.status != after.status).then(|| Element::number("Status", after.status.code())));
        if before.attributes != after.attributes {
            elements.push(attributes(after, ink));
        }
    }
    if elements.is_empty() {
        return None;
    }
    elements.insert(0, Element::text("UserID", &after.id));
    Some(elements)
}

pub(super) fn member_renamed(member: &Member, new_id: &str, profile: Profile, ink: &mut Ink) -> Vec<Element> {
    let mut elements = vec![Element::text("UserID", &member.id), Element::text("NewUserID", new_id)];
    if profile == Profile::Reduced || ink.chance(0.3) {
        elements.push(departments(member));
    }
    elements
}

pub(super) fn member_removed(member: &Member) -> Vec<Element> {
    vec![Element::text("UserID", &member.id)]
}

fn departments(member: &Member) -> Element {
    Element::text("Department", member.departments.join(","))
}

/// Departments, leader flags and main department. They come together, so that a receiver need not guess a main
/// department; where there is one department only, it is sometimes left out, as observed.
fn placement(member: &Member, ink: &mut Ink) -> Vec<Element> {
    let flag = |department: &String| if member.leads.contains(department) { "1" } else { "0" };
    let flags: Vec<&str> = member.departments.iter().map(flag).collect();
    let mut elements = vec![departments(member), Element::text("IsLeaderInDept", flags.join(","))];
    if member.departments.len() > 1 || !ink.chance(0.5) {
        elements.extend(member.main_department.as_ref().map(|main| Element::number("MainDepartment", main)));
    }
    elements
}

fn attributes(member: &Member, ink: &mut Ink) -> Element {
    let items = member.attributes.iter().map(|(name, value)| {
        let name = Element::text("Name", name);
        let text = Element::nested("Text", vec![Element::text("Value", value)]);
        // An older form has no type and the value twice.
        if ink.chance(0.1) {
            return Element::nested("Item", vec![name, Element::text("Value", value), text]);
        }
        Element::nested("Item", vec![name, Element::number("Type", 0), text])
    });
    Element::nested("ExtAttr", items.collect())
}
