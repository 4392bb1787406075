mod approvals;
mod attendance;
mod contacts;

use serde_json::json;

use super::super::time;
use super::*;

fn company() -> Company {
    let mut company = Company::new(CompanyOptions::default());
    company.populate(6, 20).expect("it grows");
    company
}

fn at(text: &str) -> i64 {
    time::parse(text).expect("a time")
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}
