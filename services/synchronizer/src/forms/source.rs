//! A tenant's form, and how it is asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use broker::Lane;
use common::{Clock, TenantId, UnixMillis};
use jiandaoyun::{
    Form,
    api::{Client, Observer, Rate, Settings},
    mapping::{Mapping, Zone},
};
use outbound::Governor;
use serde_json::Value;
use service::{
    Tenant,
    tenant::{DestinationKind, FormRate, JiandaoyunSection},
};

use super::bind::Bound;
use crate::metrics::PlatformRequests;

/// Makes them, and keeps them until the tenant is applied anew.
pub(crate) struct Sources {
    http: outbound::Client,
    governor: Arc<dyn Governor>,
    observer: Arc<PlatformRequests>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<TenantId, Known>>,
}

/// What was made of a revision of a tenant; nothing where its mapping cannot be used.
struct Known {
    revision: i64,
    source: Option<Arc<Source>>,
}

/// A tenant's form.
pub(crate) struct Source {
    pub(crate) tenant: TenantId,
    pub(crate) lane: Lane,
    pub(crate) client: Client,
    /// As its file has it, not yet compared with the form.
    pub(crate) mapping: Mapping,
    /// When this mapping was applied: what a record was before counts anew.
    pub(crate) applied_at: UnixMillis,
    /// Nobody is asked for who was entered before; `None` for when the form was first known.
    pub(crate) start: Option<UnixMillis>,
    /// Between two polls.
    pub(crate) every_millis: i64,
    /// How far a poll looks back beyond the one before.
    pub(crate) overlap_millis: i64,
    memory: Mutex<Memory>,
}

/// What one process remembers of a form. To lose it costs a few calls.
#[derive(Default)]
pub(crate) struct Memory {
    /// The mapping as it fits the form.
    pub(crate) bound: Option<Arc<Bound>>,
    /// Nothing is asked before this.
    pub(crate) rests_until: Option<UnixMillis>,
    /// How often in a row there was no answer.
    pub(crate) failures: u32,
    /// Outcomes are not written back before this, since one could not be.
    pub(crate) answers_from: Option<UnixMillis>,
    /// All records were read once with this mapping.
    pub(crate) was_read_in_full: bool,
}

impl Sources {
    pub(crate) fn new(
        http: outbound::Client,
        governor: Arc<dyn Governor>,
        observer: Arc<PlatformRequests>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { http, governor, observer, clock, known: Mutex::default() }
    }

    /// The form of a tenant; `None` where it has none from which members are made.
    pub(crate) fn of(&self, tenant: &Tenant) -> Option<Arc<Source>> {
        let file = &tenant.file;
        let section = file.jiandaoyun.as_ref().filter(|section| section.mapping != Value::Null)?;
        if !file.destinations.iter().any(|destination| destination.kind() == DestinationKind::WecomMembers) {
            return None;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&file.id).filter(|known| known.revision == tenant.revision) {
            return known.source.clone();
        }
        let source = self.make(tenant, section).map(Arc::new);
        known.insert(file.id.clone(), Known { revision: tenant.revision, source: source.clone() });
        source
    }

    fn make(&self, tenant: &Tenant, section: &JiandaoyunSection) -> Option<Source> {
        let file = &tenant.file;
        let Some(zone) = Zone::named(&file.time_zone) else {
            let (id, time_zone) = (&file.id, &file.time_zone);
            tracing::error!(tenant.id = %id, %time_zone, "a form's dates need a zone without summer time: it is not read");
            return None;
        };
        let mapping = match Mapping::parse(&section.mapping, &zone) {
            Ok((mapping, _)) => mapping,
            Err(problems) => {
                for problem in problems {
                    tracing::error!(tenant.id = %file.id, %problem, "the mapping cannot be used: its form is not read");
                }
                return None;
            }
        };
        let rate = match section.rate {
            FormRate::Gentle => Rate::Gentle,
            FormRate::Full => Rate::Full,
        };
        let settings = Settings { api_key: section.api_key.clone(), api_base: section.api_base.clone(), rate };
        let client = Client::new(
            settings,
            self.http.clone(),
            Arc::clone(&self.governor),
            Arc::clone(&self.clock),
            Arc::clone(&self.observer) as Arc<dyn Observer>,
        );
        Some(Source {
            tenant: file.id.clone(),
            lane: tenant.lane.clone(),
            client,
            mapping,
            applied_at: tenant.applied_at,
            start: UnixMillis::from_rfc3339(&section.start),
            every_millis: millis(section.every_seconds),
            overlap_millis: millis(section.overlap_seconds),
            memory: Mutex::default(),
        })
    }
}

impl Source {
    pub(crate) fn form(&self) -> &Form {
        self.mapping.form()
    }

    /// Until when nothing is to be asked; `None` if it may be now.
    pub(crate) fn rests_until(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.memory().rests_until.filter(|until| now < *until)
    }

    /// What is remembered. To be held for a moment only.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}
