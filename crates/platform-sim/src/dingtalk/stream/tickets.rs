//! Tickets: for one connection, and for a short time.

use std::collections::HashMap;

use super::super::ids;

/// What is known of who opened a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pass {
    /// Whether events go to it.
    pub(crate) wants_events: bool,
    /// `ua` of the request.
    pub(crate) ua: String,
    /// `localIp` of the request.
    pub(crate) local_ip: String,
}

#[derive(Default)]
pub(super) struct Tickets {
    next: u64,
    known: HashMap<String, Ticket>,
}

struct Ticket {
    until_ms: i64,
    /// Gone once it was used.
    pass: Option<Pass>,
}

/// Why a ticket is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoEntry {
    /// Never handed out here.
    Unknown,
    /// Used before, or too old.
    Spent,
}

impl Tickets {
    /// A new ticket, of URL-safe characters.
    pub(super) fn issue(&mut self, seed: u64, pass: Pass, until_ms: i64) -> String {
        self.next += 1;
        let ticket = ids::uuid(&format!("ticket/{seed}/{}", self.next));
        self.known.insert(ticket.clone(), Ticket { until_ms, pass: Some(pass) });
        ticket
    }

    /// Uses a ticket up.
    pub(super) fn redeem(&mut self, ticket: &str, now_ms: i64) -> Result<Pass, NoEntry> {
        let ticket = self.known.get_mut(ticket).ok_or(NoEntry::Unknown)?;
        let pass = ticket.pass.take().ok_or(NoEntry::Spent)?;
        if now_ms < ticket.until_ms { Ok(pass) } else { Err(NoEntry::Spent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_for_its_time() {
        let mut tickets = Tickets::default();
        let pass = Pass { wants_events: true, ..Pass::default() };
        let first = tickets.issue(1, pass.clone(), 1_000);
        let second = tickets.issue(1, pass.clone(), 1_000);
        assert_ne!(first, second);
        assert_eq!(tickets.redeem(&first, 999), Ok(pass));
        assert_eq!(tickets.redeem(&first, 999), Err(NoEntry::Spent));
        assert_eq!(tickets.redeem(&second, 1_000), Err(NoEntry::Spent));
        assert_eq!(tickets.redeem("x", 0), Err(NoEntry::Unknown));
    }
}
