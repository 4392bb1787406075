//! What a record comes to: a request, a refusal, or nothing new.

use common::{
    EntityKind, Event, EventBody, EventKeys, Field, Fields, Observation, Platform, UnixMillis, What,
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

/// What the mirror has of a record's request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mirrored {
    standing: Standing,
    /// Of when the newest is that was told of it.
    told_at: UnixMillis,
}

/// How a record's request stands in the mirror.
#[derive(Debug, Clone, Default)]
enum Standing {
    /// It is not there, or was not looked for.
    #[default]
    Unknown,
    /// It waits, for the first time or anew.
    Waits,
    /// It was refused, and nothing was sent.
    Refused,
    /// It was sent, as this.
    Sent(String),
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
            // Of one time a request would hold, and the mirror may not have the newest one yet.
            at: since(source, record).plus_millis(1),
            request: None,
            departments: Vec::new(),
            content: WITHDRAWN.to_owned(),
            refusal: Some(Complaint::list(&[why])),
            is_withdrawn: true,
        }
    }

    /// What is new about it. Of a request that nothing came of it is said that it comes into being: only then is another one sent.
    pub(crate) fn judge(self, form: &str, known: Option<FormRecord>, mirrored: &Mirrored) -> Option<News> {
        let Mirrored { standing, told_at } = mirrored;
        let state = known.as_ref().map_or(State::Seen, |known| known.state);
        let is_waiting = matches!((standing, state), (Standing::Waits, State::Sent | State::Failed));
        // What is on its way, if only to the mirror, is not withdrawn: it would be asked for twice when it is approved again.
        if self.is_withdrawn && !is_waiting {
            return None;
        }
        let sent = match standing {
            Standing::Sent(request) => Some(request.as_str()),
            Standing::Unknown | Standing::Waits | Standing::Refused => None,
        };
        let was_withdrawn = known.as_ref().is_some_and(|known| known.content_hash == WITHDRAWN);
        // It was withdrawn, and the process died before that was noted; or the mirror did not hear yet of what was noted, and hears it twice.
        let is_unnoted = matches!((standing, state), (Standing::Refused, State::Sent | State::Failed));
        let is_same = known.as_ref().is_some_and(|known| known.content_hash == self.content);
        let is_known = match (state, &self.request) {
            _ if self.is_withdrawn => false,
            (_, Some(_)) if is_unnoted => false,
            (State::Seen, _) | (State::Refused, Some(_)) | (State::Failed, None) => false,
            (State::Created | State::Sent, _) => is_same,
            // What was given up on while it waited waits still, as it was last told.
            (State::Failed, Some(request)) => sent.map_or(is_same, |sent| sent == request),
            (State::Refused, None) => is_same && known.as_ref().is_some_and(|known| known.reasons == self.refusal),
        };
        if is_known {
            return None;
        }
        // Where nothing was ever tried, what was sent was told by a process that died before that was noted.
        let was_tried = known.as_ref().is_some_and(|known| known.attempts > 0);
        let is_on_its_way = sent.is_some() && (state == State::Sent || (state == State::Refused && !was_tried));
        // What is on its way is not stopped by what becomes of its record.
        let is_settled = state == State::Created || is_on_its_way;
        let is_valid = self.request.is_some();
        let (next, outcome) = match (is_settled, is_valid) {
            (true, _) => (State::Sent, "changed"),
            (false, true) => (State::Sent, "sent"),
            (false, false) => (State::Refused, "refused"),
        };
        let reasons = self.refusal.clone().filter(|_| next == State::Refused);
        let fields = self.fields(form);
        let is_another = sent.is_some_and(|sent| self.request.as_deref() != Some(sent));
        let what = match state {
            State::Failed => What::Created { fields },
            // Of one time this would be less than a refusal that was told before: only where another one was sent must it be so. What was sent
            // before a withdrawal came is on its way.
            State::Refused if is_another && !was_withdrawn && !is_on_its_way => What::Created { fields },
            State::Seen | State::Sent | State::Created | State::Refused => What::Updated { fields },
        };
        let Self { id, mut at, content, is_withdrawn, .. } = self;
        // Whether a step of the workflow moves the time of its record is not documented (reference jiandaoyun 14): of the same time as what was
        // told before, what is told now would be lost.
        if is_withdrawn || was_withdrawn || is_unnoted {
            at = at.max(told_at.plus_millis(1));
        }
        Some(News { id, content, state: next, reasons, before: known, outcome, at, what })
    }

    fn fields(&self, form: &str) -> Fields {
        match (&self.request, &self.refusal) {
            (Some(request), _) => onboarding::mapped(form, request, self.departments.clone()),
            (None, refusal) => onboarding::refused(form, refusal.clone().unwrap_or_default()),
        }
    }
}

impl Mirrored {
    /// What a record of the mirror says. Hints say nothing of it.
    pub(crate) fn of(record: &directory::Record) -> Self {
        let is_told = |fields: &&Fields| fields.has(Field::Refused);
        let newest = record.facts.iter().rev().find_map(|fact| Some((fact.at, fact.fields().filter(is_told)?)));
        let is_refused = newest.is_some_and(|(_, fields)| onboarding::refusal(fields).is_some());
        let standing = match record.sent.as_ref().and_then(|sent| onboarding::request(&sent.entity.fields)) {
            _ if record.is_parked() => Standing::Waits,
            Some(request) => Standing::Sent(request.to_owned()),
            None if is_refused => Standing::Refused,
            None => Standing::Unknown,
        };
        Self { standing, told_at: newest.map(|(at, _)| at).unwrap_or_default() }
    }
}

/// Whether what the mirror has of a record matters for what it comes to: whether its request was sent, and as what, is known there only.
pub(crate) const fn minds_mirror(known: &FormRecord) -> bool {
    matches!(known.state, State::Sent | State::Refused | State::Failed)
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
    const TOLD_AT: UnixMillis = UnixMillis(7);

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
            attempts: 1,
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
        let standing = sent.map_or(Standing::Waits, |sent| Standing::Sent(sent.to_owned()));
        let news = candidate(request, content).judge("a/b", row, &mirrored(standing))?;
        Some((news.state, matches!(news.what, What::Created { .. })))
    }

    fn mirrored(standing: Standing) -> Mirrored {
        Mirrored { standing, told_at: TOLD_AT }
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
        // It was told, and the process died before that was noted.
        assert_eq!(judged(Some(REQUEST), "2", Some((State::Refused, "1")), Some(REQUEST)), Some((State::Sent, false)));
        let never_tried = FormRecord { attempts: 0, ..known(State::Refused, "1") };
        let standing = mirrored(Standing::Sent("{}".to_owned()));
        let news = candidate(Some(REQUEST), "2").judge("a/b", Some(never_tried), &standing).unwrap();
        assert!(matches!((news.state, news.what), (State::Sent, What::Updated { .. })), "it is on its way");
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
        let judged = |row: Option<(State, &str)>, standing: Standing| {
            let row = row.map(|(state, content)| known(state, content));
            withdrawn().judge("a/b", row, &mirrored(standing)).map(|news| (news.state, news.at))
        };
        let refused = Some((State::Refused, TOLD_AT.plus_millis(1)));
        for state in [State::Sent, State::Failed] {
            for content in ["1", WITHDRAWN] {
                assert!(minds_mirror(&known(state, content)), "{state:?} {content}");
                let row = Some((state, content));
                assert_eq!(judged(row, Standing::Waits), refused, "{state:?} {content}");
                for on_its_way in [Standing::Unknown, Standing::Refused, Standing::Sent(REQUEST.to_owned())] {
                    assert_eq!(judged(row, on_its_way.clone()), None, "{row:?} {on_its_way:?}");
                }
            }
        }
        assert_eq!(judged(None, Standing::Waits), None, "nobody ever approved it");
        for state in [State::Created, State::Refused, State::Seen] {
            assert_eq!(judged(Some((state, "1")), Standing::Waits), None, "{state:?}");
        }
    }

    #[test]
    fn what_was_withdrawn_is_told_anew_later_than_that_and_begins_nothing_anew() {
        let judged = |state, content, standing| {
            let news = candidate(Some(REQUEST), "1").judge("a/b", Some(known(state, content)), &mirrored(standing))?;
            assert_eq!((news.state, news.at), (State::Sent, TOLD_AT.plus_millis(1)));
            Some(matches!(news.what, What::Created { .. }))
        };
        for standing in [Standing::Waits, Standing::Refused, Standing::Sent("{}".to_owned())] {
            assert_eq!(judged(State::Refused, WITHDRAWN, standing.clone()), Some(false), "{standing:?}");
        }
        // That it was withdrawn was told, and not noted.
        assert_eq!(judged(State::Sent, "1", Standing::Refused), Some(false));
        assert_eq!(judged(State::Failed, "1", Standing::Refused), Some(true));
        assert_eq!(judged(State::Sent, "1", Standing::Unknown), None, "the mirror may hear of it yet");
    }

    #[test]
    fn what_is_on_its_way_is_not_refused_any_more() {
        assert_eq!(judged(None, "2", Some((State::Sent, "1")), Some(REQUEST)), Some((State::Sent, false)));
        assert_eq!(judged(None, "2", Some((State::Sent, "1")), None), Some((State::Refused, false)), "it waits yet");
        assert_eq!(judged(None, "2", Some((State::Created, "1")), None), Some((State::Sent, false)));
    }
}
