//! In place of the queue: what the synchronizer publishes goes into the post.

use std::sync::Arc;

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Error, Handler, Lane, Outgoing, Result};
use common::{Event, Hop};
use tokio_util::sync::CancellationToken;

use crate::{faults::Kind, post::Letter, world::World};

/// See the module.
pub(crate) struct Mailbox(pub(crate) Arc<World>);

#[async_trait]
impl Broker for Mailbox {
    async fn publish(&self, hop: Hop, _lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        let world = &self.0;
        let mut state = world.state();
        state.trace.note("synchronizer", "publishes", &format!("{} {}", messages.len(), hop.as_str()));
        if hop != Hop::Events {
            return Ok(());
        }
        if state.strikes(Kind::PublishFailed) {
            return Err(Error::Unavailable);
        }
        for message in &messages {
            let event = Event::from_cloud_event(&message.payload).unwrap();
            if state.happens(Kind::AnswerRepeated, world.habits.answer_is_repeated) {
                let arrives = world.arrival(&mut state, Kind::AnswerDelayed, 1);
                state.post.send(arrives, Letter::Event(event.clone()));
            }
            let arrives = world.arrival(&mut state, Kind::AnswerDelayed, world.habits.answer_is_delayed);
            state.post.send(arrives, Letter::Event(event));
        }
        if state.strikes(Kind::ConfirmLost) { Err(Error::Unconfirmed) } else { Ok(()) }
    }

    async fn consume(
        &self,
        _hop: Hop,
        _lanes: &[Lane],
        _options: ConsumeOptions,
        _handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    async fn depth(&self, _hop: Hop) -> Result<u64> {
        Ok(u64::from(!self.0.state().post.is_empty()))
    }
}
