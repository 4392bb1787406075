//! `dead list | show | replay | discard`

use std::sync::Arc;

use common::TenantId;
use serde_json::{Value, json};
use service::{Snapshot, TenantBook};
use store::dead_letters::{self, DeadLetter};

use super::{Desk, Done, replay::Replayer};
use crate::{
    Output,
    arguments::{DeadReplay, Printing},
    failure::Failure,
    texts,
};

/// As the contract's list shows it.
fn to_json(dead: &DeadLetter) -> Value {
    let letter = &dead.letter;
    json!({
        "id": dead.id,
        "tenant": letter.tenant,
        "stage": letter.stage.as_str(),
        "kind": letter.kind,
        "entity": letter.entity,
        "reason": letter.reason.as_str(),
        "since": letter.since.to_rfc3339(),
        "destination": letter.destination,
    })
}

/// With everything that is kept of it.
fn to_full_json(dead: &DeadLetter) -> Value {
    let letter = &dead.letter;
    let content = serde_json::from_str(&letter.content).unwrap_or_else(|_| Value::String(letter.content.clone()));
    let mut shown = to_json(dead);
    if let Value::Object(shown) = &mut shown {
        shown.insert("version".to_owned(), json!(letter.version));
        shown.insert("detail".to_owned(), json!(letter.detail));
        shown.insert("resolution".to_owned(), json!(dead.resolved.as_ref().map(|(how, _)| how)));
        shown.insert("resolved_at".to_owned(), json!(dead.resolved.as_ref().map(|(_, at)| at.to_rfc3339())));
        shown.insert("content".to_owned(), content);
    }
    shown
}

/// Lists dead letters, of one tenant or of all, the oldest first.
pub(super) async fn list(desk: &Desk, tenant: Option<TenantId>, printing: Printing, output: &mut Output<'_>) -> Done {
    let letters = desk.database.read("dead.list", move |conn| dead_letters::list(conn, tenant.as_ref())).await?;
    if printing.json {
        return Ok(output.json(&letters.iter().map(to_json).collect::<Vec<_>>())?);
    }
    if letters.is_empty() {
        return Ok(output.line(texts::nothing_dead(output.language))?);
    }
    let rows: Vec<_> = letters.iter().map(row).collect();
    Ok(output.table(["ID", "TENANT", "STAGE", "DESTINATION", "REASON", "SINCE", "ENTITY"], &rows)?)
}

fn row(dead: &DeadLetter) -> [String; 7] {
    let letter = &dead.letter;
    [
        dead.id.clone(),
        letter.tenant.to_string(),
        letter.stage.as_str().to_owned(),
        letter.destination.as_ref().map(ToString::to_string).unwrap_or_default(),
        letter.reason.as_str().to_owned(),
        letter.since.to_rfc3339(),
        format!("{} {}", letter.kind, letter.entity),
    ]
}

async fn find(desk: &Desk, id: &str, output: &Output<'_>) -> Result<DeadLetter, Failure> {
    let wanted = id.to_owned();
    let found = desk.database.read("dead.show", move |conn| dead_letters::show(conn, &wanted)).await?;
    found.ok_or_else(|| Failure::say(texts::no_dead_letter(output.language, id)))
}

async fn find_open(desk: &Desk, id: &str, output: &Output<'_>) -> Result<DeadLetter, Failure> {
    let dead = find(desk, id, output).await?;
    match &dead.resolved {
        Some((how, _)) => Err(Failure::say(texts::dead_letter_ended(output.language, id, how))),
        None => Ok(dead),
    }
}

/// Shows one, also one that has ended.
pub(super) async fn show(desk: &Desk, id: String, printing: Printing, output: &mut Output<'_>) -> Done {
    let dead = find(desk, &id, output).await?;
    if !printing.json {
        output.line(row(&dead).join("  "))?;
    }
    Ok(output.json(&to_full_json(&dead))?)
}

/// Throws one away.
pub(super) async fn discard(desk: &Desk, id: String, output: &mut Output<'_>) -> Done {
    find_open(desk, &id, output).await?;
    let (wanted, now) = (id.clone(), desk.now());
    desk.database.write("dead.discard", move |conn| dead_letters::discard(conn, &wanted, now)).await?;
    Ok(output.line(texts::discarded(output.language, id))?)
}

/// Has dead letters tried again, each on its own: one that cannot be does not keep the others.
pub(super) async fn replay(desk: &Desk, wish: DeadReplay, output: &mut Output<'_>) -> Done {
    let letters = wanted(desk, &wish, output).await?;
    let replayer = Replayer::new(desk, applied_tenants(desk).await?);
    let (mut replayed, mut kept) = (0_usize, 0_usize);
    for dead in letters {
        let id = dead.id.clone();
        match replayer.replay(dead).await {
            Ok(()) => replayed += 1,
            Err(why) => {
                kept += 1;
                output.aside(texts::letter_not_replayed(output.language, id, why.told(output.language)))?;
            }
        }
    }
    if wish.printing.json {
        output.json(&json!({ "replayed": replayed, "kept": kept }))?;
    } else {
        output.line(texts::replayed(output.language, replayed))?;
        output.aside(texts::serving_needed(output.language))?;
    }
    if kept == 0 { Ok(()) } else { Err(Failure::say(texts::some_not_replayed(output.language, kept))) }
}

async fn wanted(desk: &Desk, wish: &DeadReplay, output: &Output<'_>) -> Result<Vec<DeadLetter>, Failure> {
    if let Some(tenant) = wish.tenant.clone() {
        let (reason, since) = (wish.reason, wish.since.map(|since| since.at(desk.now())));
        let find = move |conn: &mut database::Connection| dead_letters::find(conn, &tenant, reason, since);
        return Ok(desk.database.read("dead.find", find).await?);
    }
    let mut letters = Vec::with_capacity(wish.ids.len());
    for id in &wish.ids {
        letters.push(find_open(desk, id, output).await?);
    }
    Ok(letters)
}

async fn applied_tenants(desk: &Desk) -> Result<Arc<Snapshot>, Failure> {
    let book = TenantBook::new(desk.database.clone(), Arc::new(desk.sealer.clone()));
    book.refresh().await?;
    Ok(book.snapshot())
}
