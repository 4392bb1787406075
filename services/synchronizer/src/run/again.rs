//! A plan for products that collect is looked at again before it is applied, if the mirror went on since it was made: whatever came
//! meanwhile is delivered to them right after, and must meet the rows that are there. So they are compared once more, and who is new
//! since the plan is found among the rows, too, as is a product that was declared since. What a person saw and allowed is the most that
//! is removed.

use common::DestinationId;
use database::Connection;
use store::{
    outbox,
    runs::{self, RunKind, RunState, Step, Update},
};

use super::{
    plan::Rows,
    work::{Trouble, Work},
};

impl Work {
    /// Makes the plan anew, if that is called for and nothing of it is applied yet. The new one is kept behind the old one, which goes when
    /// it is whole.
    pub(super) async fn look_again(&mut self) -> Result<(), Trouble> {
        if self.is_looked_at || self.run.done > 0 || self.run.kind == RunKind::Undo {
            return Ok(());
        }
        self.is_looked_at = true;
        let last = self.run.total;
        let removals = self.planned_removals(last).await?;
        if !self.is_behind().await? {
            return Ok(());
        }
        let kept = self.compare(last, Some(&removals)).await?;
        let update = Update {
            counts: Some(kept.counts),
            complete: Some(kept.is_complete),
            mirror_version: Some(kept.version),
            ..Update::new(RunState::Applying, Step::Apply, kept.seq)
        };
        let (lease, now, recorded) = (self.lease.clone(), self.now(), update.clone());
        let replace = move |conn: &mut Connection| -> database::Result<bool> {
            if !runs::update(conn, &lease, &recorded, now)? {
                return Ok(false);
            }
            runs::clear_items_until(conn, &lease.run, last)?;
            Ok(true)
        };
        if !self.parts.context.database.write("runs.replan", replace).await? {
            return Err(Trouble::LeaseLost);
        }
        self.follow(&update);
        Ok(())
    }

    /// What the plan removes, after all that is behind its last item was forgotten: that is what is left of such a look that was cut
    /// off.
    async fn planned_removals(&self, last: u64) -> Result<Rows, Trouble> {
        let lease = self.lease.clone();
        let read = move |conn: &mut Connection| -> database::Result<Option<Rows>> {
            if !runs::holds(conn, &lease)? {
                return Ok(None);
            }
            runs::clear_items_after(conn, &lease.run, last)?;
            runs::removals(conn, &lease.run).map(Some)
        };
        self.parts.context.database.write("runs.removals", read).await?.ok_or(Trouble::LeaseLost)
    }

    /// Whether a product collects that the plan does not know, or one that it knows while the mirror went on since.
    async fn is_behind(&mut self) -> Result<bool, Trouble> {
        let (cores, compared) = (self.cores().await?, self.compared().await?);
        let ids = cores.iter().map(|core| core.id.clone());
        let (known, unknown): (Vec<DestinationId>, Vec<DestinationId>) = ids.partition(|id| compared.contains(id));
        let (tenant, version) = (self.run.tenant.clone(), self.run.mirror_version);
        let look = move |conn: &mut Connection| -> database::Result<bool> {
            let went_on = outbox::last_version(conn, &tenant)? > version;
            Ok(went_on && runs::is_collecting(conn, &tenant, &known)? || runs::is_collecting(conn, &tenant, &unknown)?)
        };
        Ok(self.parts.context.database.read("runs.behind", look).await?)
    }
}
