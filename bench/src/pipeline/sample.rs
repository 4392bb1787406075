//! What one event comes to on its way: made by the code that makes it in earnest, so that sizes are right.

use ::tests::Bridge;
use anyhow::{Context as _, Result, ensure};
use common::{Change, EntityKey, Event, EventBody, TenantId, UnixMillis};
use directory::{Incoming, Session};

use crate::requests::{self, Members};

/// The documents of one member, whose id is in them wherever it belongs.
pub(super) struct Sample {
    /// The member's id.
    pub(super) id: String,
    /// The event, as the gateway publishes it.
    pub(super) event: String,
    /// The record, as the resolver stores it.
    pub(super) record: String,
    /// The departments that it is in, as the record's row has them.
    pub(super) inside: String,
    /// The change, as the resolver stores and publishes it.
    pub(super) change: String,
    /// The ids of these departments.
    pub(super) departments: Vec<String>,
    /// Unix seconds at which all of it was told.
    pub(super) at: i64,
}

impl Sample {
    /// Tells departments and one member to an empty directory.
    pub(super) fn make(departments: u32) -> Result<Self> {
        let (tenant, at): (TenantId, i64) = ("acme".parse()?, requests::now());
        let of = Members { numbers: 0..1, departments, have_leaders: false };
        let mut session = Session::new(tenant.clone());
        session.found("示例制造有限公司", UnixMillis::from_seconds(at));
        for id in 2..=departments {
            tell(&mut session, &event(&tenant, &requests::department(id, at), at)?)?;
        }
        let told = event(&tenant, &requests::member(0, &of, at), at)?;
        tell(&mut session, &told)?;
        loop {
            let missing = session.missing();
            if missing.is_empty() {
                break;
            }
            missing.into_iter().for_each(|key| session.load(key, None));
        }
        let effects = session.resolve(UnixMillis(0));
        let id = requests::member_id(0);
        let key = EntityKey::member(&id);
        let (_, record) = effects.records.iter().find(|(of, _)| *of == key).context("a record of the member")?;
        let change = effects.changes.iter().find(|change| change.entity == key).context("a change of the member")?;
        let departments: Vec<String> = change.refers_to.iter().map(|department| department.id.to_string()).collect();
        ensure!(departments.len() == requests::DEPARTMENTS_OF_A_MEMBER, "a member in three departments");
        Ok(Self {
            event: String::from_utf8(told.to_cloud_event())?,
            record: serde_json::to_string(record)?,
            inside: format!(",{},", departments.join(",")),
            // As many digits as a version has in the middle of a run.
            change: String::from_utf8(Change { version: 100_000, ..change.clone() }.to_json())?,
            departments,
            id,
            at,
        })
    }
}

fn event(tenant: &TenantId, plaintext: &str, at: i64) -> Result<Event> {
    let corp_id = Bridge::credentials().corp_id;
    let events = wecom::normalise(tenant, corp_id, plaintext, UnixMillis::from_seconds(at), None);
    let events = events.ok().context("a callback that is none")?;
    events.into_iter().next().context("a callback without an event")
}

fn tell(session: &mut Session, event: &Event) -> Result<()> {
    let EventBody::Directory(seen) = &event.body else { anyhow::bail!("a callback that is not about the directory") };
    session.tell(Incoming {
        observation: seen.clone(),
        event: event.id.clone(),
        received_at: event.received_at,
        traceparent: None,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_due_and_about_as_long_as_its_callback() {
        let sample = Sample::make(10).unwrap();
        for (text, least) in [(&sample.event, 700), (&sample.record, 500), (&sample.change, 500)] {
            assert!((least..2000).contains(&text.len()), "{} bytes", text.len());
            assert!(text.contains(&sample.id));
        }
        assert_eq!(sample.departments.len(), 3);
    }
}
