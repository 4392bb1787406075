//! Many companies behind one address, as WeCom has them: who asks for a token says of which one, and the token says it from then on.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{Answer, Api, ApiServer, Call, Interface};
use crate::query;

/// The APIs of many companies. Clones are the same ones.
#[derive(Clone)]
pub struct Crowd {
    /// Refuses whom nobody knows.
    first: Api,
    by_corp: Arc<HashMap<String, Api>>,
    by_token: Arc<Mutex<HashMap<String, Api>>>,
}

impl Crowd {
    /// Of at least one API. Each is to have a company of its own, and a seed of its own, or their tokens would be the same.
    #[must_use]
    pub fn new(apis: impl IntoIterator<Item = Api>) -> Option<Self> {
        let named = |api: Api| {
            let corp_id = api.company().corp_id().to_owned();
            (corp_id, api)
        };
        let by_corp: HashMap<String, Api> = apis.into_iter().map(named).collect();
        let first = by_corp.values().next()?.clone();
        Some(Self { first, by_corp: Arc::new(by_corp), by_token: Arc::default() })
    }

    /// Serves them on a thread of its own.
    ///
    /// # Errors
    /// If the server cannot be set up.
    pub fn listen(&self, listener: TcpListener) -> io::Result<ApiServer> {
        ApiServer::start(listener, self.clone())
    }

    /// Whose call it is.
    pub(super) fn of(&self, call: &Call<'_>) -> Api {
        let found = match query::parameter(call.query, "access_token") {
            Some(token) => self.tokens().get(&token).cloned(),
            None => query::parameter(call.query, "corpid").and_then(|corp_id| self.by_corp.get(&corp_id).cloned()),
        };
        found.unwrap_or_else(|| self.first.clone())
    }

    /// Remembers whose token it is that was given.
    pub(super) fn note(&self, call: &Call<'_>, api: &Api, answer: &Answer) {
        if Interface::find(call.method, call.path) != Some(Interface::GetToken) {
            return;
        }
        let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
        if let Some(token) = said.as_ref().and_then(|said| said.get("access_token")?.as_str()) {
            self.tokens().insert(token.to_owned(), api.clone());
        }
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, Api>> {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Api> for Crowd {
    /// A single one is asked whatever it is asked for.
    fn from(api: Api) -> Self {
        Self { first: api, by_corp: Arc::default(), by_token: Arc::default() }
    }
}

impl std::fmt::Debug for Crowd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crowd").field("companies", &self.by_corp.len().max(1)).finish_non_exhaustive()
    }
}
