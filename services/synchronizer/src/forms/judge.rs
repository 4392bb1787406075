//! What a record comes to: a request, a refusal, or nothing new.

use common::{
    EntityKind, Event, EventBody, EventKeys, Fields, Observation, Platform, UnixMillis, What,
    onboarding::{self, Complaint},
};
use jiandaoyun::{api::Record, mapping::Mapped};
use store::form_records::{FormRecord, State};

use super::source::Source;
use crate::desk::Desk;

/// What is remembered of a record in place of a hash of its content when its request was withdrawn.
const WITHDRAWN: &str = "withdrawn";

/// A record that is admitted, as it was mapped; or one that is not, and may have been before.
pub(crate) struct Candidate {
    /// The record's id.
    pub(crate) id: String,
    /// Since when it is so: the later of when the record was changed and when the mapping was applied.
    at: UnixMillis,
    /// The request; `None` where it is refused.
    request: Option<String>,
    departments: Vec<String>,
    /// A hash of what was mapped.
    content: String,
    /// Why it is refused, a JSON list of complaints.
    refusal: Option<String>,
    /// It is not admitted: whatever it asked for it asks for no more.
    pub(crate) is_withdrawn: bool,
}

/// How a record's request stands in the mirror.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Standing<'a> {
    /// It is not there, or was not looked for.
    Unknown,
    /// It waits, for the first time or anew.
    Waits,
    /// It was sent, as this.
    Sent(&'a str),
}

/// Something to be told of a record, and noted afterwards.
pub(crate) struct News {
    pub(crate) id: String,
    pub(crate) content: String,
    pub(crate) state: State,
    pub(crate) reasons: Option<String>,
    /// What was known of it before.
    pub(crate) before: Option<FormRecord>,
    /// For the metric.
    pub(crate) outcome: &'static str,
    at: UnixMillis,
    what: What,
}

impl Candidate {
    pub(crate) fn new(source: &Source, record: &Record, mapped: &Mapped) -> Self {
        let is_valid = mapped.is_valid();
        Self {
            id: record.id.clone(),
            at: since(source, record),
            request: is_valid.then(|| mapped.request_text()),
            departments: mapped.departments(),
            content: mapped.content.clone(),
            refusal: (!is_valid).then(|| Complaint::list(&mapped.complaints())),
            is_withdrawn: false,
        }
    }

    /// A record that is not approved, or does not fit the mapping's conditions.
    pub(crate) fn withdrawn(source: &Source, record: &Record) -> Self {
        let why = Complaint::new("", "it is not approved any more, or does not fit the conditions");
        Self {
            id: record.id.clone(),
            // Of one time a request would hold, and whether a step of the workflow moves it is not documented (reference jiandaoyun 14).
            at: since(source, record).plus_millis(1),
            request: None,
            departments: Vec::new(),
            content: WITHDRAWN.to_owned(),
            refusal: Some(Complaint::list(&[why])),
            is_withdrawn: true,
        }
    }

    /// Whether what was sent matters for what it comes to: whether its request was sent, and as what, knows only the mirror.
    pub(crate) fn minds_sent(&self, known: Option<&FormRecord>) -> bool {
        known.is_some_and(|known| match known.state {
            State::Failed | State::Refused => true,
            State::Sent => self.is_withdrawn || known.content_hash != self.content,
            State::Seen | State::Created => false,
        })
    }

    /// What is new about it. Of a request that nothing came of it is said that it comes into being: only then is another one sent.
    pub(crate) fn judge(self, form: &str, known: Option<FormRecord>, standing: Standing<'_>) -> Option<News> {
        let state = known.as_ref().map_or(State::Seen, |known| known.state);
        let is_waiting = matches!((standing, state), (Standing::Waits, State::Sent | State::Failed));
        // What is on its way, if only to the mirror, is not withdrawn: it would be asked for twice when it is approved again.
        if self.is_withdrawn && !is_waiting {
            return None;
        }
        let sent = match standing {
            Standing::Sent(request) => Some(request),
            Standing::Unknown | Standing::Waits => None,
        };
        let is_same = known.as_ref().is_some_and(|known| known.content_hash == self.content);
        let is_known = match (state, &self.request) {
            _ if self.is_withdrawn => false,
            (State::Seen, _) | (State::Refused, Some(_)) | (State::Failed, None) => false,
            (State::Created | State::Sent, _) => is_same,
            // What was given up on while it waited waits still, as it was last told.
            (State::Failed, Some(request)) => sent.map_or(is_same, |sent| sent == request),
            (State::Refused, None) => is_same && known.as_ref().is_some_and(|known| known.reasons == self.refusal),
        };
        if is_known {
            return None;
        }
        // What is on its way is not stopped by what becomes of its record.
        let is_settled = state == State::Created || (state == State::Sent && sent.is_some());
        let is_valid = self.request.is_some();
        let (next, outcome) = match (is_settled, is_valid) {
            (true, _) => (State::Sent, "changed"),
            (false, true) => (State::Sent, "sent"),
            (false, false) => (State::Refused, "refused"),
        };
        let reasons = self.refusal.clone().filter(|_| next == State::Refused);
        let fields = self.fields(form);
        let what = match state {
            State::Failed => What::Created { fields },
            // Of one time this would be less than a refusal that was told before: only where something was sent must it be so.
            State::Refused if sent.is_some() => What::Created { fields },
            State::Seen | State::Sent | State::Created | State::Refused => What::Updated { fields },
        };
        let Self { id, at, content, .. } = self;
        Some(News { id, content, state: next, reasons, before: known, outcome, at, what })
    }

    fn fields(&self, form: &str) -> Fields {
        match (&self.request, &self.refusal) {
            (Some(request), _) => onboarding::mapped(form, request, self.departments.clone()),
            (None, refusal) => onboarding::refused(form, refusal.clone().unwrap_or_default()),
        }
    }
}

/// Since when a record is as it is: the later of when it was changed and when the mapping was applied.
fn since(source: &Source, record: &Record) -> UnixMillis {
    let changed_at = record.update_time.or_else(|| record.created_at()).unwrap_or_default();
    changed_at.max(source.applied_at)
}

impl News {
    /// As an event. A record that is changed back says what it said before, and says it anew: so the time is a part of what makes it the
    /// same fact, and there is no shorter key.
    pub(crate) fn event(&self, desk: &Desk, source: &Source) -> Event {
        let id = source.form().entity_id(&self.id);
        let seen = Observation {
            kind: EntityKind::Onboarding,
            id,
            at: self.at,
            what: self.what.clone(),
            hint: false,
            answer: false,
        };
        // Texts only: there is nothing here that JSON cannot say.
        let content = serde_json::to_vec(&seen).unwrap_or_default();
        let content = EventKeys::content_hash(&source.form().to_string(), Some(&seen.key()), seen.at, &content);
        Event {
            id: content.clone(),
            tenant: source.tenant.clone(),
            platform: Platform::Jiandaoyun,
            received_at: desk.now(),
            keys: EventKeys { platform: None, content },
            traceparent: None,
            body: EventBody::Directory(seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"userid":"zhang"}"#;

    fn candidate(request: Option<&str>, content: &str) -> Candidate {
        Candidate {
            id: "r1".to_owned(),
            at: UnixMillis(1),
            request: request.map(str::to_owned),
            departments: Vec::new(),
            content: content.to_owned(),
            refusal: request.is_none().then(|| "[]".to_owned()),
            is_withdrawn: false,
        }
    }

    fn known(state: State, content: &str) -> FormRecord {
        FormRecord {
            form: "a/b".to_owned(),
            record: "r1".to_owned(),
            content_hash: content.to_owned(),
            state,
            user_id: None,
            reasons: (state == State::Refused).then(|| "[]".to_owned()),
            attempts: 0,
            updated_at: UnixMillis(1),
            untold: false,
        }
    }

    /// The next state, and whether it is said to come into being; `None` where there is nothing new.
    fn judged(
        request: Option<&str>,
        content: &str,
        row: Option<(State, &str)>,
        sent: Option<&str>,
    ) -> Option<(State, bool)> {
        let row = row.map(|(state, content)| known(state, content));
        let standing = sent.map_or(Standing::Waits, Standing::Sent);
        let news = candidate(request, content).judge("a/b", row, standing)?;
        Some((news.state, matches!(news.what, What::Created { .. })))
    }

    #[test]
    fn a_record_is_told_once_for_each_content() {
        assert_eq!(judged(Some(REQUEST), "1", None, None), Some((State::Sent, false)));
        for state in [State::Sent, State::Created] {
            assert_eq!(judged(Some(REQUEST), "1", Some((state, "1")), None), None, "{state:?}");
            assert_eq!(judged(Some(REQUEST), "2", Some((state, "1")), Some(REQUEST)), Some((State::Sent, false)));
        }
        assert_eq!(judged(None, "1", Some((State::Refused, "1")), None), None);
        assert_eq!(judged(None, "2", Some((State::Refused, "1")), None), Some((State::Refused, false)));
    }

    #[test]
    fn what_nothing_came_of_begins_anew_when_it_differs_from_what_was_sent() {
        assert_eq!(judged(Some(REQUEST), "1", Some((State::Failed, "1")), Some(REQUEST)), None);
        // It was changed while the request was on its way, and then that failed.
        assert_eq!(judged(Some(REQUEST), "2", Some((State::Failed, "2")), Some("{}")), Some((State::Sent, true)));
        assert_eq!(judged(None, "2", Some((State::Failed, "1")), Some(REQUEST)), Some((State::Refused, true)));
        assert_eq!(judged(Some(REQUEST), "1", Some((State::Refused, "1")), Some("{}")), Some((State::Sent, true)));
        assert_eq!(judged(Some(REQUEST), "1", Some((State::Refused, "1")), None), Some((State::Sent, false)));
    }

    #[test]
    fn what_was_given_up_on_while_it_waited_is_told_anew_when_it_differs_and_only_then() {
        assert_eq!(judged(Some(REQUEST), "1", Some((State::Failed, "1")), None), None, "as after our own answer");
        assert_eq!(judged(Some(REQUEST), "2", Some((State::Failed, "1")), None), Some((State::Sent, true)));
        assert_eq!(judged(None, "2", Some((State::Failed, "1")), None), Some((State::Refused, true)));
    }

    #[test]
    fn what_waits_is_withdrawn_with_its_approval_and_nothing_else_is() {
        let withdrawn = || Candidate { is_withdrawn: true, ..candidate(None, WITHDRAWN) };
        let judged = |row: Option<(State, &str)>, standing: Standing<'_>| {
            let row = row.map(|(state, content)| known(state, content));
            withdrawn().judge("a/b", row, standing).map(|news| news.state)
        };
        for state in [State::Sent, State::Failed] {
            for content in ["1", WITHDRAWN] {
                assert!(withdrawn().minds_sent(Some(&known(state, content))), "{state:?} {content}");
                let row = Some((state, content));
                assert_eq!(judged(row, Standing::Waits), Some(State::Refused), "{state:?} {content}");
                for on_its_way in [Standing::Unknown, Standing::Sent(REQUEST)] {
                    assert_eq!(judged(row, on_its_way), None, "{row:?} {on_its_way:?}");
                }
            }
        }
        assert_eq!(judged(None, Standing::Waits), None, "nobody ever approved it");
        for state in [State::Created, State::Refused, State::Seen] {
            assert_eq!(judged(Some((state, "1")), Standing::Waits), None, "{state:?}");
        }
    }

    #[test]
    fn what_is_on_its_way_is_not_refused_any_more() {
        assert_eq!(judged(None, "2", Some((State::Sent, "1")), Some(REQUEST)), Some((State::Sent, false)));
        assert_eq!(judged(None, "2", Some((State::Sent, "1")), None), Some((State::Refused, false)), "it waits yet");
        assert_eq!(judged(None, "2", Some((State::Created, "1")), None), Some((State::Sent, false)));
    }
}
