//! `mapping check | preview | list`: what a mapping says, what becomes of a record, and what became of those that were read.

use std::{fs, path::Path};

use common::{TenantId, UnixMillis, onboarding};
use database::Connection;
use jiandaoyun::mapping::{self, FieldTrace, Mapped, Mapping, Outcome, Problem, Warning};
use serde_json::{Value, json};
use store::form_records::{self, FormRecord, State};

use super::{Desk, Done};
use crate::{
    Language, Output,
    arguments::{MappingFile, Printing},
    failure::Failure,
    texts,
};

/// Records read at once.
const PAGE: i64 = 1000;

/// A mapping and what is odd about it.
type Read = Result<(Mapping, Vec<Warning>), Vec<Problem>>;

/// Looks at a mapping: what keeps it from being used, and what is odd about it. The form itself is not asked: `tenant doctor` does.
pub(super) fn check(file: &MappingFile, printing: Printing, output: &mut Output<'_>) -> Done {
    let language = output.language;
    let read = read(file, language)?;
    if printing.json {
        output.json(&checked(&read))?;
    }
    let (mapping, warnings) = read.map_err(|problems| wrong(file, &problems))?;
    if printing.json {
        return Ok(());
    }
    warn(file, &warnings, output)?;
    Ok(output.line(texts::mapping_is_fine(language, file.file.display(), mapping.form()))?)
}

fn checked(read: &Read) -> Value {
    match read {
        Ok((mapping, warnings)) => json!({
            "valid": true,
            "form": mapping.form().to_string(),
            "fields": mapping.fields(),
            "id_check": mapping.id_check(),
            "status": mapping.status().map(|status| status.field()),
            "warnings": warnings,
            "problems": [],
        }),
        Err(problems) => json!({ "valid": false, "warnings": [], "problems": problems }),
    }
}

/// Shows what becomes of a record, field by field: what goes in, what is done with it, what comes out and why.
pub(super) fn preview(file: &MappingFile, record: &Path, printing: Printing, output: &mut Output<'_>) -> Done {
    let language = output.language;
    let (mapping, warnings) = read(file, language)?.map_err(|problems| wrong(file, &problems))?;
    let sample = sample(record, language)?;
    // When it was made does not matter for what becomes of it.
    let left_out = mapping.admits(&sample, None, UnixMillis(i64::MIN)).err();
    let mapped = mapping.map(&sample);
    if printing.json {
        output.json(&previewed(&mapped, left_out.as_ref()))?;
    } else {
        warn(file, &warnings, output)?;
        let rows: Vec<_> = mapped.fields.iter().map(|trace| row(trace, language)).collect();
        output.table(["", "FIELD", "FROM", "WHAT"], &rows)?;
        if let Some(why) = &left_out {
            output.aside(texts::preview_left_out(language, texts::left_out(language, why)))?;
        }
    }
    if !mapped.is_valid() {
        let told = onboarding::Complaint::told(&complaints(&mapped, language));
        return Err(Failure::say(texts::preview_makes_nobody(language, told)));
    }
    if !printing.json {
        output.json(&mapped.request)?;
    }
    Ok(())
}

fn previewed(mapped: &Mapped, left_out: Option<&mapping::Why>) -> Value {
    let request = mapped.is_valid().then_some(&mapped.request);
    json!({
        "valid": mapped.is_valid(),
        "request": request,
        "fields": mapped.fields.iter().map(traced).collect::<Vec<_>>(),
        "problems": mapped.problems,
        "left_out": left_out.map(mapping::Why::label),
    })
}

fn traced(trace: &FieldTrace) -> Value {
    let (outcome, sent, reason) = match &trace.outcome {
        Outcome::Sent(value) => ("sent", value.clone(), None),
        Outcome::Defaulted(value) => ("defaulted", value.clone(), None),
        Outcome::LeftOut => ("left_out", Value::Null, None),
        Outcome::Invalid(reason) => ("invalid", Value::Null, Some(reason.as_str())),
    };
    json!({
        "field": trace.field,
        "label": trace.label,
        "from": trace.from,
        "in": trace.value,
        "steps": trace.steps,
        "outcome": outcome,
        "out": sent,
        "reason": reason,
    })
}

/// A field on one line: from what it was in the record, through what was done with it, to what is sent.
fn row(trace: &FieldTrace, language: Language) -> [String; 4] {
    let mut way = vec![trace.value.to_string()];
    way.extend(trace.steps.iter().map(|step| format!("{} {}", step.name, step.value)));
    let sign = match &trace.outcome {
        Outcome::Sent(value) => {
            way.push(value.to_string());
            "="
        }
        Outcome::Defaulted(value) => {
            way.push(texts::preview_default(language, value));
            "="
        }
        Outcome::LeftOut => {
            way.push(texts::preview_nothing(language));
            "-"
        }
        Outcome::Invalid(reason) => {
            way.push(texts::reason(language, reason));
            "!"
        }
    };
    [sign.to_owned(), trace.field.clone(), trace.from.clone(), way.join(" -> ")]
}

fn complaints(mapped: &Mapped, language: Language) -> Vec<onboarding::Complaint> {
    let complaint = |problem: &mapping::FieldProblem| {
        onboarding::Complaint::new(problem.field.as_str(), texts::reason(language, &problem.reason))
    };
    mapped.problems.iter().map(complaint).collect()
}

fn warn(file: &MappingFile, warnings: &[Warning], output: &mut Output<'_>) -> Done {
    for warning in warnings {
        output.aside(texts::warning(output.language, file.file.display(), warning))?;
    }
    Ok(())
}

fn wrong(file: &MappingFile, problems: &[Problem]) -> Failure {
    Failure::Wrong(problems.iter().map(|problem| format!("{}: {problem}", file.file.display())).collect())
}

/// Reads a mapping from its file, or from the files of its two halves.
fn read(file: &MappingFile, language: Language) -> Result<Read, Failure> {
    let source = text(&file.file, language)?;
    Ok(match &file.target {
        None => Mapping::parse_text(&source, &file.time_zone),
        Some(target) => {
            let halves = json!({ "source": source, "target": text(target, language)? });
            Mapping::parse(&halves, &file.time_zone)
        }
    })
}

fn text(path: &Path, language: Language) -> Result<String, Failure> {
    let read = fs::read_to_string(path);
    read.map_err(|error| Failure::Wrong(vec![texts::cannot_read(language, path.display(), error)]))
}

fn sample(path: &Path, language: Language) -> Result<jiandaoyun::api::Record, Failure> {
    let text = text(path, language)?;
    let read = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok().and_then(mapping::sample);
    read.ok_or_else(|| Failure::Wrong(vec![texts::no_record(language, path.display())]))
}

/// Lists the records of a tenant's forms that were read, and what became of each.
pub(super) async fn list(
    desk: &Desk,
    tenant: TenantId,
    state: Option<State>,
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    desk.expect_tenant(&tenant, output).await?;
    let found = desk.database.read("mapping.list", move |conn| all(conn, &tenant, state)).await?;
    if printing.json {
        return Ok(output.json(&found.iter().map(to_json).collect::<Vec<_>>())?);
    }
    if found.is_empty() {
        return Ok(output.line(texts::no_form_records(output.language))?);
    }
    let row = |one: &FormRecord| {
        [
            one.state.as_str().to_owned(),
            one.attempts.to_string(),
            one.updated_at.to_rfc3339(),
            one.form.clone(),
            one.record.clone(),
            one.user_id.clone().unwrap_or_else(|| "-".to_owned()),
            onboarding::Complaint::told(&reasons(one)),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    Ok(output.table(["STATE", "TRIED", "SINCE", "FORM", "RECORD", "MEMBER", "WHY"], &rows)?)
}

fn to_json(one: &FormRecord) -> Value {
    json!({
        "form": one.form,
        "record": one.record,
        "state": one.state.as_str(),
        "member": one.user_id,
        "reasons": reasons(one),
        "attempts": one.attempts,
        "since": one.updated_at.to_rfc3339(),
    })
}

fn reasons(one: &FormRecord) -> Vec<onboarding::Complaint> {
    one.reasons.as_deref().map(onboarding::complaints).unwrap_or_default()
}

fn all(conn: &mut Connection, tenant: &TenantId, state: Option<State>) -> database::Result<Vec<FormRecord>> {
    let mut found: Vec<FormRecord> = Vec::new();
    loop {
        let after = found.last().map(|one| (one.form.clone(), one.record.clone()));
        let after = after.as_ref().map(|(form, record)| (form.as_str(), record.as_str()));
        let page = form_records::list(conn, tenant, state, after, PAGE)?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}
