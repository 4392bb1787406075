//! `deliveries list | replay`

use common::{DestinationId, TenantId};
use database::Connection;
use serde_json::{Value, json};
use store::deliveries::{self, Listed};

use super::{
    Desk, Done,
    lost::{self, Start, Wish},
};
use crate::{Output, arguments::Printing, texts};

fn to_json(listed: &Listed) -> Value {
    let attempt = &listed.attempt;
    json!({
        "id": listed.id,
        "tenant": listed.tenant,
        "destination": listed.destination,
        "from_version": attempt.from_version,
        "to_version": attempt.to_version,
        "changes": attempt.changes,
        "kind": attempt.entity.as_ref().map(|key| key.kind.as_str()),
        "entity": attempt.entity.as_ref().map(|key| &*key.id),
        "at": attempt.at.to_rfc3339(),
        "took_millis": attempt.took_millis,
        "outcome": attempt.outcome,
        "answer": attempt.answer,
    })
}

/// Lists attempts, the newest first.
pub(super) async fn list(
    desk: &Desk,
    (tenant, destination): (TenantId, Option<DestinationId>),
    limit: u32,
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let read = move |conn: &mut Connection| deliveries::list(conn, &tenant, destination.as_ref(), limit);
    let attempts = desk.database.read("deliveries.list", read).await?;
    if printing.json {
        return Ok(output.json(&attempts.iter().map(to_json).collect::<Vec<_>>())?);
    }
    if attempts.is_empty() {
        return Ok(output.line(texts::nothing_delivered(output.language))?);
    }
    let rows: Vec<_> = attempts.iter().map(row).collect();
    Ok(output.table(["AT", "DESTINATION", "VERSIONS", "CHANGES", "MS", "OUTCOME", "ENTITY", "ANSWER"], &rows)?)
}

fn row(listed: &Listed) -> [String; 8] {
    let attempt = &listed.attempt;
    let versions = match (attempt.from_version, attempt.to_version) {
        (from, to) if from == to => from.to_string(),
        (from, to) => format!("{from}-{to}"),
    };
    [
        attempt.at.to_rfc3339(),
        listed.destination.to_string(),
        versions,
        attempt.changes.to_string(),
        attempt.took_millis.to_string(),
        attempt.outcome.clone(),
        attempt.entity.as_ref().map(ToString::to_string).unwrap_or_default(),
        attempt.answer.clone().unwrap_or_default(),
    ]
}

/// Asks for what changed since then to be sent to a destination again, as it is now and under new versions.
pub(super) async fn replay(
    desk: &Desk,
    (tenant, destination): (TenantId, DestinationId),
    start: Start,
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    let wish = Wish { tenant, destination, start, is_in_doubt: false };
    lost::send_again(desk, wish, printing, output).await
}
