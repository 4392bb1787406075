//! What clients say.

use super::super::frames::Reply;
use super::journal::Told;
use super::state::State;

impl State {
    /// Takes in a frame of a client.
    pub(super) fn hear(&mut self, connection: u64, text: &str, now_ms: i64) {
        let Some(reply) = Reply::parse(text) else {
            self.journal.tally.unreadable += 1;
            return;
        };
        if let Some(waiting) = self.pending.remove(&reply.message_id) {
            let fate = reply.fate();
            self.journal.replied(&reply.message_id, fate, now_ms);
            if let Some(connection) = self.connections.get_mut(&connection) {
                connection.info.replied += 1;
            }
            // Who waited may just have given up.
            waiting.send(fate).ok();
        } else if self.journal.knows(&reply.message_id) {
            self.journal.late(&reply.message_id, reply.fate());
        } else if let Some(data) = self.pings.remove(&reply.message_id) {
            let echoed = reply.code == 200 && reply.data == data;
            let tally = &mut self.journal.tally;
            if echoed { tally.echoes += 1 } else { tally.wrong_echoes += 1 }
        }
        self.journal.tell(Told { connection, at_ms: now_ms, reply });
    }
}
