//! Destinations that do what a test tells them to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use common::{Action, Change, EntityKey, Told, UnixMillis};
use destinations::{Batch, BuildError, Destination, Links, Message, Messages, Outcome, Rendered, Unavailable};
use service::{Tenant, tenant::DestinationFile};
use sink::Build;

/// What a fake was told and what it saw.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) is_down: bool,
    pub(crate) rejects: BTreeSet<EntityKey>,
    pub(crate) fails: BTreeSet<EntityKey>,
    /// Messages about them get no answer, though probes do.
    pub(crate) unanswered: BTreeSet<EntityKey>,
    /// Takes messages and never answers.
    pub(crate) is_mute: bool,
    pub(crate) probes: usize,
    pub(crate) rows: BTreeSet<EntityKey>,
    /// Versions in the order in which they were taken.
    pub(crate) taken: Vec<u64>,
    /// Every body that was sent, in order, whatever was answered.
    pub(crate) bodies: Vec<String>,
}

/// A destination; clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<Script>>);

impl Fake {
    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn taken(&self) -> Vec<u64> {
        self.script().taken.clone()
    }

    fn answer(&self, change: &Change) -> Outcome {
        let mut script = self.script();
        if let Some(missing) = change.refers_to.iter().find(|key| !key.is_root() && !script.rows.contains(key)) {
            return Outcome::Missing { what: Some(missing.clone()) };
        }
        if script.rejects.contains(&change.entity) {
            return Outcome::Rejected { reason: "not that one".into() };
        }
        if script.fails.contains(&change.entity) {
            return Outcome::Retry { reason: "500".into(), after: None };
        }
        match change.action {
            Action::Remove => script.rows.remove(&change.entity),
            _ => script.rows.insert(change.entity.clone()),
        };
        script.taken.push(change.version);
        Outcome::Applied
    }

    fn is_there(&self) -> Result<(), Unavailable> {
        let mut script = self.script();
        script.probes += 1;
        if script.is_down { Err(Unavailable::new("connection refused")) } else { Ok(()) }
    }
}

#[async_trait]
impl Batch for Fake {
    fn takes(&self, _change: &Change) -> bool {
        true
    }

    async fn prepare(&self, _links: &Links) -> Result<(), Unavailable> {
        self.is_there()
    }

    async fn apply(&self, batch: &[Change], _links: &Links) -> Result<Vec<Outcome>, Unavailable> {
        self.is_there()?;
        Ok(batch.iter().map(|change| self.answer(change)).collect())
    }

    async fn probe(&self) -> Result<(), Unavailable> {
        self.is_there()
    }

    async fn highest_version(&self) -> Result<u64, Unavailable> {
        Ok(0)
    }
}

#[async_trait]
impl Messages for Fake {
    fn takes(&self, _change: &Change) -> bool {
        true
    }

    fn render(
        &self,
        change: &Change,
        previous: Option<&Told>,
        now: UnixMillis,
        _last_sent_second: Option<i64>,
    ) -> Rendered {
        // As the real ones it holds something random, so that no two renderings are the same.
        let nonce: u64 = rand::random();
        let verb = if previous.is_some() { "update" } else { "create" };
        let doubt = previous.map(|told| &told.doubt);
        let body = serde_json::json!({"change": change, "verb": verb, "doubt": doubt, "nonce": nonce}).to_string();
        Rendered::Send(Message {
            url: "http://oa.example/".into(),
            content_type: "application/json".into(),
            body: body.into_bytes(),
            second: now.seconds(),
        })
    }

    async fn send(&self, message: &Message) -> Result<Outcome, Unavailable> {
        let body = String::from_utf8(message.body.clone()).unwrap_or_default();
        self.script().bodies.push(body.clone());
        self.is_there()?;
        let is_mute = self.script().is_mute;
        if is_mute {
            std::future::pending::<()>().await;
        }
        let told: serde_json::Value = serde_json::from_str(&body).unwrap();
        let change: Change = serde_json::from_value(told["change"].clone()).unwrap();
        let is_unanswered = self.script().unanswered.contains(&change.entity);
        if is_unanswered { Err(Unavailable::new("timed out")) } else { Ok(self.answer(&change)) }
    }

    async fn probe(&self, _now: UnixMillis) -> Result<(), Unavailable> {
        self.is_there()
    }

    fn spacing(&self) -> Option<Duration> {
        None
    }
}

/// Hands out fakes by the id of the destination: `core...` takes batches, the others messages.
#[derive(Clone, Default)]
pub(crate) struct Fakes(Arc<Mutex<BTreeMap<String, Fake>>>);

impl Fakes {
    pub(crate) fn get(&self, id: &str) -> Fake {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id.to_owned()).or_default().clone()
    }
}

impl Build for Fakes {
    fn build(&self, _tenant: &Tenant, file: &DestinationFile) -> Result<Destination, BuildError> {
        let fake = self.get(file.id.as_str());
        Ok(if file.id.as_str().starts_with("core") {
            Destination::Batch(Box::new(fake))
        } else {
            Destination::Messages(Box::new(fake))
        })
    }
}
