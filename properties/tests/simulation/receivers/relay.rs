//! How a sink reaches the OA: one message per change.

use std::time::Duration;

use async_trait::async_trait;
use common::{Action, Change, Told, UnixMillis};
use destinations::{Message, Messages, Outcome, Rendered, Unavailable};

use super::{
    Which,
    link::{Fate, Link},
};
use crate::world::{State, Violation};

/// See the module.
pub(super) struct ToOa(Link);

impl ToOa {
    pub(super) const fn new(link: Link) -> Self {
        Self(link)
    }

    fn deliver(&self, body: &[u8]) -> (Fate, Outcome) {
        let world = &self.0.world;
        let mut guard = world.state();
        let state = &mut *guard;
        let Some(change) = state.receivers.oa.read(body) else {
            state.violated(Violation::Wrong("oa: a message that nobody made".to_owned()));
            return (Fate::Answered, Outcome::Applied);
        };
        let is_known = state.receivers.oa.has(&change);
        let fate = Fate::draw(state, world, Which::Oa, is_known);
        let outcome = if fate.arrives() { self.take(state, &change, body, is_known) } else { Outcome::Applied };
        (fate, outcome)
    }

    fn take(&self, state: &mut State, change: &Change, body: &[u8], is_known: bool) -> Outcome {
        let habits = self.0.world.habits;
        let is_refused =
            !is_known && (state.is_cursed(change, habits.cursed) || state.refuses(Which::Oa, change, habits.refuses));
        let said = if is_refused {
            "refused"
        } else {
            match state.receivers.oa.take(change, body) {
                Ok(true) => "again",
                Ok(false) => "taken",
                Err(violation) => {
                    state.violated(violation);
                    "wrong"
                }
            }
        };
        state.trace.note(self.0.who(), "oa", &format!("{} {} {said}", change.version, change.entity));
        if is_refused { Outcome::Retry { reason: "500".to_owned(), after: None } } else { Outcome::Applied }
    }
}

#[async_trait]
impl Messages for ToOa {
    fn takes(&self, _: &Change) -> bool {
        true
    }

    fn render(&self, change: &Change, previous: Option<&Told>, now: UnixMillis, _: Option<i64>) -> Rendered {
        // As the real one does where nothing can be seen of it.
        if let (Some(previous), Action::Upsert { entity, renamed_from: None }) = (previous, &change.action)
            && previous.entity == *entity
            && previous.doubt.is_empty()
        {
            return Rendered::Nothing;
        }
        Rendered::Send(Message {
            url: "https://oa.example/callback".to_owned(),
            content_type: "text/plain".to_owned(),
            body: self.0.world.state().receivers.oa.draft(change, previous),
            second: now.seconds(),
        })
    }

    async fn send(&self, message: &Message) -> Result<Outcome, Unavailable> {
        // Until the answer is heard.
        self.0.world.state().receivers.oa.note_unheard(&message.body);
        self.0.reach("oa.send").await?;
        let (fate, outcome) = self.deliver(&message.body);
        self.0.answer("oa.send", fate).await?;
        Ok(outcome)
    }

    async fn probe(&self, _: UnixMillis) -> Result<(), Unavailable> {
        self.0.ask("oa.probe").await
    }

    fn spacing(&self) -> Option<Duration> {
        None
    }
}
