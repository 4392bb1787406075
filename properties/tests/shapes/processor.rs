//! Processor time of this process.

use std::fs;

/// Kernel ticks of processor time per second, as `/proc` counts them: on every Linux the same.
const TICKS_PER_SECOND: f64 = 100.0;

/// How much this process has used until now, in seconds: all of its threads, those that have ended included.
pub(crate) fn seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The program's name may hold anything; behind it come numbers, user time and system time as the 12th and 13th.
    let (_, numbers) = stat.rsplit_once(") ").unwrap();
    let ticks = numbers.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}
