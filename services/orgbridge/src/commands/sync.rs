//! `sync plan | apply | allow | reject | status | diff | undo | resume`: wishes are rows that a running synchronizer picks up.

mod shown;
mod waiting;

use std::io::{IsTerminal, stdin};

use anyhow::Context as _;
use common::{DestinationId, TenantId};
use database::Connection;
use serde_json::json;
use store::{
    runs::{self, Answer, ItemState, Run, RunState, Wanted, Wish},
    snapshots,
};
use synchronizer::run::{Difference, Products, differences};

use super::{Desk, Done};
use crate::{
    Output,
    arguments::{Printing, SyncApply},
    failure::Failure,
    texts,
};

/// Makes a plan and shows it.
pub(super) async fn plan(desk: &Desk, tenant: TenantId, printing: Printing, output: &mut Output<'_>) -> Done {
    let run = request(desk, &tenant, Wanted::Plan, output).await?;
    let run = waiting::until(desk, run, output, |run| run.state != RunState::Planning).await?;
    shown::plan(desk, &run, printing, output).await?;
    match run.state {
        RunState::Failed => Err(is_over(&run, output)),
        _ => Ok(()),
    }
}

/// Applies a plan, and waits for its end.
pub(super) async fn apply(desk: &Desk, wish: SyncApply, output: &mut Output<'_>) -> Done {
    if !wish.yes {
        if !stdin().is_terminal() {
            return Err(Failure::Wrong(vec![texts::yes_is_needed(output.language)]));
        }
        plan(desk, wish.id.clone(), Printing { json: false }, output).await?;
        if !is_confirmed(output)? {
            return Ok(output.line(texts::nothing_is_applied(output.language))?);
        }
    }
    let run = request(desk, &wish.id, Wanted::Apply, output).await?;
    if wish.detach {
        return match wish.printing.json {
            true => Ok(output.json(&shown::status_json(&run, None))?),
            false => Ok(output.line(texts::run_is_detached(output.language, &run.id))?),
        };
    }
    let run = waiting::until(desk, run, output, |run| !run.state.is_at_work()).await?;
    end(desk, &run, wish.printing, output).await
}

/// Lets a run go on that waits for a person, or a pull that happened by itself.
pub(super) async fn allow(desk: &Desk, run: String, output: &mut Output<'_>) -> Done {
    let (id, now) = (run.clone(), desk.now());
    let allow = move |conn: &mut Connection| -> database::Result<Option<Answer>> {
        let answer = runs::allow(conn, &id, now)?;
        let is_pull = answer == Answer::Unknown && snapshots::allow(conn, &id, now)?;
        Ok((!is_pull).then_some(answer))
    };
    if let Some(answer) = desk.database.write("runs.allow", allow).await? {
        decided(answer, &run, output)?;
    }
    Ok(output.line(texts::run_allowed(output.language, run))?)
}

/// Ends a run that waits for a person, or a pull that happened by itself.
pub(super) async fn reject(desk: &Desk, run: String, output: &mut Output<'_>) -> Done {
    let (id, now) = (run.clone(), desk.now());
    let reject = move |conn: &mut Connection| -> database::Result<Option<Answer>> {
        let answer = runs::reject(conn, &id, now)?;
        let is_pull = answer == Answer::Unknown && snapshots::reject(conn, &id)?;
        Ok((!is_pull).then_some(answer))
    };
    if let Some(answer) = desk.database.write("runs.reject", reject).await? {
        decided(answer, &run, output)?;
    }
    Ok(output.line(texts::run_rejected(output.language, run))?)
}

/// Shows how the last run of a tenant stands, and its last pull.
pub(super) async fn status(desk: &Desk, tenant: TenantId, printing: Printing, output: &mut Output<'_>) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let of = tenant.clone();
    let read = move |conn: &mut Connection| -> database::Result<_> {
        Ok((runs::list(conn, &of, 1)?, snapshots::get(conn, &of)?))
    };
    let (runs, pull) = desk.database.read("runs.status", read).await?;
    // One that is announced only has no name yet.
    let pull = pull.filter(|pull| !pull.run.is_empty());
    match (runs.first(), pull) {
        (None, None) => Err(Failure::say(texts::no_runs(output.language, tenant))),
        (None, Some(pull)) => shown::pull(&pull, printing, output),
        (Some(run), pull) => shown::status(run, pull.as_ref(), printing, output),
    }
}

/// Shows what differs at this moment.
pub(super) async fn diff(desk: &Desk, tenant: TenantId, printing: Printing, output: &mut Output<'_>) -> Done {
    let file = desk.file(&tenant, output).await?;
    let guard = outbound::Guard::new(desk.config.sink.allowed_networks.clone());
    let http = outbound::Client::new(guard, waiting::REQUEST_TIMEOUT).context("making the HTTP client")?;
    let products = Products::new(http);
    let found = differences(&desk.database, &file, &products, &desk.config.synchronizer, desk.now()).await;
    let found = found.map_err(anyhow::Error::new)?;
    if printing.json {
        let differences: Vec<_> = found.iter().map(shown::difference_json).collect();
        return Ok(output.json(&json!({ "count": found.len(), "differences": differences }))?);
    }
    if found.is_empty() {
        return Ok(output.line(texts::nothing_planned(output.language))?);
    }
    let row = |one: &Difference| {
        [
            one.at.to_string(),
            one.kind.as_str().to_owned(),
            one.id.as_ref().to_owned(),
            one.field.to_owned(),
            format!("{} <- {}", one.destination, one.source),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    Ok(output.table(["DESTINATION", "KIND", "ID", "FIELD", "IS <- SHOULD BE"], &rows)?)
}

/// Undoes a run, and waits for its end.
pub(super) async fn undo(desk: &Desk, run: String, output: &mut Output<'_>) -> Done {
    let (id, now) = (run.clone(), desk.now());
    let answer = desk.database.write("runs.undo", move |conn| runs::undo(conn, &id, now)).await?;
    let undo = decided(answer, &run, output)?;
    let undo = waiting::until(desk, undo, output, |run| !run.state.is_at_work()).await?;
    if undo.state != RunState::Finished {
        return Err(is_over(&undo, output));
    }
    let tenant = undo.tenant.clone();
    let paused = desk.database.read("runs.paused", move |conn| runs::paused(conn, &tenant)).await?;
    let paused: Vec<&str> = paused.iter().map(DestinationId::as_str).collect();
    Ok(output.line(texts::run_undone(output.language, run, paused.join(", ")))?)
}

/// Lets runs look after a destination again.
pub(super) async fn resume(
    desk: &Desk,
    (tenant, destination): (TenantId, DestinationId),
    output: &mut Output<'_>,
) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let to = (tenant.clone(), destination.clone());
    let write = move |conn: &mut Connection| -> database::Result<Option<bool>> {
        if store::destinations::get(conn, &to.0, &to.1)?.is_none() {
            return Ok(None);
        }
        runs::resume(conn, &to.0, &to.1).map(Some)
    };
    match desk.database.write("runs.resume", write).await? {
        None => Err(Failure::say(texts::no_destination(output.language, tenant, destination))),
        Some(true) => Ok(output.line(texts::destination_resumed(output.language, destination))?),
        Some(false) => Ok(output.line(texts::destination_not_paused(output.language, destination))?),
    }
}

async fn request(desk: &Desk, tenant: &TenantId, wanted: Wanted, output: &Output<'_>) -> Result<Run, Failure> {
    let (of, now) = (tenant.clone(), desk.now());
    let ask = move |conn: &mut Connection| runs::request(conn, &of, Wish { wanted, key: None }, now);
    let run = desk.database.write("runs.request", ask).await?;
    run.ok_or_else(|| Failure::say(texts::no_tenant(output.language, tenant)))
}

/// The run that a person decided on.
fn decided(answer: Answer, asked: &str, output: &Output<'_>) -> Result<Run, Failure> {
    match answer {
        Answer::Done(run) => Ok(run),
        Answer::Refused(run) => {
            Err(Failure::say(texts::run_stands_otherwise(output.language, &run.id, run.state.as_str())))
        }
        Answer::Unknown => Err(Failure::say(texts::no_run(output.language, asked))),
    }
}

/// Tells how an applied run ended.
async fn end(desk: &Desk, run: &Run, printing: Printing, output: &mut Output<'_>) -> Done {
    if printing.json {
        output.json(&shown::status_json(run, None))?;
    }
    match run.state {
        RunState::Finished => {}
        RunState::Quarantined => {
            let why = run.why.clone().unwrap_or_default();
            return Err(Failure::say(texts::run_in_quarantine(output.language, &run.id, why)));
        }
        _ => return Err(is_over(run, output)),
    }
    let id = run.id.clone();
    let tally = desk.database.read("runs.tally", move |conn| runs::tally(conn, &id)).await?;
    let of = |wanted| tally.iter().filter(|(state, _)| *state == wanted).map(|(_, count)| count).sum::<u64>();
    let (skipped, failed) = (of(ItemState::Skipped), of(ItemState::Failed));
    if !printing.json {
        output.line(texts::run_finished(output.language, &run.id, shown::counts_text(&run.counts)))?;
    }
    if skipped + failed > 0 {
        output.aside(texts::run_left_some(output.language, skipped, failed))?;
    }
    Ok(())
}

fn is_over(run: &Run, output: &Output<'_>) -> Failure {
    let why = run.why.clone().unwrap_or_default();
    Failure::say(texts::run_is_over(output.language, &run.id, run.state.as_str(), why))
}

fn is_confirmed(output: &mut Output<'_>) -> Result<bool, Failure> {
    output.line(texts::apply_this(output.language))?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "是"))
}
