//! A client for each tenant with a directory at a platform, and what must be remembered between rounds.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use broker::Lane;
use common::{Clock, EntityKey, Platform, TenantId, UnixMillis};
use outbound::Governor;
use service::{
    Tenant,
    tenant::{DingtalkSection, WecomSection},
};

use crate::{
    contacts::Contacts,
    details::{App, Meters, QuotaMeter},
    metrics::PlatformRequests,
};

/// More than this is not remembered; what is forgotten is looked at once more.
const MISSED_MAX: usize = 100_000;

/// Makes clients, and keeps them with their tokens until the tenant is applied anew.
pub(crate) struct Companies {
    http: outbound::Client,
    governor: Arc<dyn Governor>,
    observer: Arc<PlatformRequests>,
    clock: Arc<dyn Clock>,
    meters: Meters,
    known: Mutex<HashMap<TenantId, Arc<Company>>>,
}

/// A tenant as the platform of its directory knows it.
pub(crate) struct Company {
    pub(crate) tenant: TenantId,
    /// Whose directory is the truth.
    pub(crate) platform: Platform,
    /// Its id there.
    pub(crate) corp_id: String,
    pub(crate) lane: Lane,
    pub(crate) contacts: Contacts,
    /// Where the tenant has DingTalk, whether its directory is there or not: attendance and approvals.
    pub(crate) dingtalk: Option<App>,
    revision: i64,
    memory: Mutex<Memory>,
}

/// What one process remembers of a company. To lose it costs a few calls.
pub(crate) struct Memory {
    /// The platform may be silent: it is, or nobody has looked yet.
    pub(crate) may_be_silent: bool,
    /// How often in a row it was still silent.
    pub(crate) probes: u32,
    /// When it is worth looking again.
    pub(crate) probe_at: UnixMillis,
    /// When the list of all members was last asked for.
    pub(crate) listed_at: Option<UnixMillis>,
    /// Departments whose members are too many for one answer.
    pub(crate) too_large: BTreeSet<String>,
    /// When a list first did not have what is asked about: newer than what the question itself remembers, if something was told of
    /// it meanwhile.
    pub(crate) missed: BTreeMap<EntityKey, UnixMillis>,
    /// How lists spell the ids of members that were asked about, where that is not as in their keys.
    pub(crate) spelled: BTreeMap<EntityKey, String>,
    /// A run, and the pull of another name that was under way when it wanted one: that will do for it.
    pub(crate) awaited: Option<(String, String)>,
}

impl Companies {
    pub(crate) fn new(
        http: outbound::Client,
        governor: Arc<dyn Governor>,
        observer: Arc<PlatformRequests>,
        clock: Arc<dyn Clock>,
        meters: Meters,
    ) -> Self {
        Self { http, governor, observer, clock, meters, known: Mutex::default() }
    }

    /// What counts the calls that cost a part of the month's quota.
    pub(crate) const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// The company of a tenant; `None` where it has no platform.
    pub(crate) fn of(&self, tenant: &Tenant) -> Option<Arc<Company>> {
        let file = &tenant.file;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(company) = known.get(&file.id).filter(|company| company.revision == tenant.revision) {
            return Some(Arc::clone(company));
        }
        let platform = file.directory?;
        let dingtalk = file.dingtalk.as_ref().map(|section| {
            let meter = self.meters.of(&file.id, section);
            (section, self.dingtalk(section, meter))
        });
        let (corp_id, contacts) = match platform {
            Platform::Wecom => {
                let section = file.wecom.as_ref()?;
                (&section.corp_id, Contacts::Wecom(self.wecom(section)))
            }
            Platform::Dingtalk => {
                let (section, client) = dingtalk.as_ref()?;
                (&section.corp_id, Contacts::Dingtalk(client.clone()))
            }
            Platform::Jiandaoyun => return None,
        };
        let is_directory = platform == Platform::Dingtalk;
        let dingtalk = dingtalk.map(|(section, client)| App::new(client, section, is_directory));
        let company = Arc::new(Company {
            tenant: file.id.clone(),
            platform,
            corp_id: corp_id.clone(),
            lane: tenant.lane.clone(),
            contacts,
            dingtalk,
            revision: tenant.revision,
            memory: Mutex::new(Memory::new()),
        });
        known.insert(file.id.clone(), Arc::clone(&company));
        Some(company)
    }

    fn wecom(&self, section: &WecomSection) -> wecom::api::Client {
        let settings = wecom::api::Settings {
            corp_id: section.corp_id.as_str().into(),
            contact_secret: section.contact_secret.clone(),
            agent_secret: section.agent_secret.clone(),
            api_base: section.api_base.clone(),
            egress: "".into(),
        };
        wecom::api::Client::new(
            settings,
            self.http.clone(),
            Arc::clone(&self.governor),
            Arc::clone(&self.clock),
            Arc::clone(&self.observer) as Arc<dyn wecom::api::Observer>,
        )
    }

    fn dingtalk(&self, section: &DingtalkSection, meter: Arc<QuotaMeter>) -> dingtalk::api::Client {
        let settings = dingtalk::api::Settings {
            corp_id: section.corp_id.as_str().into(),
            client_id: section.client_id.as_str().into(),
            client_secret: section.client_secret.clone(),
            api_base: section.api_base.clone(),
            oapi_base: section.oapi_base.clone(),
            egress: "".into(),
            approvals_per_second: section.approvals_per_second,
        };
        dingtalk::api::Client::new(
            settings,
            self.http.clone(),
            Arc::clone(&self.governor),
            meter,
            Arc::clone(&self.clock),
            Arc::clone(&self.observer) as Arc<dyn dingtalk::api::Observer>,
        )
    }
}

impl Company {
    /// What is remembered. To be held for a moment only.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Remembers that a list did not have something for the first time.
    pub(crate) fn miss(&mut self, about: EntityKey, at: UnixMillis) {
        if self.missed.len() >= MISSED_MAX {
            self.missed.pop_first();
        }
        self.missed.insert(about, at);
    }

    /// Remembers how a list spells an id.
    pub(crate) fn spell(&mut self, about: &EntityKey, id: &str) {
        if &*about.id == id {
            return;
        }
        if self.spelled.len() >= MISSED_MAX {
            self.spelled.pop_first();
        }
        self.spelled.insert(about.clone(), id.to_owned());
    }

    const fn new() -> Self {
        Self {
            may_be_silent: true,
            probes: 0,
            probe_at: UnixMillis(i64::MIN),
            listed_at: None,
            too_large: BTreeSet::new(),
            missed: BTreeMap::new(),
            spelled: BTreeMap::new(),
            awaited: None,
        }
    }
}
