//! One run: the events of a history arrive in some order, some of them several times, in batches that may fail, and what the
//! resolver sends reaches a strict destination. In the end the destination must show the truth.

use std::{collections::VecDeque, fmt::Write};

use common::{Change, TenantId, UnixMillis};

use crate::{
    bugs::Bug,
    carrier::carry,
    destination::Destination,
    dice::Dice,
    model::History,
    shell::{Habits, Shell},
};

/// How the events of a history arrive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrival {
    /// Places in the history, in the order of arrival, with repeats.
    pub(crate) deliveries: Vec<usize>,
    /// Events come in batches of 1 to so many.
    pub(crate) batch_max: usize,
    /// So many entities at most are looked at again in one transaction.
    pub(crate) slice_max: usize,
    /// One transaction in so many is lost, and as many are committed without anybody hearing of it; 0: none.
    pub(crate) fails_once_in: usize,
    /// Facts that cannot be preceded by something still to come are folded.
    pub(crate) folds: bool,
    pub(crate) habits: Habits,
    /// The changes also go to an OA that is down for a while, and fails with some entities.
    pub(crate) oa_has_moods: bool,
}

/// Runs it; an error says what is wrong and shows everything that led to it.
pub(crate) fn run(history: &History, arrival: &Arrival, dice: &mut Dice, bug: Option<Bug>) -> Result<(), String> {
    let tenant: TenantId = "acme".parse().unwrap();
    let mut shell = Shell::new(tenant, &history.events, arrival.habits, bug);
    // A ring of renames needs somebody who is renamed twice. The core unties it, the courier need not.
    let meets_oa = arrival.oa_has_moods && !history.renamed_twice;
    let result = receive(&mut shell, history, arrival, dice)
        .and_then(|()| shell.check())
        .and_then(|()| if dice.once_in(50) { shell.check_json() } else { Ok(()) })
        .and_then(|()| deliver(&shell.outbox, dice, bug))
        .and_then(|destination| compare(history, &destination))
        .and_then(|()| if meets_oa { carry(&shell.outbox, &history.truth, dice, bug) } else { Ok(()) });
    result.map_err(|reason| explain(&reason, history, arrival, &shell.outbox))
}

fn receive(shell: &mut Shell<'_>, history: &History, arrival: &Arrival, dice: &mut Dice) -> Result<(), String> {
    let mut queue: VecDeque<usize> = (0..history.settled).chain(arrival.deliveries.iter().copied()).collect();
    let mut steps_left = 100 + 20 * queue.len();
    while !queue.is_empty() || !shell.due.is_empty() {
        steps_left = steps_left.checked_sub(1).ok_or("it never ends")?;
        let slice = dice.between(usize::from(queue.is_empty()), arrival.slice_max);
        let batch: Vec<usize> = queue.iter().take(dice.between(1, arrival.batch_max)).copied().collect();
        let horizon = if arrival.folds { horizon(history, &queue) } else { UnixMillis(0) };
        let transaction = shell.transact(&batch, slice, horizon);
        let other = (shell.bug == Some(Bug::NoLock)).then(|| {
            let batch: Vec<usize> = queue.iter().skip(batch.len()).take(1).copied().collect();
            shell.transact(&batch, 0, UnixMillis(0))
        });
        let succeeds = |dice: &mut Dice| arrival.fails_once_in == 0 || !dice.once_in(arrival.fails_once_in);
        let is_committed = succeeds(dice);
        let is_acknowledged = (is_committed && succeeds(dice)) || shell.bug == Some(Bug::EarlyAcknowledgement);
        if is_committed {
            shell.commit(transaction, dice);
        } else {
            shell.lose(transaction);
        }
        if is_acknowledged {
            queue.drain(..batch.len());
        }
        if let Some(other) = other {
            shell.commit(other, dice);
        }
    }
    Ok(())
}

/// Nothing that happened before this is still to come.
fn horizon(history: &History, queue: &VecDeque<usize>) -> UnixMillis {
    queue.iter().map(|event| history.events[*event].at).min().unwrap_or(UnixMillis(i64::MAX))
}

/// Hands over what is in the outbox, some of it again, with crashes between a destination's answer and the note of it.
fn deliver(outbox: &[Change], dice: &mut Dice, bug: Option<Bug>) -> Result<Destination, String> {
    let mut destination = Destination::default();
    let mut position: usize = 0;
    while position < outbox.len() {
        let first = position.saturating_sub(dice.below(4));
        let last = (position + dice.between(1, 6)).min(outbox.len());
        if bug == Some(Bug::GapIsSkipped) && dice.once_in(8) {
            position += 1;
        }
        for change in outbox.get(first..last).unwrap_or_default() {
            let is_repeat = change.version <= position as u64;
            if is_repeat && bug != Some(Bug::NoPositionCheck) {
                continue;
            }
            destination.apply(change)?;
            if dice.once_in(10) {
                break;
            }
            position = usize::try_from(change.version).unwrap();
        }
    }
    Ok(destination)
}

fn compare(history: &History, destination: &Destination) -> Result<(), String> {
    let mut wrong = String::new();
    for (key, truth) in &history.truth {
        match destination.rows().find(|row| row.0 == key) {
            None => writeln!(wrong, "{key} is missing").unwrap(),
            Some((_, row)) if row != truth => {
                writeln!(wrong, "{key}\n  is       {row:?}\n  and not  {truth:?}").unwrap()
            }
            Some(_) => {}
        }
    }
    for (key, _) in destination.rows().filter(|row| !history.truth.contains_key(row.0)) {
        writeln!(wrong, "{key} is there and should not be").unwrap();
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Everything that led to a failure, one line per event and change.
fn explain(reason: &str, history: &History, arrival: &Arrival, outbox: &[Change]) -> String {
    let mut text = format!("{reason}\n\nwhat happened:\n");
    for (place, event) in history.events.iter().enumerate() {
        let what = serde_json::to_string(&event.what).unwrap();
        writeln!(text, "  #{place} at {} {} {} {what}", event.at.seconds(), event.kind.as_str(), event.id).unwrap();
    }
    writeln!(text, "the first {} in order, then {arrival:?}\nwhat was sent:", history.settled).unwrap();
    for change in outbox {
        let action = serde_json::to_string(&change.action).unwrap();
        writeln!(text, "  {}: {} {action}", change.version, change.entity).unwrap();
    }
    text
}
