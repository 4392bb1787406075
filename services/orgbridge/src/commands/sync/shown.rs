//! Runs and plans as people and programs read them.

use common::UnixMillis;
use database::Connection;
use directory::plan::Counts;
use serde_json::{Value, json};
use store::{
    runs::{self, PlanItem, Run, RunState},
    snapshots::{Snapshot, Stage},
};
use synchronizer::run::Difference;

use super::{Desk, Done, Output, Printing, texts};

/// Items read at once.
const PAGE: i64 = 1000;

/// Shows a run's plan.
pub(super) async fn plan(desk: &Desk, run: &Run, printing: Printing, output: &mut Output<'_>) -> Done {
    let id = run.id.clone();
    let items = desk.database.read("runs.items", move |conn| all_items(conn, &id)).await?;
    if printing.json {
        let items: Vec<Value> = items.iter().map(item_json).collect();
        return Ok(output.json(&json!({
            "run": run.id,
            "state": run.state.as_str(),
            "complete": run.is_complete,
            "counts": run.counts,
            "items": items,
        }))?);
    }
    if items.is_empty() {
        output.line(texts::nothing_planned(output.language))?;
    } else {
        let rows: Vec<_> = items.iter().map(item_row).collect();
        output.table(["ACTION", "KIND", "ID", "ROW", "WHY"], &rows)?;
    }
    output.line(format_args!("{}  {}  {}", run.id, run.state.as_str(), counts_text(&run.counts)))?;
    if !run.is_complete {
        output.aside(texts::plan_is_incomplete(output.language))?;
    }
    if run.state == RunState::Quarantined {
        let why = run.why.clone().unwrap_or_default();
        output.aside(texts::run_in_quarantine(output.language, &run.id, why))?;
    }
    Ok(())
}

fn all_items(conn: &mut Connection, run: &str) -> database::Result<Vec<PlanItem>> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let page = runs::items(conn, run, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.planned.seq;
        found.extend(page);
    }
}

fn item_json(kept: &PlanItem) -> Value {
    let (planned, item) = (&kept.planned, &kept.planned.item);
    let row = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({
        "action": item.action.as_str(),
        "kind": item.kind.as_str(),
        "id": item.id.as_deref(),
        "core_id": item.core_id.as_deref(),
        "why": item.why.to_string(),
        "before": row(&planned.before),
        "after": row(&planned.after),
        "destination": planned.destination,
        "state": planned.state.as_str(),
        "note": kept.note,
    })
}

fn item_row(kept: &PlanItem) -> [String; 5] {
    let item = &kept.planned.item;
    [
        item.action.as_str().to_owned(),
        item.kind.as_str().to_owned(),
        item.id.as_deref().unwrap_or("-").to_owned(),
        item.core_id.as_deref().unwrap_or("-").to_owned(),
        item.why.to_string(),
    ]
}

const STATUS: [&str; 8] = ["RUN", "KIND", "STATE", "PROGRESS", "STARTED", "FINISHED", "COUNTS", "WHY"];

/// Shows how a run stands, and the last pull of its tenant where that is not over.
pub(super) fn status(run: &Run, pull: Option<&Snapshot>, printing: Printing, output: &mut Output<'_>) -> Done {
    if printing.json {
        return Ok(output.json(&status_json(run, pull))?);
    }
    let progress = format!("{} {}/{}", run.step.as_str(), run.done, run.total);
    let row = [
        run.id.clone(),
        run.kind.as_str().to_owned(),
        run.state.as_str().to_owned(),
        progress,
        time_text(run.started_at),
        time_text(run.finished_at),
        counts_text(&run.counts),
        run.why.clone().unwrap_or_default(),
    ];
    let pull = pull.filter(|pull| pull.stage != Stage::Idle);
    let rows: Vec<_> = std::iter::once(row).chain(pull.map(pull_row)).collect();
    output.table(STATUS, &rows)?;
    match pull {
        Some(pull) if pull.run != run.id => held_back(pull, output),
        _ => Ok(()),
    }
}

/// Shows how the last pull of a tenant stands that had no run yet.
pub(super) fn pull(pull: &Snapshot, printing: Printing, output: &mut Output<'_>) -> Done {
    if printing.json {
        let shown = json!({
            "run": pull.run,
            "kind": "pull",
            "state": pull_state(pull.stage).as_str(),
            "progress": pull_progress(pull.stage),
            "started_at": pull.started_at.to_rfc3339(),
            "finished_at": null,
            "counts": Counts::default(),
            "pull": pull_json(pull),
        });
        return Ok(output.json(&shown)?);
    }
    output.table(STATUS, &[pull_row(pull)])?;
    held_back(pull, output)
}

/// Says what to do about a pull that waits for a person.
fn held_back(pull: &Snapshot, output: &mut Output<'_>) -> Done {
    if pull.stage == Stage::Quarantined {
        output.aside(texts::pull_in_quarantine(output.language, &pull.run))?;
    }
    Ok(())
}

fn pull_row(pull: &Snapshot) -> [String; 8] {
    [
        pull.run.clone(),
        "pull".to_owned(),
        pull_state(pull.stage).as_str().to_owned(),
        pull.stage.as_str().to_owned(),
        pull.started_at.to_rfc3339(),
        String::new(),
        pull.differences.to_string(),
        pull.done_by.map(|at| format!("<= {}", at.to_rfc3339())).unwrap_or_default(),
    ]
}

fn pull_json(pull: &Snapshot) -> Value {
    json!({
        "run": pull.run,
        "stage": pull.stage.as_str(),
        "complete": pull.is_whole,
        "differences": pull.differences,
        "started_at": pull.started_at.to_rfc3339(),
        "done_by": pull.done_by.map(UnixMillis::to_rfc3339),
        "next_at": pull.due_at.to_rfc3339(),
    })
}

/// A pull in the words of a run.
const fn pull_state(stage: Stage) -> RunState {
    match stage {
        Stage::Idle => RunState::Finished,
        Stage::Quarantined => RunState::Quarantined,
        _ => RunState::Planning,
    }
}

const fn pull_progress(stage: Stage) -> f64 {
    match stage {
        Stage::DepartmentIds => 0.0,
        Stage::MemberIds => 0.1,
        Stage::DepartmentDetails => 0.2,
        Stage::MemberDetails => 0.3,
        Stage::Comparing => 0.8,
        Stage::Allowed | Stage::Quarantined => 0.9,
        Stage::Idle => 1.0,
    }
}

fn time_text(at: Option<UnixMillis>) -> String {
    at.map(UnixMillis::to_rfc3339).unwrap_or_default()
}

/// How a run stands, for programs, with the last pull of its tenant where that is asked for.
pub(super) fn status_json(run: &Run, pull: Option<&Snapshot>) -> Value {
    json!({
        "run": run.id,
        "kind": run.kind.as_str(),
        "state": run.state.as_str(),
        "progress": run.progress(),
        "started_at": run.started_at.map(UnixMillis::to_rfc3339),
        "finished_at": run.finished_at.map(UnixMillis::to_rfc3339),
        "counts": run.counts,
        "step": run.step.as_str(),
        "done": run.done,
        "total": run.total,
        "complete": run.is_complete,
        "why": run.why,
        "pull": pull.map(pull_json),
    })
}

/// `link 3, update 1`; those that are none are left out.
pub(super) fn counts_text(counts: &Counts) -> String {
    let named = [
        ("link", counts.link),
        ("create", counts.create),
        ("update", counts.update),
        ("disable", counts.disable),
        ("delete", counts.delete),
        ("unsure", counts.unsure),
        ("impossible", counts.impossible),
    ];
    let told: Vec<String> =
        named.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}")).collect();
    if told.is_empty() { "0".to_owned() } else { told.join(", ") }
}

/// A difference, for programs.
pub(super) fn difference_json(one: &Difference) -> Value {
    json!({
        "kind": one.kind.as_str(),
        "id": &*one.id,
        "field": one.field,
        "source": one.source,
        "destination": one.destination,
        "at": one.at,
    })
}
