//! Puts the calls of a plan to the platform, and sorts what comes back by whom it is about.

mod listing;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use common::{EntityKey, EntityMap};
use tokio_util::sync::CancellationToken;

pub(crate) use self::listing::{Listing, lists, look_up};
use super::{
    Call,
    classify::{AskedAs, Meant, classify},
    known::Spelled,
    settle::Details,
};
use crate::{
    companies::Company,
    contacts::{Failure, Rows, Seen, Told},
};

/// So many calls that got lost, and none that was answered, end a round.
const LOST_MAX: u32 = 16;

/// What came back about one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// What the app says.
    Details(Details),
    /// A list did not answer it: it is to be asked for by itself.
    Singly,
    /// No answer: ask again, not before this.
    Later(Duration),
    /// Nothing was asked, or nothing follows from what was answered.
    Skipped,
}

/// Ends a round early: the platform is silent or seems to be, or the process stops.
#[derive(Debug)]
pub(crate) struct Halt {
    stop: CancellationToken,
    silent: OnceLock<(Duration, Failure)>,
    /// Calls that got lost, since the last one that was answered.
    lost: AtomicU32,
}

impl Halt {
    pub(crate) const fn new(stop: CancellationToken) -> Self {
        Self { stop, silent: OnceLock::new(), lost: AtomicU32::new(0) }
    }

    /// Why the platform is silent, and how long it is to be left alone.
    pub(crate) fn silent(&self) -> Option<&(Duration, Failure)> {
        self.silent.get()
    }

    fn is_on(&self) -> bool {
        self.stop.is_cancelled() || self.silent.get().is_some() || self.lost.load(Ordering::Relaxed) >= LOST_MAX
    }

    /// Notes that the platform answers.
    fn answered(&self) {
        self.lost.store(0, Ordering::Relaxed);
    }

    /// What a failure means; a silence ends the round.
    fn judge(&self, error: &Failure, asked_as: AskedAs) -> Meant {
        let meant = classify(error, asked_as);
        if let Meant::Silent { after } = meant {
            // Whoever noticed first is as right as the others.
            drop(self.silent.set((after, error.clone())));
        } else if error.is_outage() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        meant
    }
}

/// Puts one call, and says what came back about each that it asks about.
pub(crate) async fn details(
    company: Arc<Company>,
    call: Call,
    spelled: Arc<Spelled>,
    halt: Arc<Halt>,
) -> Vec<(EntityKey, Asked)> {
    if halt.is_on() {
        return all(about(&call), Asked::Skipped);
    }
    match call {
        Call::Member(about) => {
            let asked = single(company.contacts.member(spelled.of(&about)).await, &halt);
            vec![(about, asked)]
        }
        Call::Department(about) => {
            let asked = single(company.contacts.department(&about.id).await, &halt);
            vec![(about, asked)]
        }
        Call::MembersOf { department, about } => members_of(&company, &department, about, &halt).await,
        Call::Departments(about) => departments(&company, about, &halt).await,
    }
}

fn about(call: &Call) -> Vec<EntityKey> {
    match call {
        Call::Member(about) | Call::Department(about) => vec![about.clone()],
        Call::MembersOf { about, .. } | Call::Departments(about) => about.clone(),
    }
}

fn all(about: Vec<EntityKey>, asked: Asked) -> Vec<(EntityKey, Asked)> {
    about.into_iter().map(|about| (about, asked.clone())).collect()
}

fn single(asked: Told<Seen>, halt: &Halt) -> Asked {
    let error = match asked {
        Ok(answer) => {
            halt.answered();
            return Asked::Details(Details::Told(answer.asked_at, answer.value));
        }
        Err(error) => error,
    };
    match halt.judge(&error, AskedAs::App) {
        Meant::Silent { .. } => Asked::Skipped,
        Meant::Later { after } => Asked::Later(after),
        Meant::Unseen if error.is_gone() => Asked::Details(Details::Gone),
        Meant::Unseen if error.is_hidden() => Asked::Details(Details::Hidden),
        Meant::Unseen => Asked::Details(Details::Unseen),
        Meant::TooMuch => Asked::Later(Duration::ZERO),
    }
}

async fn members_of(
    company: &Company,
    department: &str,
    about: Vec<EntityKey>,
    halt: &Halt,
) -> Vec<(EntityKey, Asked)> {
    // A list that leaves something out answers nobody.
    if company.contacts.lists_in_part() {
        return all(about, Asked::Singly);
    }
    let answer = match company.contacts.members(department).await {
        Ok(answer) => answer,
        Err(error) => {
            let asked = match halt.judge(&error, AskedAs::App) {
                Meant::Silent { .. } => Asked::Skipped,
                Meant::Later { after } => Asked::Later(after),
                Meant::Unseen => Asked::Singly,
                Meant::TooMuch => {
                    company.memory().too_large.insert(department.to_owned());
                    Asked::Singly
                }
            };
            return all(about, asked);
        }
    };
    halt.answered();
    let mut seen: EntityMap<Seen> =
        answer.value.rows.into_iter().map(|member| (EntityKey::member(&member.id), member)).collect();
    // Who is not in it has moved, or never was there.
    let mut of = |key: &EntityKey| match seen.remove(key) {
        Some(seen) => Asked::Details(Details::Told(answer.asked_at, seen)),
        None => Asked::Singly,
    };
    about.into_iter().map(|key| (key.clone(), of(&key))).collect()
}

async fn departments(company: &Company, about: Vec<EntityKey>, halt: &Halt) -> Vec<(EntityKey, Asked)> {
    // Where there is no such list each is asked for by itself.
    let Some(answer) = company.contacts.departments().await else { return all(about, Asked::Singly) };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let asked = match halt.judge(&error, AskedAs::App) {
                Meant::Silent { .. } => Asked::Skipped,
                Meant::Later { after } => Asked::Later(after),
                Meant::Unseen => Asked::Details(Details::Unseen),
                Meant::TooMuch => Asked::Singly,
            };
            return all(about, asked);
        }
    };
    halt.answered();
    let Rows { rows, unreadable } = answer.value;
    let mut seen: EntityMap<Seen> =
        rows.into_iter().map(|department| (EntityKey::department(&department.id), department)).collect();
    let mut of = |key: &EntityKey| match seen.remove(key) {
        Some(seen) => Asked::Details(Details::Told(answer.asked_at, seen)),
        None if unreadable == 0 => Asked::Details(Details::Unseen),
        None => Asked::Singly,
    };
    about.into_iter().map(|key| (key.clone(), of(&key))).collect()
}
