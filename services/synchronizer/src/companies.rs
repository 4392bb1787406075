//! A client for each tenant with a directory in WeCom, and what must be remembered between rounds.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use broker::Lane;
use common::{Clock, EntityKey, TenantId, UnixMillis};
use outbound::Governor;
use service::Tenant;
use wecom::api::{Client, Observer, Settings};

/// More than this is not remembered; what is forgotten is looked at once more.
const MISSED_MAX: usize = 100_000;

/// Makes clients, and keeps them with their tokens until the tenant is applied anew.
pub(crate) struct Companies {
    http: outbound::Client,
    governor: Arc<dyn Governor>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<TenantId, Arc<Company>>>,
}

/// A tenant as the platform knows it.
pub(crate) struct Company {
    pub(crate) tenant: TenantId,
    pub(crate) corp_id: String,
    pub(crate) lane: Lane,
    pub(crate) client: Client,
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
    /// A run, and the pull of another name that was under way when it wanted one: that will do for it.
    pub(crate) awaited: Option<(String, String)>,
}

impl Companies {
    pub(crate) fn new(
        http: outbound::Client,
        governor: Arc<dyn Governor>,
        observer: Arc<dyn Observer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { http, governor, observer, clock, known: Mutex::default() }
    }

    /// The company of a tenant; `None` where it has no `[wecom]` section.
    pub(crate) fn of(&self, tenant: &Tenant) -> Option<Arc<Company>> {
        let section = tenant.file.wecom.as_ref()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(company) = known.get(&tenant.file.id).filter(|company| company.revision == tenant.revision) {
            return Some(Arc::clone(company));
        }
        let settings = Settings {
            corp_id: section.corp_id.as_str().into(),
            contact_secret: section.contact_secret.clone(),
            agent_secret: section.agent_secret.clone(),
            api_base: section.api_base.clone(),
            egress: "".into(),
        };
        let client = Client::new(
            settings,
            self.http.clone(),
            Arc::clone(&self.governor),
            Arc::clone(&self.clock),
            Arc::clone(&self.observer),
        );
        let company = Arc::new(Company {
            tenant: tenant.file.id.clone(),
            corp_id: section.corp_id.clone(),
            lane: tenant.lane.clone(),
            client,
            revision: tenant.revision,
            memory: Mutex::new(Memory::new()),
        });
        known.insert(tenant.file.id.clone(), Arc::clone(&company));
        Some(company)
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

    const fn new() -> Self {
        Self {
            may_be_silent: true,
            probes: 0,
            probe_at: UnixMillis(i64::MIN),
            listed_at: None,
            too_large: BTreeSet::new(),
            missed: BTreeMap::new(),
            awaited: None,
        }
    }
}
