//! Who is let in: bans, scripted troubles, tokens, addresses, permissions, limits, the quota, in this order.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;

use super::faults::Script;
use super::interface::{Style, unified_corp};
use super::journal::{Journal, Outcome, Record};
use super::limits::{Crowd, Gauge, millis};
use super::refusal::{Gate, Refusal, Scene};
use super::reply::Good;
use super::request::Input;
use super::tokens::Tokens;
use super::{About, ApiOptions, Interface, Trouble};
use crate::dingtalk::{ids, time};

/// All that the API knows beside the company.
pub(super) struct State {
    pub(super) options: Arc<ApiOptions>,
    pub(super) tokens: Tokens,
    pub(super) script: Script,
    pub(super) journal: Journal,
    corp_id: String,
    gauge: Gauge,
    requests: u64,
}

/// A request as far as it could be read.
pub(super) struct Asked<'a> {
    pub(super) interface: Interface,
    pub(super) input: &'a Input<'a>,
    pub(super) about: Option<&'a About>,
    pub(super) peer: IpAddr,
    pub(super) now_ms: i64,
}

/// What was decided at the door.
pub(super) struct Admission {
    /// Whose token it was, or whose credentials.
    pub(super) client_id: Option<String>,
    pub(super) trouble: Option<Trouble>,
    pub(super) verdict: Result<Permit, Refusal>,
    /// Whether it counts towards the month's quota.
    pub(super) counted: bool,
    pub(super) scene: Scene,
}

pub(super) enum Permit {
    /// There is nothing more to do.
    Answered(Good),
    /// The company is to be asked.
    Enter,
}

impl State {
    pub(super) fn new(corp_id: String, options: ApiOptions) -> Self {
        Self {
            options: Arc::new(options),
            tokens: Tokens::default(),
            script: Script::default(),
            journal: Journal::default(),
            corp_id,
            gauge: Gauge::default(),
            requests: 0,
        }
    }

    /// The next number that looks random, for request ids.
    pub(super) fn number(&mut self) -> u64 {
        self.requests += 1;
        ids::draw(self.options.seed, &format!("request {}", self.requests))
    }

    /// Counts a request of any path; whether its address is banned.
    pub(super) fn is_banned(&mut self, peer: IpAddr, now_ms: i64) -> bool {
        let options = Arc::clone(&self.options);
        self.gauge.is_banned(&options.limits, peer, now_ms)
    }

    /// Bans an address.
    pub(super) fn ban(&mut self, peer: IpAddr, until_ms: i64) {
        self.gauge.ban(peer, until_ms);
    }

    /// From now on all apps together are too many for an interface.
    pub(super) fn crowd(&mut self, interface: Interface, from_ms: i64, until_ms: i64) -> Gate {
        let crowd = Crowd { from_ms, until_ms };
        self.gauge.crowd(interface, crowd);
        Gate::Crowd(crowd)
    }

    /// Decides about a request; counts it.
    pub(super) fn admit(&mut self, asked: &Asked<'_>) -> Admission {
        let scene = Scene { peer: asked.peer, number: self.number(), numeric: self.options.numeric_sub_codes };
        self.journal.arrived(asked.interface, asked.now_ms);
        let mut admission =
            Admission { client_id: None, trouble: None, verdict: Ok(Permit::Enter), counted: false, scene };
        admission.verdict = if self.is_banned(asked.peer, asked.now_ms) {
            Err(Gate::Banned.into())
        } else {
            self.decide(asked, &mut admission)
        };
        admission.counted = asked.interface.is_counted() && is_counted(&admission);
        if admission.counted {
            self.journal.spend(asked.interface, asked.now_ms);
        }
        admission
    }

    /// Notes what became of a request.
    pub(super) fn conclude(&mut self, asked: &Asked<'_>, client_id: Option<String>, counted: bool, outcome: Outcome) {
        let record = Record {
            interface: asked.interface,
            at_ms: asked.now_ms,
            client_id,
            peer: asked.peer,
            about: asked.about.cloned(),
            counted,
            outcome,
        };
        self.journal.answered(record, self.options.keep_records);
    }

    fn decide(&mut self, asked: &Asked<'_>, admission: &mut Admission) -> Result<Permit, Refusal> {
        let options = Arc::clone(&self.options);
        admission.trouble = self.script.trouble(asked.interface, asked.about);
        if let Some(trouble) = admission.trouble {
            self.strike(trouble, asked)?;
        }
        if asked.interface.is_token() {
            return self.give_token(asked, &options, admission).map(Permit::Answered);
        }
        let token = asked.input.token(asked.interface.style()).ok_or(Gate::NoToken)?;
        let client_id = self.tokens.check(&token, &options, asked.now_ms)?;
        let app = options.app(&client_id).ok_or(Gate::BadToken)?;
        admission.client_id = Some(client_id.clone());
        if app.trusted.as_ref().is_some_and(|trusted| !trusted.contains(&asked.peer)) {
            return Err(Gate::NotListed.into());
        }
        if app.lacks.contains(&asked.interface) {
            return Err(Gate::NoPermission.into());
        }
        self.pass_limits(asked, &options, &client_id)?;
        self.pass_quota(asked, &options)?;
        let busy = ids::draw(options.seed, &format!("busy {}", self.requests));
        if ids::is_within(busy, options.busy_share) {
            return Err(Gate::Busy.into());
        }
        Ok(Permit::Enter)
    }

    /// Lets a scripted trouble happen, where it is a refusal.
    fn strike(&mut self, trouble: Trouble, asked: &Asked<'_>) -> Result<(), Refusal> {
        let is_new = asked.interface.style() == Style::New;
        let until_ms = |pause| asked.now_ms.saturating_add(millis(pause));
        Err(match trouble {
            Trouble::Busy => Gate::Busy.into(),
            Trouble::Code(_) | Trouble::Wrapped { .. } if is_new => Refusal::New { status: 500, code: "systemError" },
            Trouble::Code(code) => Refusal::Old(code),
            Trouble::Wrapped { errcode, sub_code } => Refusal::Wrapped { errcode, sub_code },
            Trouble::Word(status, code) if is_new => Refusal::New { status, code },
            Trouble::Word(..) => Gate::Busy.into(),
            Trouble::Crowd(pause) => self.crowd(asked.interface, asked.now_ms, until_ms(pause)).into(),
            Trouble::Ban(pause) => {
                self.ban(asked.peer, until_ms(pause));
                Gate::Banned.into()
            }
            // These are not done either, and say why in no words.
            Trouble::Status(_) | Trouble::Cut => Gate::Busy.into(),
            Trouble::CutAfter | Trouble::Never | Trouble::Late(_) => return Ok(()),
        })
    }

    fn pass_limits(&mut self, asked: &Asked<'_>, options: &ApiOptions, client_id: &str) -> Result<(), Refusal> {
        if let Some(crowd) = self.gauge.crowd_of(&options.limits, asked.interface, asked.now_ms) {
            return Err(Gate::Crowd(crowd).into());
        }
        if !self.gauge.admit(&options.limits, client_id, asked.interface, asked.now_ms) {
            return Err(Gate::Qps.into());
        }
        Ok(())
    }

    fn pass_quota(&self, asked: &Asked<'_>, options: &ApiOptions) -> Result<(), Refusal> {
        let used = || self.journal.used(&time::month(asked.now_ms));
        if asked.interface.is_counted() && options.monthly_calls.is_some_and(|most| used() >= most) {
            return Err(Gate::Quota.into());
        }
        Ok(())
    }

    /// Reference dingtalk 4.2.
    fn give_token(
        &mut self,
        asked: &Asked<'_>,
        options: &ApiOptions,
        admission: &mut Admission,
    ) -> Result<Good, Refusal> {
        let (client_id, client_secret) = credentials(asked, &self.corp_id)?;
        if !options.knows(&client_id, &client_secret) {
            return Err(match asked.interface {
                Interface::GetToken => Refusal::Old(40_096),
                Interface::UnifiedToken => Refusal::New { status: 400, code: "invalid.client" },
                _ => Refusal::New { status: 400, code: "invalidClientIdOrSecret" },
            });
        }
        self.pass_limits(asked, options, &client_id)?;
        let token = self.tokens.issue(options, &client_id, &client_secret, asked.now_ms);
        admission.client_id = Some(client_id);
        let seconds = options.token_life.as_secs();
        Ok(match asked.interface {
            Interface::AccessToken => Good::Result(json!({ "accessToken": &*token, "expireIn": seconds })),
            Interface::UnifiedToken => Good::Result(json!({ "access_token": &*token, "expires_in": seconds })),
            _ => Good::beside(json!({ "access_token": &*token, "expires_in": seconds })),
        })
    }
}

/// What was sent to get a token: client id and secret.
fn credentials(asked: &Asked<'_>, corp_id: &str) -> Result<(String, String), Refusal> {
    let input = asked.input;
    if asked.interface == Interface::GetToken {
        // A body is ignored, whatever it holds.
        let pair = input.parameter("appkey").zip(input.parameter("appsecret"));
        return pair.ok_or(Refusal::INVALID_LIST);
    }
    let missing = Refusal::New { status: 400, code: "Missingbody" };
    let fields = input.fields().filter(|_fields| !input.is_form()).ok_or(missing)?;
    let text = |name: &str| fields.text(name).map(str::to_owned);
    if asked.interface == Interface::AccessToken {
        return text("appKey").zip(text("appSecret")).ok_or(missing);
    }
    if unified_corp(input.path()) != Some(corp_id) {
        return Err(Refusal::New { status: 500, code: "unknownError" });
    }
    if fields.text("grant_type") != Some("client_credentials") {
        return Err(Refusal::New { status: 400, code: "unsupported.grant.type" });
    }
    let nobody = Refusal::New { status: 400, code: "invalid.client" };
    text("client_id").zip(text("client_secret")).ok_or(nobody)
}

/// Calls that are refused for too many calls and those without an answer do not count towards the quota (reference
/// dingtalk 5.1); all others do, refused or not.
fn is_counted(admission: &Admission) -> bool {
    let unanswered =
        [Trouble::Cut, Trouble::CutAfter, Trouble::Never].iter().any(|silence| admission.trouble == Some(*silence));
    let wordless = matches!(admission.trouble, Some(Trouble::Status(_)));
    let refused = admission.verdict.as_ref().err().is_some_and(|refusal| !refusal.is_counted());
    !unanswered && !wordless && !refused
}
