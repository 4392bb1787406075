//! `link set | list | remove`

use common::{DestinationId, EntityKey, EntityKind, TenantId};
use database::Connection;
use serde_json::json;
use store::{
    destinations,
    links::{self, DecidedBy, Link},
};

use super::{Desk, Done};
use crate::{
    Output,
    arguments::{EntityPlace, Printing},
    failure::Failure,
    texts,
};

/// Links read at once.
const PAGE: i64 = 1000;

/// Why a link cannot be set or taken away.
enum Refusal {
    NoDestination,
    Anothers(EntityKey),
    NoLink,
}

impl Refusal {
    fn told(&self, place: &EntityPlace, core_id: &str, output: &Output<'_>) -> Failure {
        let language = output.language;
        Failure::say(match self {
            Self::NoDestination => texts::no_destination(language, &place.tenant, &place.destination),
            Self::Anothers(entity) => texts::link_is_anothers(language, core_id, entity),
            Self::NoLink => texts::no_link(language, place.kind.as_str(), &place.platform_id),
        })
    }
}

/// Says that a row is an entity; what either was linked with before is forgotten only of the entity.
pub(super) async fn set(desk: &Desk, place: EntityPlace, core_id: String, output: &mut Output<'_>) -> Done {
    desk.expect_tenant(&place.tenant, output).await?;
    let (tenant, destination) = (place.tenant.clone(), place.destination.clone());
    let link = Link {
        entity: EntityKey::new(place.kind, &place.platform_id),
        core_id: core_id.clone(),
        decided_by: DecidedBy::Person,
        since: desk.now(),
    };
    let write = move |conn: &mut Connection| -> database::Result<Result<(), Refusal>> {
        store::outbox::lock_tenants(conn, [&tenant])?;
        if destinations::get(conn, &tenant, &destination)?.is_none() {
            return Ok(Err(Refusal::NoDestination));
        }
        let row = std::slice::from_ref(&link.core_id);
        for owner in links::of_rows(conn, &tenant, &destination, link.entity.kind, row)? {
            if !is_placeholder(&owner.entity) && owner.entity != link.entity {
                return Ok(Err(Refusal::Anothers(owner.entity)));
            }
            links::remove(conn, &tenant, &destination, &[owner.entity])?;
        }
        links::set(conn, &tenant, &destination, &[link])?;
        Ok(Ok(()))
    };
    match desk.database.write("links.set", write).await? {
        Ok(()) => {
            let told = texts::link_set(output.language, place.kind.as_str(), &place.platform_id, core_id);
            Ok(output.line(told)?)
        }
        Err(refusal) => Err(refusal.told(&place, &core_id, output)),
    }
}

/// Lists links.
pub(super) async fn list(
    desk: &Desk,
    (tenant, only): (TenantId, Option<DestinationId>),
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let read = move |conn: &mut Connection| all(conn, &tenant, only.as_ref());
    let found = desk.database.read("links.list", read).await?;
    if printing.json {
        let to_json = |(destination, link): &(DestinationId, Link)| {
            json!({
                "destination": destination,
                "kind": link.entity.kind.as_str(),
                "id": &*link.entity.id,
                "core_id": link.core_id,
                "decided_by": link.decided_by.as_str(),
                "since": link.since.to_rfc3339(),
            })
        };
        return Ok(output.json(&found.iter().map(to_json).collect::<Vec<_>>())?);
    }
    if found.is_empty() {
        return Ok(output.line(texts::no_links(output.language))?);
    }
    let row = |(destination, link): &(DestinationId, Link)| {
        [
            destination.to_string(),
            link.entity.kind.as_str().to_owned(),
            link.decided_by.as_str().to_owned(),
            link.since.to_rfc3339(),
            link.entity.id.as_ref().to_owned(),
            link.core_id.clone(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    Ok(output.table(["DESTINATION", "KIND", "BY", "SINCE", "ID", "ROW"], &rows)?)
}

fn all(
    conn: &mut Connection,
    tenant: &TenantId,
    only: Option<&DestinationId>,
) -> database::Result<Vec<(DestinationId, Link)>> {
    let mut found = Vec::new();
    for destination in destinations::list(conn, Some(tenant))?.into_iter().map(|row| row.id) {
        if only.is_some_and(|only| *only != destination) {
            continue;
        }
        for kind in [EntityKind::Department, EntityKind::Member] {
            let mut after: Option<String> = None;
            loop {
                let page = links::list(conn, tenant, &destination, kind, after.as_deref(), PAGE)?;
                let Some(last) = page.last() else { break };
                after = Some(last.entity.id.as_ref().to_owned());
                let real = page.into_iter().filter(|link| !is_placeholder(&link.entity));
                found.extend(real.map(|link| (destination.clone(), link)));
            }
        }
    }
    Ok(found)
}

/// Takes an entity's link away; with a row, notes that the two are not the same.
pub(super) async fn remove(desk: &Desk, place: EntityPlace, core_id: Option<String>, output: &mut Output<'_>) -> Done {
    desk.expect_tenant(&place.tenant, output).await?;
    let (tenant, destination, now) = (place.tenant.clone(), place.destination.clone(), desk.now());
    let (key, row) = (EntityKey::new(place.kind, &place.platform_id), core_id.clone());
    let write = move |conn: &mut Connection| -> database::Result<Result<(), Refusal>> {
        store::outbox::lock_tenants(conn, [&tenant])?;
        if destinations::get(conn, &tenant, &destination)?.is_none() {
            return Ok(Err(Refusal::NoDestination));
        }
        if let Some(row) = row {
            links::reject(conn, &tenant, &destination, &key, &row, now)?;
            return Ok(Ok(()));
        }
        let keys = std::slice::from_ref(&key);
        let is_linked = links::load(conn, &tenant, &destination, keys)?.iter().any(|link| link.entity == key);
        if !is_linked {
            return Ok(Err(Refusal::NoLink));
        }
        links::remove(conn, &tenant, &destination, keys)?;
        Ok(Ok(()))
    };
    let done = desk.database.write("links.remove", write).await?;
    let (language, kind, id) = (output.language, place.kind.as_str(), &place.platform_id);
    match (done, core_id) {
        (Ok(()), Some(row)) => Ok(output.line(texts::link_rejected(language, kind, id, row))?),
        (Ok(()), None) => Ok(output.line(texts::link_removed(language, kind, id))?),
        (Err(refusal), row) => Err(refusal.told(&place, &row.unwrap_or_default(), output)),
    }
}

/// Stands for a row that is nobody's, see `synchronizer::run`.
fn is_placeholder(key: &EntityKey) -> bool {
    synchronizer::run::is_placeholder(key)
}
