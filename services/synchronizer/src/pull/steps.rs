//! The steps of a pull. Each asks once, and writes what it learned together with where the next one begins.

use std::collections::BTreeMap;

use common::{EntityKey, EntityKind, Field, Fields, UnixMillis};
use database::Connection;
use outbound::Urgency;
use store::snapshots::{self, Hold, Snapshot, Stage};
use wecom::api::{Answer, ApiError, Client, Department, Meaning, Rows};

use super::row::{Part, Row, department, member};
use crate::{
    companies::Company,
    desk::Desk,
    questions::{AskedAs, Meant, classify},
    silence,
};

/// Works on the pull of one tenant, which it holds.
pub(crate) struct Puller<'a> {
    desk: &'a Desk,
    company: &'a Company,
    client: Client,
}

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Step {
    /// Here the run goes on.
    Next(Snapshot),
    /// Somebody else took the run.
    Lost,
    /// The platform is silent: the run goes on later, where it was.
    Silent(ApiError),
}

/// What a step learned.
struct Learned {
    rows: Vec<(EntityKey, Row)>,
    /// Of rows that are there already, this source's part is added to and not replaced: a member's departments may be on two pages.
    adds: bool,
    /// What is known of this kind is forgotten first.
    clears: Option<EntityKind>,
}

impl Learned {
    const fn rows(rows: Vec<(EntityKey, Row)>) -> Self {
        Self { rows, adds: false, clears: None }
    }

    const fn nothing() -> Self {
        Self::rows(Vec::new())
    }
}

impl<'a> Puller<'a> {
    pub(crate) fn new(desk: &'a Desk, company: &'a Company) -> Self {
        Self { desk, company, client: company.client.with_urgency(Urgency::Backfill) }
    }

    /// Does the next step of a run that is being pulled.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn step(&self, at: Snapshot) -> database::Result<Step> {
        match at.stage {
            Stage::DepartmentIds => self.department_ids(at).await,
            Stage::MemberIds => self.member_ids(at).await,
            Stage::DepartmentDetails => self.department_details(at).await,
            Stage::MemberDetails => self.member_details(at).await,
            Stage::Idle | Stage::Comparing | Stage::Quarantined | Stage::Allowed => Ok(Step::Next(at)),
        }
    }

    async fn department_ids(&self, mut at: Snapshot) -> database::Result<Step> {
        (at.stage, at.place) = (Stage::MemberIds, None);
        let learned = match self.client.department_ids(None).await {
            Ok(Answer { asked_at, value: Rows { rows, unreadable } }) => {
                at.asked_at = asked_at;
                at.is_whole &= unreadable == 0;
                Learned::rows(rows.into_iter().map(|told| listed(told, asked_at)).collect())
            }
            Err(error) => match self.judge(error, AskedAs::Contact, &mut at).await {
                Some(step) => return Ok(step),
                None => Learned::nothing(),
            },
        };
        self.write(at, learned).await
    }

    async fn member_ids(&self, mut at: Snapshot) -> database::Result<Step> {
        let learned = match self.client.member_ids_page(at.place.as_deref()).await {
            Ok(answer) => {
                let page = answer.value;
                at.is_whole &= page.memberships.is_whole();
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
                let row = |(key, (id, departments)): (EntityKey, (String, Vec<String>))| {
                    let fields = Fields::new().with(Field::Departments, departments);
                    (key, Row { id, place: Some(Part { at: answer.asked_at, fields }), details: None })
                };
                Learned { adds: true, ..Learned::rows(departments.into_iter().map(row).collect()) }
            }
            Err(error) if error.meaning() == Some(Meaning::Restart) && at.place.is_some() => {
                at.place = None;
                Learned { clears: Some(EntityKind::Member), ..Learned::nothing() }
            }
            Err(error) => match self.judge(error, AskedAs::Contact, &mut at).await {
                Some(step) => return Ok(step),
                // A member's departments may be on two pages: where one is missing, nobody's are known.
                None => {
                    (at.stage, at.place) = (Stage::DepartmentDetails, None);
                    Learned { clears: Some(EntityKind::Member), ..Learned::nothing() }
                }
            },
        };
        self.write(at, learned).await
    }

    async fn department_details(&self, mut at: Snapshot) -> database::Result<Step> {
        (at.stage, at.place) = (Stage::MemberDetails, None);
        if !self.client.reads_details() {
            at.stage = Stage::Comparing;
            return self.write(at, Learned::nothing()).await;
        }
        let learned = match self.client.departments(None).await {
            Ok(Answer { asked_at, value: Rows { rows, unreadable } }) => {
                at.is_whole &= unreadable == 0;
                Learned::rows(rows.into_iter().map(|told| department(told, asked_at)).collect())
            }
            Err(error) => match self.judge(error, AskedAs::App, &mut at).await {
                Some(step) => return Ok(step),
                None => Learned::nothing(),
            },
        };
        self.write(at, learned).await
    }

    /// The members of the next department.
    async fn member_details(&self, mut at: Snapshot) -> database::Result<Step> {
        let after = at.place.as_deref().map(EntityKey::department);
        let tenant = self.company.tenant.clone();
        let next = move |conn: &mut Connection| snapshots::page(conn, &tenant, after.as_ref(), 1);
        let next = self.desk.context.database.read("synchronizer.next-department", next).await?;
        let Some((key, _)) = next.into_iter().next().filter(|(key, _)| key.kind == EntityKind::Department) else {
            (at.stage, at.place, at.done_by) = (Stage::Comparing, None, None);
            return self.write(at, Learned::nothing()).await;
        };
        if at.place.is_none() {
            at.done_by = self.predict().await?;
        }
        at.place = Some(key.id.to_string());
        let learned = match self.client.members(&key.id).await {
            Ok(Answer { asked_at, value: Rows { rows, unreadable } }) => {
                at.is_whole &= unreadable == 0;
                Learned::rows(rows.into_iter().map(|told| member(told, asked_at)).collect())
            }
            Err(error) => match self.judge(error, AskedAs::App, &mut at).await {
                Some(step) => return Ok(step),
                None => Learned::nothing(),
            },
        };
        self.write(at, learned).await
    }

    /// When the last department will be asked for.
    async fn predict(&self) -> database::Result<Option<UnixMillis>> {
        let tenant = self.company.tenant.clone();
        let count = move |conn: &mut Connection| store::removals::live(conn, &tenant);
        let live = self.desk.context.database.read("synchronizer.predict", count).await?;
        Ok(self.client.done_by("user/list", live.departments.max(1)).await)
    }

    /// What a failure means for the run: it goes on later, or without this answer. What an app does not see is no hole: that it is
    /// there is said by the lists of ids.
    async fn judge(&self, error: ApiError, asked_as: AskedAs, at: &mut Snapshot) -> Option<Step> {
        let meant = classify(&error, asked_as);
        if matches!(meant, Meant::Silent { .. }) {
            return Some(Step::Silent(error));
        }
        if meant == Meant::Unseen && asked_as == AskedAs::App {
            return None;
        }
        // One answer that got lost is a hole. If all get lost, there is nothing to be gone on with.
        if error.is_outage()
            && let Some((_, error)) = silence::probe(self.company).await
        {
            return Some(Step::Silent(error));
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
            let keys: Vec<EntityKey> = learned.rows.iter().map(|(key, _)| key.clone()).collect();
            let stored = snapshots::some(conn, &tenant, &keys)?;
            let mut known: BTreeMap<EntityKey, Row> =
                stored.into_iter().filter_map(|(key, text)| Some((key, Row::from_text(&text)?))).collect();
            for (key, row) in learned.rows {
                merge(known.entry(key).or_default(), row, learned.adds);
            }
            let rows: Vec<(EntityKey, String)> = known.into_iter().map(|(key, row)| (key, row.to_text())).collect();
            snapshots::put(conn, &tenant, &rows)?;
            Ok(Step::Next(at))
        };
        self.desk.context.database.write("synchronizer.pulled", write).await
    }
}

/// Adds what one source told to what is known.
fn merge(known: &mut Row, told: Row, adds: bool) {
    if known.id.is_empty() {
        known.id = told.id;
    }
    if let Some(place) = told.place {
        match &mut known.place {
            Some(before) if adds => {
                let mut departments = before.fields.list(Field::Departments).to_vec();
                for id in place.fields.list(Field::Departments) {
                    if !departments.contains(id) {
                        departments.push(id.clone());
                    }
                }
                before.fields.set(Field::Departments, departments);
                before.at = before.at.min(place.at);
            }
            other => *other = Some(place),
        }
    }
    if told.details.is_some() {
        known.details = told.details;
    }
}

fn listed(mut told: Department, at: UnixMillis) -> (EntityKey, Row) {
    told.fields.retain(|field, _| matches!(field, Field::Parent | Field::Order));
    let key = EntityKey::department(&told.id);
    (key, Row { id: told.id, place: Some(Part { at, fields: told.fields }), details: None })
}
