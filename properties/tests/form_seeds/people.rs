//! Who fills in the form, changes what is there, and approves it.

use platform_sim::jiandaoyun::{FlowState, FormId, FormRecord, Forms, samples::STATUS};
use serde_json::json;

use crate::dice::Dice;

/// The field that holds the mobile number.
const MOBILE: &str = "_widget_1002";
const BAD_MOBILE: &str = "021-66668888";

/// One of them, at one moment.
pub(crate) fn act(forms: &mut Forms, form: &FormId, dice: &mut Dice) {
    match dice.below(8) {
        // Some at one moment: pages have to part them.
        0 => (0..dice.between(2, 6)).for_each(|_| submit(forms, form, dice)),
        1 | 2 => submit(forms, form, dice),
        3..=5 => decide(forms, form, dice),
        6 => correct(forms, form, dice),
        _ => remark(forms, form, dice),
    }
}

fn submit(forms: &mut Forms, form: &FormId, dice: &mut Dice) {
    let number = dice.roll() % 100_000_000;
    let mobile = if dice.once_in(5) { BAD_MOBILE.to_owned() } else { good_mobile(number) };
    let values = json!({
        "_widget_1001": "王小明", MOBILE: mobile, "_widget_1003": "[1]", "_widget_1004": "工程师",
        "_widget_1005": format!("u{number}"),
    });
    let record = forms.submit(form, values).unwrap();
    // Some are approved by whoever enters them.
    if dice.once_in(3) {
        forms.step(form, &record, FlowState::Approved).unwrap();
    }
}

/// Somebody approves, refuses or ends what is under way.
fn decide(forms: &mut Forms, form: &FormId, dice: &mut Dice) {
    let running = records(forms, form, |record| record.flow_state == Some(FlowState::Running));
    let Some(record) = dice.pick(&running) else { return submit(forms, form, dice) };
    let verdicts =
        [FlowState::Approved, FlowState::Approved, FlowState::Approved, FlowState::Refused, FlowState::Ended];
    let verdict = dice.pick(&verdicts).copied().unwrap();
    forms.step(form, record, verdict).unwrap();
}

/// Somebody gives another number, a good one, whether the one before was or not.
fn correct(forms: &mut Forms, form: &FormId, dice: &mut Dice) {
    let all = records(forms, form, |_| true);
    let Some(record) = dice.pick(&all) else { return };
    let number = dice.roll() % 100_000_000;
    forms.edit(form, record, json!({ MOBILE: good_mobile(number) })).unwrap();
}

/// Somebody writes where our answer goes.
fn remark(forms: &mut Forms, form: &FormId, dice: &mut Dice) {
    let all = records(forms, form, |_| true);
    let Some(record) = dice.pick(&all) else { return };
    forms.edit(form, record, json!({ STATUS: format!("备注 {}", dice.below(100)) })).unwrap();
}

fn records(forms: &Forms, form: &FormId, which: impl Fn(&FormRecord) -> bool) -> Vec<String> {
    let all = forms.records(form).into_iter().filter(|record| which(record));
    all.map(|record| record.id.clone()).collect()
}

fn good_mobile(number: u64) -> String {
    format!("166{number:08}")
}

/// Whether somebody is to come of a record: approved, with a number, and not from before.
pub(crate) fn is_wanted(record: &FormRecord, start_ms: i64) -> bool {
    let has_mobile = record.values.get(MOBILE).and_then(|mobile| mobile.as_str()) != Some(BAD_MOBILE);
    may_be(record, start_ms) && has_mobile
}

/// Whether somebody may come of it.
pub(crate) fn may_be(record: &FormRecord, start_ms: i64) -> bool {
    record.flow_state == Some(FlowState::Approved) && record.created_ms >= start_ms
}
