//! How long things may take, and how much at once.

use std::time::Duration;

use common::Backoff;

/// The waits and limits that are not configuration. The defaults are for the real world; tests shorten the real ones.
/// What is compared with the platform's time, such as the pause between two looks at what is absent, is not here: those
/// are rules, see [`crate::questions::absence`].
#[derive(Debug, Clone)]
pub struct Timing {
    /// How often questions are looked for though nobody rang.
    pub look_every: Duration,
    /// How long a claimed question is ours. Longer than a round.
    pub claim: Duration,
    /// How often it is looked whether a run is due, or was left in the middle.
    pub runs_every: Duration,
    /// How long a run is ours without a word. Longer than a step.
    pub hold: Duration,
    /// The pause between two steps of the walk over details, each a call.
    pub walk_every: Duration,
    /// Tenants that take such a step at one beat, at most: with many of them each has its turn less often.
    pub walkers: usize,
    /// Entities that are compared at once.
    pub compared: i64,
    /// Departments whose members a pull asks for at once, at most. The answers are in memory until they are written, in one
    /// transaction; as many again are on their way meanwhile.
    pub departments: i64,
    /// Questions that are claimed at once.
    pub round: i64,
    /// Calls of one tenant that are on their way at once.
    pub in_flight: usize,
    /// The time limit of one request.
    pub request_timeout: Duration,
    /// Waits after a question that got no answer, and between two looks whether a silent platform answers again.
    pub backoff: Backoff,
    /// From the first punch that is asked about to the call that tells of it: what is punched meanwhile is told by the same call.
    pub gather: Duration,
    /// Between two such calls, and the longest that a punch waits for one.
    pub gather_apart: Duration,
    /// How long after it was first asked about a member's day is looked at again, at the latest: results may be late.
    pub look_soon: Duration,
    /// The same once more, and a last time at [`look_hour`](Self::look_hour).
    pub look_later: Duration,
    /// The hour by China's clock at which days are looked at again the morning after: by then the platform has settled them.
    pub look_hour: u8,
    /// How often it is looked whether failed pushes are to be read, somebody was matched, or records are to be compared.
    pub tend_every: Duration,
    /// How many days back attendance is compared.
    pub compared_days: i64,
    /// How many days back approvals are compared, counted from when they were started.
    pub compared_approval_days: i64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            claim: Duration::from_secs(300),
            runs_every: Duration::from_secs(5),
            hold: Duration::from_secs(120),
            walk_every: Duration::from_secs(2),
            walkers: 64,
            compared: 1000,
            departments: 16,
            round: 1000,
            in_flight: 64,
            request_timeout: Duration::from_secs(15),
            backoff: Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(60) },
            gather: Duration::from_secs(20),
            gather_apart: Duration::from_secs(60),
            look_soon: Duration::from_secs(60),
            look_later: Duration::from_secs(600),
            look_hour: 4,
            tend_every: Duration::from_secs(5),
            compared_days: 3,
            compared_approval_days: 7,
        }
    }
}

/// How many milliseconds that is, to be added to a time.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
