//! Who is let in: tokens, trusted addresses, limits, scripted troubles, permissions, in this order.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use super::accounts::Accounts;
use super::chance::{Chance, is_within, mix};
use super::cursor::Cursors;
use super::faults::Script;
use super::interface::Access;
use super::journal::{Journal, Outcome, Record, THROTTLED};
use super::limits::Meter;
use super::refusal::Refusal;
use super::reply;
use super::request::Input;
use super::tokens::Tokens;
use super::{About, ApiOptions, Identity, Interface, Trouble};

/// A changed list of trusted addresses works after a minute (reference wecom 4, 60020).
const TRUST_SETTLES_MS: i64 = 60_000;
/// For so long an address may not ask for tokens after too many wrong secrets (reference wecom 3.2).
const BAN_MS: i64 = 3_600_000;

/// All that the API knows beside the company.
pub(super) struct State {
    pub(super) options: Arc<ApiOptions>,
    pub(super) tokens: Tokens,
    pub(super) script: Script,
    pub(super) journal: Journal,
    pub(super) epoch: u64,
    corp_id: String,
    meter: Meter,
    accounts: Accounts,
    chance: Chance,
    wrong_secrets: HashMap<IpAddr, WrongSecrets>,
    unsettled: Vec<TrustChange>,
    refusals: u64,
}

#[derive(Default)]
struct WrongSecrets {
    count: u32,
    banned_until_ms: Option<i64>,
}

struct TrustChange {
    works_from_ms: i64,
    identity: Identity,
    addresses: Option<BTreeSet<IpAddr>>,
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
    pub(super) identity: Option<Identity>,
    pub(super) trouble: Option<Trouble>,
    pub(super) verdict: Result<Permit, Refusal>,
}

pub(super) enum Permit {
    /// There is nothing more to do: the body of the answer.
    Answered(Vec<u8>),
    /// The company is to be asked.
    Enter(Identity),
}

impl State {
    pub(super) fn new(corp_id: String, options: ApiOptions) -> Self {
        Self {
            meter: Meter::new(options.limits.clone()),
            options: Arc::new(options),
            tokens: Tokens::default(),
            script: Script::default(),
            journal: Journal::default(),
            epoch: 0,
            corp_id,
            accounts: Accounts::default(),
            chance: Chance::default(),
            wrong_secrets: HashMap::new(),
            unsettled: Vec::new(),
            refusals: 0,
        }
    }

    /// Changes options. Other limits begin to count anew.
    pub(super) fn configure(&mut self, change: impl FnOnce(&mut ApiOptions)) {
        change(Arc::make_mut(&mut self.options));
        if self.options.limits != *self.meter.limits() {
            self.meter = Meter::new(self.options.limits.clone());
        }
    }

    pub(super) fn trust(&mut self, identity: Identity, addresses: Option<BTreeSet<IpAddr>>, now_ms: i64) {
        let works_from_ms = now_ms.saturating_add(TRUST_SETTLES_MS);
        self.unsettled.push(TrustChange { works_from_ms, identity, addresses });
    }

    pub(super) fn cursors(&self) -> Cursors {
        Cursors { seed: self.options.seed, epoch: self.epoch }
    }

    /// Decides about a request; counts it.
    pub(super) fn admit(&mut self, asked: &Asked<'_>) -> Admission {
        self.settle_trust(asked.now_ms);
        self.journal.arrived(asked.interface, asked.now_ms);
        let mut admission = Admission { identity: None, trouble: None, verdict: Err(Refusal::of(-1)) };
        let options = Arc::clone(&self.options);
        let verdict = match asked.interface.access() {
            Access::Secret => self.give_token(asked, &options, &mut admission),
            access => self.let_in(access, asked, &options, &mut admission),
        };
        admission.verdict = verdict;
        admission
    }

    /// Notes what became of a request.
    pub(super) fn conclude(&mut self, asked: &Asked<'_>, identity: Option<Identity>, outcome: Outcome) {
        let (interface, at_ms, peer, about) = (asked.interface, asked.now_ms, asked.peer, asked.about.cloned());
        let record = Record { interface, at_ms, identity, peer, about, outcome };
        self.journal.answered(record, self.options.keep_records);
    }

    /// Notes whom a request that was done has created, and whether it has invited them.
    pub(super) fn note_creation(&mut self, asked: &Asked<'_>) {
        let (Interface::UserCreate, Some(About::Member(id))) = (asked.interface, asked.about) else { return };
        self.accounts.count(asked.now_ms);
        self.journal.created.push(id.clone());
        if asked.input.invites() {
            self.journal.invited.push(id.clone());
        }
    }

    /// The body of a refusal.
    pub(super) fn refuse(&mut self, asked: &Asked<'_>, refusal: &Refusal) -> Vec<u8> {
        self.refusals += 1;
        let number = mix(self.options.seed ^ mix(self.refusals));
        refusal.body(asked.interface, asked.peer, asked.now_ms.div_euclid(1000), number)
    }

    fn settle_trust(&mut self, now_ms: i64) {
        if self.unsettled.is_empty() {
            return;
        }
        let options = Arc::make_mut(&mut self.options);
        for change in self.unsettled.extract_if(.., |change| change.works_from_ms <= now_ms) {
            options.set_trusted(change.identity, change.addresses);
        }
    }

    fn give_token(
        &mut self,
        asked: &Asked<'_>,
        options: &ApiOptions,
        admission: &mut Admission,
    ) -> Result<Permit, Refusal> {
        self.pass_limits(asked, options, admission)?;
        let tries = self.wrong_secrets.entry(asked.peer).or_default();
        if tries.banned_until_ms.is_some_and(|until_ms| asked.now_ms < until_ms) {
            return Err(Refusal::of(THROTTLED));
        }
        let secret = asked.input.parameter("corpsecret").ok_or_else(|| Refusal::of(41004))?;
        let corp_id = asked.input.parameter("corpid").ok_or_else(|| Refusal::of(41002))?;
        if corp_id != self.corp_id {
            return Err(Refusal::of(40013));
        }
        let Some(identity) = options.owner_of(&secret) else {
            tries.count += 1;
            if tries.count > options.wrong_secrets {
                *tries = WrongSecrets { count: 0, banned_until_ms: Some(asked.now_ms.saturating_add(BAN_MS)) };
                return Err(Refusal::of(THROTTLED));
            }
            return Err(Refusal::of(40001));
        };
        tries.count = 0;
        admission.identity = Some(identity);
        let (token, expires_in) = self.tokens.issue(identity, options, &secret, asked.now_ms);
        reply::token(&token, expires_in).map(Permit::Answered)
    }

    fn let_in(
        &mut self,
        access: Access,
        asked: &Asked<'_>,
        options: &ApiOptions,
        admission: &mut Admission,
    ) -> Result<Permit, Refusal> {
        let token = asked.input.parameter("access_token").ok_or_else(|| Refusal::of(41001))?;
        let identity = self.tokens.check(&token, options, asked.now_ms)?;
        admission.identity = Some(identity);
        if !options.is_trusted(identity, asked.peer) {
            return Err(Refusal::of(60020));
        }
        self.pass_limits(asked, options, admission)?;
        permit(identity, access, asked.peer, options)?;
        if asked.interface == Interface::UserCreate {
            self.accounts.admit(options.account_limit, asked.now_ms)?;
        }
        Ok(Permit::Enter(identity))
    }

    fn pass_limits(
        &mut self,
        asked: &Asked<'_>,
        options: &ApiOptions,
        admission: &mut Admission,
    ) -> Result<(), Refusal> {
        if !self.meter.admit(asked.interface, asked.peer, asked.now_ms) {
            return Err(Refusal::of(THROTTLED));
        }
        admission.trouble = self.script.trouble(asked.interface, asked.about, admission.identity);
        if let Some(Trouble::Code(code)) = admission.trouble {
            return Err(Refusal::of(code));
        }
        if options.busy_share > 0.0 || options.conflict_share > 0.0 {
            let number = self.chance.draw(options.seed, asked.interface, asked.about);
            if is_within(number, options.busy_share) {
                return Err(Refusal::of(-1));
            }
            let writes = asked.interface.access() == Access::Write;
            if writes && is_within(mix(number.wrapping_add(1)), options.conflict_share) {
                return Err(Refusal::of(6000));
            }
        }
        Ok(())
    }
}

/// The matrix of reference wecom 0.
fn permit(identity: Identity, access: Access, peer: IpAddr, options: &ApiOptions) -> Result<(), Refusal> {
    let is_contact = identity == Identity::Contact;
    let code = match access {
        Access::Secret | Access::AnyToken => return Ok(()),
        Access::ContactOnly if is_contact => return Ok(()),
        Access::Write if is_contact && options.contact.may_write => return Ok(()),
        Access::Details if !is_contact || options.contact.old_addresses.contains(&peer) => return Ok(()),
        Access::Details => 48009,
        Access::ContactOnly | Access::Write => 48002,
    };
    Err(Refusal::of(code))
}
