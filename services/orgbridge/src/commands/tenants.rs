//! `tenant apply | list | show | remove`

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::Context as _;
use common::{Hop, TenantId};
use database::Connection;
use jiandaoyun::mapping::{Mapping, Zone};
use serde_json::{Value, json};
use service::{
    TenantFile,
    tenants::{Applied, ApplyError},
};
use store::{
    destinations::{self, Backlog, Destination, State},
    gaps::{self, Gap},
};

use super::{Desk, Done};
use crate::{Output, arguments::Printing, failure::Failure, texts};

/// Applies files: all of them are read before the first one is applied.
pub(super) async fn apply(desk: &Desk, files: &[PathBuf], printing: Printing, output: &mut Output<'_>) -> Done {
    let mut read = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for path in files {
        match TenantFile::read(path, &desk.environment) {
            Ok(file) => read.push(file),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let lanes = Lanes::served(desk).await?;
    let mut told = Vec::with_capacity(read.len());
    for file in &read {
        let applied = service::tenants::apply(&desk.database, &desk.sealer, file, desk.now()).await;
        if let Err(ApplyError::ClientIdTaken { owner }) = &applied {
            return Err(Failure::say(texts::client_id_taken(output.language, &file.id, owner)));
        }
        let applied = applied.with_context(|| format!("applying {}", file.id))?;
        if printing.json {
            told.push(json!({
                "id": file.id, "created": applied.created, "changed": applied.changed,
                "revision": applied.revision, "warnings": warnings(file, &lanes),
            }));
        } else {
            tell(file, applied, &lanes, output)?;
        }
    }
    if printing.json { Ok(output.json(&told)?) } else { Ok(()) }
}

fn tell(file: &TenantFile, applied: Applied, lanes: &Lanes, output: &mut Output<'_>) -> Done {
    let (language, id) = (output.language, &file.id);
    output.line(match applied {
        Applied { created: true, .. } => texts::tenant_created(language, id),
        Applied { changed: true, .. } => texts::tenant_changed(language, id),
        _ => texts::tenant_unchanged(language, id),
    })?;
    for warning in warnings(file, lanes) {
        output.aside(texts::warning(language, id, warning))?;
    }
    Ok(())
}

/// The lanes that somebody serves.
struct Lanes(BTreeSet<String>);

impl Lanes {
    /// Over RabbitMQ processes say in the database what they consume; nobody does while none runs. The embedded queue has the lanes of its
    /// one process.
    async fn served(desk: &Desk) -> Result<Self, Failure> {
        if desk.config.broker.url.expose() == "embedded" {
            return Ok(Self(desk.config.broker.lanes.iter().cloned().collect()));
        }
        let consumed = desk.database.read("workers.consumed", store::workers::consumed).await?;
        let lane = |queue: &String| Some(queue.strip_prefix(Hop::Events.as_str())?.strip_prefix('.')?.to_owned());
        Ok(Self(consumed.iter().filter_map(lane).collect()))
    }

    /// Why a tenant had better not be in this lane; nothing where no process runs at all.
    fn warning(&self, lane: &str) -> Option<String> {
        let unserved = !self.0.is_empty() && !self.0.contains(lane);
        let served = || self.0.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        unserved.then(|| {
            let served = served();
            format!("lane: nobody serves \"{lane}\" at the moment (served: {served}): callbacks are kept, and wait until somebody does")
        })
    }
}

/// What a person should know of a file, of its lane and of the mapping in it. Where that is wrong everything else of the tenant still works.
fn warnings(file: &TenantFile, lanes: &Lanes) -> Vec<String> {
    let mut warnings = file.warnings();
    warnings.extend(lanes.warning(&file.lane));
    let section = file.jiandaoyun.as_ref().filter(|section| !section.mapping.is_null());
    let Some((section, zone)) = section.zip(Zone::named(&file.time_zone)) else { return warnings };
    match Mapping::parse(&section.mapping, &zone) {
        Ok((_, odd)) => warnings.extend(odd.iter().map(|one| format!("jiandaoyun.mapping: {one}"))),
        Err(wrong) => warnings.extend(wrong.iter().map(|one| format!("jiandaoyun.mapping: no form is read: {one}"))),
    }
    warnings
}

/// A tenant with its destinations, as stored.
struct Stored {
    row: store::tenants::Tenant,
    destinations: Vec<(Destination, u64)>,
    /// When its callbacks could not be taken over.
    gap: Option<Gap>,
}

impl Stored {
    fn read(conn: &mut Connection, only: Option<&TenantId>) -> database::Result<Vec<Self>> {
        let backlog = destinations::backlog(conn)?;
        let mut found = Vec::new();
        for row in store::tenants::list(conn)? {
            if only.is_some_and(|only| *only != row.id) {
                continue;
            }
            let destinations = destinations::list(conn, Some(&row.id))?;
            let destinations = destinations.into_iter().map(|one| (changes_left(&backlog, &one), one));
            let destinations = destinations.map(|(left, one)| (one, left)).collect();
            found.push(Self { destinations, gap: gaps::get(conn, &row.id)?, row });
        }
        Ok(found)
    }

    /// The name, which is no secret and therefore readable without a key.
    fn name(&self) -> String {
        let document: Option<Value> = serde_json::from_str(&self.row.document).ok();
        let name = document.as_ref().and_then(|document| document.get("name")).and_then(Value::as_str);
        name.unwrap_or(self.row.id.as_str()).to_owned()
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.row.id,
            "name": self.name(),
            "lane": self.row.lane,
            "revision": self.row.revision,
            "applied_at": self.row.applied_at.to_rfc3339(),
            "callbacks_may_be_missing_since": self.gap.map(|gap| gap.since.to_rfc3339()),
            "destinations": self.destinations.iter().map(destination_json).collect::<Vec<_>>(),
        })
    }
}

fn changes_left(backlog: &[Backlog], of: &Destination) -> u64 {
    let found = backlog.iter().find(|one| one.tenant == of.tenant && one.destination == of.id);
    found.map_or(0, |found| found.changes)
}

fn destination_json((one, backlog): &(Destination, u64)) -> Value {
    json!({
        "id": one.id,
        "kind": one.kind,
        "state": one.state.as_str(),
        "position": one.position,
        "backlog": backlog,
        "handshake_at": one.handshake_at.map(|at| at.to_rfc3339()),
        "last_success_at": one.last_success_at.map(|at| at.to_rfc3339()),
        "last_error": one.last_error.as_ref().map(|(error, _)| error),
        "last_error_at": one.last_error.as_ref().map(|(_, at)| at.to_rfc3339()),
    })
}

/// Lists tenants.
pub(super) async fn list(desk: &Desk, printing: Printing, output: &mut Output<'_>) -> Done {
    let stored = desk.database.read("tenants.list", |conn| Stored::read(conn, None)).await?;
    if printing.json {
        return Ok(output.json(&stored.iter().map(Stored::to_json).collect::<Vec<_>>())?);
    }
    if stored.is_empty() {
        return Ok(output.line(texts::no_tenants(output.language))?);
    }
    let rows: Vec<_> = stored
        .iter()
        .map(|stored| {
            let destinations: Vec<&str> = stored.destinations.iter().map(|(one, _)| one.id.as_str()).collect();
            let row = &stored.row;
            [row.id.to_string(), row.lane.clone(), row.applied_at.to_rfc3339(), destinations.join(","), stored.name()]
        })
        .collect();
    Ok(output.table(["ID", "LANE", "APPLIED", "DESTINATIONS", "NAME"], &rows)?)
}

/// Shows one tenant; every secret reads `***`.
pub(super) async fn show(desk: &Desk, id: TenantId, printing: Printing, output: &mut Output<'_>) -> Done {
    let wanted = id.clone();
    let stored = desk.database.read("tenants.get", move |conn| Stored::read(conn, Some(&wanted))).await?;
    let Some(stored) = stored.into_iter().next() else {
        return Err(Failure::say(texts::no_tenant(output.language, id)));
    };
    let file = service::tenants::load(&desk.database, &desk.sealer, &id).await;
    let file = file.with_context(|| format!("reading what was applied of {id}"))?;
    let redacted = file.map(|file| file.redacted()).unwrap_or_default();
    if printing.json {
        let mut shown = stored.to_json();
        if let Value::Object(shown) = &mut shown {
            shown.insert("file".to_owned(), redacted);
        }
        return Ok(output.json(&shown)?);
    }
    output.line(format_args!("{id}  {}", stored.name()))?;
    if let Some(Gap { since, until }) = stored.gap {
        output.line(texts::callbacks_may_be_missing(output.language, since, until))?;
    }
    let rows: Vec<_> = stored.destinations.iter().map(destination_row).collect();
    output.table(["DESTINATION", "KIND", "STATE", "POSITION", "BACKLOG", "LAST ERROR"], &rows)?;
    let collecting = stored.destinations.iter().filter(|(one, _)| one.state == State::Collecting);
    let collecting: Vec<&str> = collecting.map(|(one, _)| one.id.as_str()).collect();
    if !collecting.is_empty() {
        output.line(texts::doctor_first_sync(output.language, &id, collecting.join(", ")))?;
    }
    Ok(output.json(&redacted)?)
}

fn destination_row((one, backlog): &(Destination, u64)) -> [String; 6] {
    let error = one.last_error.as_ref().map(|(error, at)| format!("{} {error}", at.to_rfc3339()));
    [
        one.id.to_string(),
        one.kind.clone(),
        one.state.as_str().to_owned(),
        one.position.to_string(),
        backlog.to_string(),
        error.unwrap_or_default(),
    ]
}

/// Marks a tenant as removed.
pub(super) async fn remove(desk: &Desk, id: TenantId, output: &mut Output<'_>) -> Done {
    if service::tenants::remove(&desk.database, &id, desk.now()).await? {
        Ok(output.line(texts::tenant_removed(output.language, id))?)
    } else {
        Err(Failure::say(texts::no_tenant(output.language, id)))
    }
}
