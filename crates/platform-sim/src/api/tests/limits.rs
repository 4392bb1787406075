//! Too many calls.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ask(stage: &Stage, token: &str) -> i64 {
    code(&stage.ask_with(token, Interface::DepartmentSimpleList, &[], &Value::Null))
}

#[test]
fn the_documented_limits_are_the_default() {
    let Limits { company, address } = Limits::default();
    let told = |limits: &[Limit]| -> Vec<(u32, u64, u64)> {
        limits.iter().map(|limit| (limit.calls, limit.window.as_secs(), limit.block.as_secs())).collect()
    };
    assert_eq!(told(&company), [(10_000, 60, 60), (150_000, 3600, 3600)]);
    assert_eq!(told(&address), [(20_000, 60, 60), (600_000, 3600, 3600)]);
    assert_eq!(told(&Limits::default().divided_by(1000).company), [(10, 60, 60), (150, 3600, 3600)]);
}

#[test]
fn one_call_too_many_within_any_minute_blocks_that_interface_for_a_minute() {
    let stage = Stage::small().with(|options| options.limits = Limits::default().divided_by(1000));
    let token = stage.token(Identity::App(AGENT));
    for _turn in 0..10 {
        stage.pass_ms(5_000);
        assert_eq!(ask(&stage, &token), 0);
    }
    stage.pass_ms(14_999);
    assert_eq!(ask(&stage, &token), 45009, "the first was 59.999 s ago");
    assert_eq!(code(&stage.ask_with(&token, Interface::GetCallbackIp, &[], &Value::Null)), 0, "another interface");
    stage.pass_ms(59_999);
    assert_eq!(ask(&stage, &token), 45009);
    stage.pass_ms(1);
    assert_eq!(ask(&stage, &token), 0);
    let tally = stage.api.tally(Interface::DepartmentSimpleList);
    assert_eq!((tally.calls, tally.good, tally.throttled, tally.highest_per_minute), (13, 11, 2, 11));
}

#[test]
fn exactly_what_is_allowed_is_never_throttled() {
    let stage = Stage::small().with(|options| options.limits = Limits::default().divided_by(1000));
    let token = stage.token(Identity::App(AGENT));
    for _turn in 0..100 {
        assert_eq!(ask(&stage, &token), 0);
        stage.pass_ms(24_000);
    }
    assert_eq!(stage.api.throttled(), 0);
}

#[test]
fn the_limit_of_an_hour_blocks_for_an_hour() {
    let stage = Stage::small().with(|options| {
        options.limits = Limits { company: vec![Limit::new(3, 3600 * SECOND)], ..Limits::none() };
    });
    let token = stage.token(Identity::App(AGENT));
    assert_eq!([(); 4].map(|()| ask(&stage, &token)), [0, 0, 0, 45009]);
    stage.pass_ms(3_599_999);
    assert_eq!(ask(&stage, &token), 45009);
    stage.pass_ms(1);
    assert_eq!(ask(&stage, &token), 0);
}

#[test]
fn addresses_are_counted_apart_and_companies_as_a_whole() {
    let stage = Stage::small().with(|options| {
        options.limits =
            Limits { company: vec![Limit::new(3, 60 * SECOND)], address: vec![Limit::new(2, 60 * SECOND)] };
    });
    let (token, other) = (stage.token(Identity::App(AGENT)), stage.from("203.0.113.8"));
    assert_eq!((ask(&stage, &token), ask(&stage, &token), ask(&stage, &token)), (0, 0, 45009));
    assert_eq!((ask(&other, &token), ask(&other, &token)), (0, 45009), "the fourth of the company");
}

#[test]
fn changed_limits_begin_to_count_anew() {
    let stage = Stage::small().with(|options| {
        options.limits = Limits { company: vec![Limit::new(1, 60 * SECOND)], ..Limits::none() };
    });
    let token = stage.token(Identity::App(AGENT));
    assert_eq!((ask(&stage, &token), ask(&stage, &token)), (0, 45009));
    stage.api.configure(|options| options.busy_share = 0.0);
    assert_eq!(ask(&stage, &token), 45009);
    stage.api.configure(|options| options.limits = Limits::none());
    assert_eq!(ask(&stage, &token), 0);
}
