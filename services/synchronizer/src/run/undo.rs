//! The way back from a run: rows become what they were before it.
//!
//! Links stay, since they only tell who is who; a person takes wrong ones away.

use std::collections::BTreeSet;

use common::{Action as Act, EntityKey, EntityKind};
use database::Connection;
use directory::plan::{Action, Counts, Item, Row, Why, Word};
use store::runs::{self, ItemState, NewItem, PlanItem, RunState, Step, Update};

use super::{
    image::{self, Names},
    judge::{Fate, Judge, row_key},
    work::{Next, Trouble, Work, to_do},
};

/// Items read at once.
const PAGE: i64 = 500;

impl Work {
    /// Plans the way back: what was done, from its end to its start.
    pub(super) async fn plan_back(&mut self) -> Result<Next, Trouble> {
        self.forget_items().await?;
        let mut done = Vec::new();
        let mut after = 0;
        loop {
            let (run, from) = (self.run.undoes.clone().unwrap_or_default(), after);
            let read = move |conn: &mut Connection| runs::items(conn, &run, from, PAGE);
            let page = self.parts.context.database.read("runs.items", read).await?;
            let Some(last) = page.last() else { break };
            after = last.planned.seq;
            done.extend(page.into_iter().filter(was_done));
        }
        let mut back: Vec<NewItem> = done.iter().rev().flat_map(back).collect();
        let mut counts = Counts::default();
        for (seq, item) in (1..).zip(&mut back) {
            item.seq = seq;
            count(&mut counts, item.item.action);
        }
        let total = to_do(&counts);
        for page in back.chunks(PAGE as usize) {
            self.insert(page.to_vec()).await?;
        }
        let update = Update { counts: Some(counts), ..Update::new(RunState::Applying, Step::Apply, total) };
        self.record(update).await?;
        Ok(Next::Again)
    }
}

/// What is skipped or failed was not done. Links are left as they are.
fn was_done(item: &PlanItem) -> bool {
    matches!(item.planned.state, ItemState::Applied | ItemState::Sent) && item.planned.item.action != Action::Link
}

/// The items that undo one. A row that was disabled before the run is disabled after it, too.
fn back(done: &PlanItem) -> Vec<NewItem> {
    let planned = &done.planned;
    let of = |action, word, id: Option<std::sync::Arc<str>>| NewItem {
        seq: 0,
        destination: planned.destination.clone(),
        item: Item {
            action,
            kind: planned.item.kind,
            id,
            core_id: planned.item.core_id.clone(),
            why: Why { columns: planned.item.why.columns, ..Why::from(word) },
        },
        before: planned.after.clone(),
        after: planned.before.clone(),
        state: ItemState::Pending,
    };
    let id = || planned.item.id.clone();
    let was = planned.before.as_deref().and_then(|text| image::from_text(planned.item.kind, text));
    let was_disabled = was.as_ref().is_some_and(|row| image::disabled_at(row).is_some());
    let mut items = match planned.item.action {
        Action::Create => vec![of(Action::Disable, Word::Gone, id())],
        Action::Update => vec![of(Action::Update, Word::Differs, id())],
        Action::Disable => vec![of(Action::Update, Word::Returned, None)],
        Action::Delete => vec![of(Action::Create, Word::Absent, None)],
        Action::Link | Action::Unsure | Action::Impossible => Vec::new(),
    };
    if was_disabled {
        items.push(of(Action::Disable, Word::Gone, id()));
    }
    items
}

/// What becomes of the items of a slice of the way back. What changed since is overwritten: that is what was asked for.
pub(super) fn fates(
    conn: &mut Connection,
    judge: &Judge<'_>,
    items: &[PlanItem],
    employee_number: &str,
) -> database::Result<Vec<Fate>> {
    let was =
        |item: &PlanItem| item.planned.after.as_deref().and_then(|text| image::from_text(item.planned.item.kind, text));
    let rows: Vec<Option<Row>> = items.iter().map(was).collect();
    let named: BTreeSet<(EntityKind, String)> = rows.iter().flatten().flat_map(image::references).collect();
    let named: Vec<(EntityKind, String)> = named.into_iter().collect();
    let names = Names::of(conn, (judge.tenant, judge.destination), &named, judge.now)?;
    store::links::set(conn, judge.tenant, judge.destination, &names.new)?;
    Ok(items.iter().zip(&rows).map(|(item, was)| fate(judge, item, was.as_ref(), &names, employee_number)).collect())
}

fn fate(judge: &Judge<'_>, kept: &PlanItem, was: Option<&Row>, names: &Names, employee_number: &str) -> Fate {
    let item = &kept.planned.item;
    let Some(row_key) = row_key(item) else { return Fate::Skip("the row is not named") };
    let core_id = was.map_or_else(|| item.core_id.as_deref().unwrap_or_default(), Row::id);
    let (key, link) = match (judge.owner(&row_key), item.key()) {
        (Some(owner), _) => (owner.clone(), None),
        (None, Some(key)) => (key, None),
        (None, None) => {
            let link = image::nobodys_link(item.kind, core_id, judge.now);
            (image::nobodys(item.kind, core_id), Some(link))
        }
    };
    let act = match (item.action, was) {
        (Action::Disable, _) => Act::Remove,
        (_, Some(was)) => {
            let entity = image::entity(was, judge.rows.get(&row_key), names, employee_number);
            Act::Upsert { entity: common::Entity { shown_id: shown(&key, was), ..entity }, renamed_from: None }
        }
        (_, None) => return Fate::Skip("how the row was is not known"),
    };
    Fate::Send { change: Box::new(judge.change(key, act)), link }
}

/// A row that is an entity's by its id is spelled as it was.
fn shown(key: &EntityKey, was: &Row) -> String {
    if image::is_nobodys(key) { key.id.as_ref().to_owned() } else { was.id().to_owned() }
}

fn count(counts: &mut Counts, action: Action) {
    let count = match action {
        Action::Create => &mut counts.create,
        Action::Disable => &mut counts.disable,
        _ => &mut counts.update,
    };
    *count = count.saturating_add(1);
}
