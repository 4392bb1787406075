//! `parked list | show`
//!
//! What waits for a person of another platform of whom nobody knows which member that is waits for a person to say so.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, Platform, TenantId, UnixMillis};
use database::Connection;
use serde_json::{Value, json};
use store::{
    records::{self, ParkedFilter, Row},
    tenants,
};

use super::{Desk, Done, entity_json};
use crate::{Output, arguments::Printing, failure::Failure, texts};

const EVERYTHING: ParkedFilter =
    ParkedFilter { since_at_most: UnixMillis(i64::MAX), asked: None, given_up: None, limit: i64::MAX };

/// An entity that waits.
struct Parked {
    tenant: TenantId,
    key: EntityKey,
    row: Row,
}

impl Parked {
    /// The id as people see it.
    fn id(&self) -> &str {
        self.row.record.shown.as_ref().map_or(&self.key.id, |(_, shown)| shown)
    }

    /// What keeps it, each once.
    fn waits_for(&self) -> BTreeSet<&EntityKey> {
        self.row.record.waits.iter().filter(|wait| wait.why.holds()).map(|wait| &wait.on).collect()
    }

    /// The people among that whom only another platform knows: the platform and the id there.
    fn unmatched(&self) -> impl Iterator<Item = (Platform, &str)> {
        let foreign = self.waits_for().into_iter().filter(|key| key.is_foreign());
        foreign.filter_map(|key| {
            let (platform, id) = key.id.split_once(':')?;
            Some((Platform::from_name(platform)?, id))
        })
    }

    fn since(&self) -> Option<String> {
        self.row.parked_since.map(UnixMillis::to_rfc3339)
    }

    fn to_json(&self) -> Value {
        json!({
            "tenant": self.tenant,
            "kind": self.key.kind.as_str(),
            "id": self.id(),
            "waits_for": self.waits_for().into_iter().map(entity_json).collect::<Vec<_>>(),
            "since": self.since(),
            "last_event": self.row.record.last_event,
        })
    }

    /// With the reasons and everything that was told of it.
    fn to_full_json(&self) -> Value {
        let waits = self.row.record.waits.iter().filter(|wait| wait.why.holds());
        let waits =
            waits.map(|wait| json!({"kind": wait.on.kind.as_str(), "id": &*wait.on.id, "why": wait.why.as_str()}));
        let mut shown = self.to_json();
        if let Value::Object(shown) = &mut shown {
            shown.insert("waits_for".to_owned(), waits.collect());
            shown.insert("asked".to_owned(), self.row.asked.into());
            shown.insert("given_up".to_owned(), self.row.given_up.into());
            shown.insert("live".to_owned(), self.row.record.is_live().into());
            shown.insert("facts".to_owned(), serde_json::to_value(&self.row.record.facts).unwrap_or_default());
        }
        shown
    }
}

/// Lists what waits, of one tenant or of all, the longest first.
pub(super) async fn list(desk: &Desk, tenant: Option<TenantId>, printing: Printing, output: &mut Output<'_>) -> Done {
    if let Some(tenant) = &tenant {
        desk.expect_tenant(tenant, output).await?;
    }
    let mut parked = desk.database.read("parked.list", move |conn| read(conn, tenant.as_ref())).await?;
    parked.sort_by_key(|parked| parked.row.parked_since);
    if printing.json {
        return Ok(output.json(&parked.iter().map(Parked::to_json).collect::<Vec<_>>())?);
    }
    if parked.is_empty() {
        return Ok(output.line(texts::nothing_parked(output.language))?);
    }
    let rows: Vec<_> = parked
        .iter()
        .map(|parked| {
            let waits_for: Vec<String> = parked.waits_for().into_iter().map(ToString::to_string).collect();
            let kind = parked.key.kind.as_str().to_owned();
            let since = parked.since().unwrap_or_default();
            [parked.tenant.to_string(), kind, since, parked.id().to_owned(), waits_for.join(", ")]
        })
        .collect();
    output.table(["TENANT", "KIND", "SINCE", "ID", "WAITS FOR"], &rows)?;
    advise(&parked, output)
}

/// Says what to do about people whom nobody could match with a member: for each tenant and the first of them.
fn advise(parked: &[Parked], output: &mut Output<'_>) -> Done {
    let mut people: BTreeMap<(&TenantId, Platform), BTreeSet<&str>> = BTreeMap::new();
    for one in parked {
        for (platform, id) in one.unmatched() {
            people.entry((&one.tenant, platform)).or_default().insert(id);
        }
    }
    for ((tenant, platform), ids) in people {
        if let Some(first) = ids.first() {
            let (language, platform) = (output.language, platform.as_str());
            output.aside(texts::people_unmatched(language, ids.len(), tenant, platform, first))?;
        }
    }
    Ok(())
}

fn read(conn: &mut Connection, only: Option<&TenantId>) -> database::Result<Vec<Parked>> {
    let mut found = Vec::new();
    for tenant in tenants::list(conn)?.into_iter().map(|row| row.id) {
        if only.is_none_or(|only| *only == tenant) {
            let rows = records::parked(conn, &tenant, EVERYTHING)?;
            found.extend(rows.into_iter().map(|(key, row)| Parked { tenant: tenant.clone(), key, row }));
        }
    }
    Ok(found)
}

/// Shows one entity that waits.
pub(super) async fn show(
    desk: &Desk,
    tenant: TenantId,
    (kind, id): (EntityKind, &str),
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let (of, key) = (tenant.clone(), EntityKey::new(kind, id));
    let found = desk.database.read("parked.show", move |conn| records::load(conn, &of, &[key])).await?;
    let found = found.into_iter().find(|(_, row)| row.parked_since.is_some());
    let Some(parked) = found.map(|(key, row)| Parked { tenant, key, row }) else {
        return Err(Failure::say(texts::not_parked(output.language, kind.as_str(), id)));
    };
    if !printing.json {
        let waits_for: Vec<String> = parked.waits_for().into_iter().map(ToString::to_string).collect();
        let since = parked.since().unwrap_or_default();
        output.line(format_args!("{} {}  {since}  <- {}", kind.as_str(), parked.id(), waits_for.join(", ")))?;
        advise(std::slice::from_ref(&parked), output)?;
    }
    Ok(output.json(&parked.to_full_json())?)
}
