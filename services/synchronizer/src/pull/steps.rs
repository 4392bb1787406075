//! The steps of a pull. Each asks once, and writes what it learned together with where the next one begins.

mod by_department;

use std::collections::BTreeMap;

use common::{EntityKey, EntityKind, TenantId, UnixMillis};
use database::Connection;
use futures::future::{join, join_all};
use outbound::Urgency;
use store::snapshots::{self, Half, Hold, Snapshot, Stage};

use super::row::{Row, department, listed, member, merge, within};
use crate::{
    companies::Company,
    contacts::{Answer, Contacts, Failure, Roster, Rows, Seen, Told, Whole},
    desk::Desk,
    questions::{AskedAs, Meant, classify},
    silence,
};

/// Members that are enough for one transaction.
const ENOUGH_ROWS: usize = 2000;

/// Works on the pull of one tenant, which it holds.
pub(crate) struct Puller<'a> {
    desk: &'a Desk,
    company: &'a Company,
    contacts: Contacts,
    /// Departments whose members are asked for together: few at first, and where they are large.
    at_once: i64,
    /// What was asked while the last step was written, and after which department.
    ahead: Option<(Option<String>, Answers)>,
}

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Step {
    /// Here the run goes on.
    Next(Snapshot),
    /// Somebody else took the run.
    Lost,
    /// The platform is silent: the run goes on later, where it was.
    Silent(Failure),
}

/// What a step learned. An entity may be there more than once.
#[derive(Default)]
struct Learned {
    /// What the lists of ids said.
    places: Vec<(EntityKey, Row)>,
    /// What the app said.
    details: Vec<(EntityKey, Row)>,
    /// A list of ids goes on: a member's departments may be on two pages.
    adds: bool,
    /// What is known of this kind is forgotten first.
    clears: Option<EntityKind>,
}

impl Learned {
    fn places(places: Vec<(EntityKey, Row)>) -> Self {
        Self { places, ..Self::default() }
    }

    fn details(details: Vec<(EntityKey, Row)>) -> Self {
        Self { details, ..Self::default() }
    }
}

/// The members of some departments, as they were answered.
type Answers = Vec<(EntityKey, Told<Rows<Seen>>)>;

impl<'a> Puller<'a> {
    pub(crate) fn new(desk: &'a Desk, company: &'a Company) -> Self {
        let contacts = company.contacts.with_urgency(Urgency::Backfill);
        Self { desk, company, contacts, at_once: 1, ahead: None }
    }

    /// Does the next step of a run that is being pulled.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn step(&mut self, at: Snapshot) -> database::Result<Step> {
        match (at.stage, self.contacts.roster()) {
            (Stage::DepartmentIds, Roster::Whole(roster)) => self.department_ids(&roster, at).await,
            (Stage::DepartmentIds, Roster::ByDepartment(roster)) => self.departments_below(&roster, at).await,
            (Stage::MemberIds, Roster::Whole(roster)) => self.member_ids(&roster, at).await,
            (Stage::MemberIds, Roster::ByDepartment(roster)) => self.members_within(&roster, at).await,
            (Stage::DepartmentDetails, _) => self.department_details(at).await,
            (Stage::MemberDetails, _) => self.member_details(at).await,
            (Stage::Idle | Stage::Comparing | Stage::Quarantined | Stage::Allowed, _) => Ok(Step::Next(at)),
        }
    }

    async fn department_ids(&self, roster: &Whole, mut at: Snapshot) -> database::Result<Step> {
        (at.stage, at.place) = (Stage::MemberIds, None);
        let learned = match roster.departments().await {
            Ok(Answer { asked_at, value: Rows { rows, unreadable } }) => {
                at.asked_at = asked_at;
                at.is_whole &= unreadable == 0;
                Learned::places(rows.into_iter().map(|told| listed(told, asked_at)).collect())
            }
            Err(error) => match self.judge(error, AskedAs::Contact, &mut at, &mut false).await {
                Some(step) => return Ok(step),
                None => Learned::default(),
            },
        };
        self.write(at, learned).await
    }

    async fn member_ids(&self, roster: &Whole, mut at: Snapshot) -> database::Result<Step> {
        let learned = match roster.memberships(at.place.as_deref()).await {
            Ok(answer) => {
                let page = answer.value;
                at.is_whole &= page.memberships.unreadable == 0;
                // A place that does not move would be asked for ever.
                let goes_on = page.next.filter(|next| Some(next) != at.place.as_ref());
                if goes_on.is_none() {
                    at.stage = Stage::DepartmentDetails;
                }
                at.place = goes_on;
                let mut departments: BTreeMap<EntityKey, (String, Vec<String>)> = BTreeMap::new();
                for row in page.memberships.rows {
                    let key = EntityKey::member(&row.member);
                    departments.entry(key).or_insert_with(|| (row.member, Vec::new())).1.push(row.department);
                }
                let asked_at = answer.asked_at;
                let row = |(key, (id, departments))| (key, within(id, departments, asked_at));
                Learned { adds: true, ..Learned::places(departments.into_iter().map(row).collect()) }
            }
            Err(error) if error.is_forgotten_place() && at.place.is_some() => {
                at.place = None;
                Learned { clears: Some(EntityKind::Member), ..Learned::default() }
            }
            Err(error) => match self.judge(error, AskedAs::Contact, &mut at, &mut false).await {
                Some(step) => return Ok(step),
                // A member's departments may be on two pages: where one is missing, nobody's are known.
                None => {
                    (at.stage, at.place) = (Stage::DepartmentDetails, None);
                    Learned { clears: Some(EntityKind::Member), ..Learned::default() }
                }
            },
        };
        self.write(at, learned).await
    }

    async fn department_details(&self, mut at: Snapshot) -> database::Result<Step> {
        (at.stage, at.place) = (Stage::MemberDetails, None);
        if !self.contacts.reads_details() {
            at.stage = Stage::Comparing;
            return self.write(at, Learned::default()).await;
        }
        // Where there is no such list each was asked for along with what is below it.
        let Some(told) = self.contacts.departments().await else { return self.write(at, Learned::default()).await };
        let learned = match told {
            Ok(Answer { asked_at, value: Rows { rows, unreadable } }) => {
                at.is_whole &= unreadable == 0;
                Learned::details(rows.into_iter().map(|told| department(told, asked_at)).collect())
            }
            Err(error) => match self.judge(error, AskedAs::App, &mut at, &mut false).await {
                Some(step) => return Ok(step),
                None => Learned::default(),
            },
        };
        self.write(at, learned).await
    }

    /// The members of the next departments. While they are written, those of the departments after them are asked for.
    async fn member_details(&mut self, mut at: Snapshot) -> database::Result<Step> {
        let answers = match self.ahead.take() {
            // Whether the platform is away, or one answer got lost, can be told only now.
            Some((after, answers)) if after == at.place && !answers.iter().any(is_outage) => answers,
            _ => self.ask_after(at.place.as_deref()).await?,
        };
        if answers.is_empty() {
            (at.stage, at.place, at.done_by) = (Stage::Comparing, None, None);
            return self.write(at, Learned::default()).await;
        }
        if at.place.is_none() {
            at.done_by = self.predict().await?;
        }
        let began_at = at.place.clone();
        let (mut learned, mut silent, mut answers_now) = (Vec::new(), None, false);
        for (key, answer) in answers {
            match answer {
                Ok(Answer { asked_at, value: Rows { rows, unreadable } }) => {
                    at.is_whole &= unreadable == 0;
                    learned.extend(rows.into_iter().map(|told| member(told, asked_at)));
                }
                Err(error) => silent = self.judge(error, AskedAs::App, &mut at, &mut answers_now).await,
            }
            // What came before is kept; whoever goes on asks for it again.
            if silent.is_some() {
                break;
            }
            at.place = Some(key.id.to_string());
        }
        let mut beside = Vec::new();
        if silent.is_none()
            && let Roster::ByDepartment(roster) = self.contacts.roster()
        {
            (beside, silent) = self.beside(&roster, &learned, &mut at, &mut answers_now).await?;
            if silent.is_some() {
                at.place = began_at;
            }
        }
        self.at_once = if learned.len() < ENOUGH_ROWS { self.at_once.saturating_mul(2) } else { self.at_once / 2 };
        self.at_once = self.at_once.clamp(1, self.desk.timing.departments.max(1));
        let place = at.place.clone();
        let write = self.write(at, Learned { adds: true, details: learned, ..Learned::places(beside) });
        if silent.is_some() || self.desk.stops() {
            return Ok(match (write.await?, silent) {
                (Step::Next(_), Some(silent)) => silent,
                (written, _) => written,
            });
        }
        let (written, ahead) = join(write, self.ask_after(place.as_deref())).await;
        self.ahead = Some((place, ahead?));
        written
    }

    /// Asks for the members of the departments after one.
    async fn ask_after(&self, place: Option<&str>) -> database::Result<Answers> {
        let departments = self.departments_after(place, self.at_once).await?;
        let ask = |key: EntityKey| async move {
            let answer = self.contacts.members(&key.id).await;
            (key, answer)
        };
        Ok(join_all(departments.into_iter().map(ask)).await)
    }

    /// The departments after one, at most so many.
    async fn departments_after(&self, place: Option<&str>, most: i64) -> database::Result<Vec<EntityKey>> {
        let (tenant, after) = (self.company.tenant.clone(), place.map(EntityKey::department));
        let next = move |conn: &mut Connection| snapshots::page(conn, &tenant, after.as_ref(), most);
        let next = self.desk.context.database.read("synchronizer.next-departments", next).await?;
        let keys = next.into_iter().map(|(key, _)| key);
        Ok(keys.take_while(|key| key.kind == EntityKind::Department).collect())
    }

    /// When the last department will be asked for.
    async fn predict(&self) -> database::Result<Option<UnixMillis>> {
        let tenant = self.company.tenant.clone();
        let count = move |conn: &mut Connection| store::removals::live(conn, &tenant);
        let live = self.desk.context.database.read("synchronizer.predict", count).await?;
        Ok(self.contacts.members_done_by(live.departments.max(1)).await)
    }

    /// What a failure means for the run: it goes on later, or without this answer. What an app does not see is no hole: that it is
    /// there is said by the lists of ids. `answers_now`: the platform was found to answer after this was asked, as it is then noted.
    async fn judge(
        &self,
        error: Failure,
        asked_as: AskedAs,
        at: &mut Snapshot,
        answers_now: &mut bool,
    ) -> Option<Step> {
        let meant = classify(&error, asked_as);
        if matches!(meant, Meant::Silent { .. }) {
            return Some(Step::Silent(error));
        }
        if meant == Meant::Unseen && asked_as == AskedAs::App {
            return None;
        }
        // One answer that got lost is a hole. If all get lost, there is nothing to be gone on with.
        if error.is_outage() && !*answers_now {
            if let Some((_, error)) = silence::probe(self.company).await {
                return Some(Step::Silent(error));
            }
            *answers_now = true;
        }
        at.is_whole = false;
        tracing::warn!(tenant.id = %self.company.tenant, %error, "the directory is pulled without this: nothing is removed by this run");
        None
    }

    /// Writes what was learned and how far the run got, in one transaction.
    async fn write(&self, at: Snapshot, learned: Learned) -> database::Result<Step> {
        fail::fail_point!("synchronizer.asked_before_record");
        let (tenant, owner) = (self.company.tenant.clone(), self.desk.context.instance.clone());
        let (now, until) = self.desk.hold();
        let write = move |conn: &mut Connection| -> database::Result<Step> {
            if !snapshots::advance(conn, &tenant, &at, &Hold { owner: &owner, now, until })? {
                return Ok(Step::Lost);
            }
            if let Some(kind) = learned.clears {
                snapshots::clear(conn, &tenant, Some(kind))?;
            }
            let mut known: BTreeMap<EntityKey, Row> = BTreeMap::new();
            if learned.adds {
                let keys: Vec<EntityKey> = learned.places.iter().map(|(key, _)| key.clone()).collect();
                let stored = snapshots::places(conn, &tenant, &keys)?;
                known.extend(stored.into_iter().filter_map(|(key, text)| Some((key, Row::from_text(&text)?))));
            }
            put(conn, &tenant, Half::Place, (known, learned.places), learned.adds)?;
            put(conn, &tenant, Half::Details, (BTreeMap::new(), learned.details), false)?;
            Ok(Step::Next(at))
        };
        self.desk.context.database.write("synchronizer.pulled", write).await
    }
}

/// Writes one half of what is known of entities: what was known before, and what was learned besides.
fn put(
    conn: &mut Connection,
    tenant: &TenantId,
    half: Half,
    (mut known, learned): (BTreeMap<EntityKey, Row>, Vec<(EntityKey, Row)>),
    adds: bool,
) -> database::Result<()> {
    for (key, row) in learned {
        merge(known.entry(key).or_default(), row, adds);
    }
    if known.is_empty() {
        return Ok(());
    }
    let rows: Vec<(EntityKey, String)> = known.into_iter().map(|(key, row)| (key, row.to_text())).collect();
    snapshots::put(conn, tenant, half, &rows)
}

fn is_outage((_, answer): &(EntityKey, Told<Rows<Seen>>)) -> bool {
    answer.as_ref().is_err_and(Failure::is_outage)
}
