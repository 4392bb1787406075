//! The plant: DingTalk over it, a little life, and the events of that over Stream.

mod work;

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::options::Options;
use super::secrets::Secrets;
use super::{OpenError, say};
use crate::api::ApiClock;
use crate::dingtalk::api::{Api, ApiOptions};
use crate::dingtalk::{
    Chances, Clock, Company, CompanyOptions, Event, FailedList, FailedOptions, PushMeter, Server, ServerParts, Stream,
    StreamOptions,
};

/// What a bridge knows of it beforehand.
pub(super) struct Known {
    pub(super) tenant: &'static str,
    pub(super) name: &'static str,
    pub(super) corp_id: &'static str,
}

pub(super) const KNOWN: Known =
    Known { tenant: "sim-dingtalk", name: "示例制造有限公司第二工厂", corp_id: "dingsimulated00001" };

/// The application.
pub(super) const CLIENT_ID: &str = "dingsimulatedplant";

const DEPARTMENTS: usize = 4;
/// The plant was there a day before.
const HISTORY_MILLIS: i64 = 86_400_000;
/// So much less happens than at the company: what is asked about attendance is counted.
const SLOWER: u32 = 6;
/// Some events come twice, some late, some overtaken.
const CHANCES: Chances = Chances {
    burst: 0.1,
    late_duplicate: 0.1,
    late_by: Duration::from_secs(20),
    reorder: 0.2,
    reorder_by: Duration::from_secs(5),
};

pub(super) struct Dingtalk {
    api: Api,
    stream: Stream,
    clock: Clock,
    seed: u64,
    every: Duration,
    _server: Server,
}

impl Dingtalk {
    pub(super) fn open(
        options: &Options,
        secrets: &Secrets,
        clock: &ApiClock,
        listener: TcpListener,
    ) -> Result<Self, OpenError> {
        let seed = options.seed;
        let clock = Clock::following(Arc::clone(clock));
        let company = company(options, clock.now_ms())?;
        let failed = FailedList::new(FailedOptions::default());
        let stream_options =
            StreamOptions { seed, chances: CHANCES, ..StreamOptions::of_app(CLIENT_ID, &secrets.client) };
        let stream = Stream::new(stream_options, clock.clone(), failed.clone(), PushMeter::new(None))?;
        let api_options = ApiOptions { seed, keep_records: false, ..ApiOptions::new(CLIENT_ID, &secrets.client) };
        let api = Api::new(Arc::new(Mutex::new(company)), failed, api_options, clock.clone());
        let parts = ServerParts { streams: vec![stream.clone()], api: Some(Arc::new(api.clone())) };
        let server = Server::start(listener, parts)?;
        Ok(Self { api, stream, clock, seed, every: options.every.saturating_mul(SLOWER), _server: server })
    }

    /// Nothing happens before a gateway has connected.
    pub(super) async fn live(&self) {
        self.stream.connected(1).await;
        say("DingTalk has a Stream connection; its plant begins to live");
        for turn in 0.. {
            sleep(self.every).await;
            self.stream.push(&self.happen(turn));
        }
    }

    pub(super) fn status(&self) -> Value {
        let (tally, connections) = (self.stream.tally(), self.stream.live().len());
        let company = self.api.company();
        json!({
            "departments": company.departments().len(),
            "members": company.members().len(),
            "connections": connections,
            "events": tally.pushed,
            "sent": tally.sent,
            "acknowledged": tally.delivered,
            "given_up": tally.parked,
        })
    }

    fn happen(&self, turn: u64) -> Vec<Event> {
        let now_ms = self.clock.now_ms();
        let mut company = self.api.company();
        let now_ms = now_ms.max(company.now_ms());
        company.set_now_ms(now_ms);
        // What is drawn may be impossible just now: then nothing happens.
        work::something(&mut company, self.seed, turn).unwrap_or_default()
    }
}

fn company(options: &Options, now_ms: i64) -> Result<Company, OpenError> {
    let mut company = Company::new(CompanyOptions {
        seed: options.seed,
        corp_id: KNOWN.corp_id.to_owned(),
        name: KNOWN.name.to_owned(),
        start_ms: now_ms.saturating_sub(HISTORY_MILLIS),
        ..CompanyOptions::default()
    });
    let members = usize::try_from(options.members / 10).unwrap_or(usize::MAX).clamp(8, 40);
    company.populate(DEPARTMENTS, members)?;
    Ok(company)
}
