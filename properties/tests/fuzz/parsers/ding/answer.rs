//! What the API answers: through the client, from a real socket.

use std::sync::Arc;

use common::Secret;
use dingtalk::api::{ApiError, Client, Observer, Settings, Unmetered, records_of_day};
use outbound::Unlimited;
use test_kit::TestClock;

use super::{CLIENT, CORP, NOW, WORDS};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made::{self, ding},
    parsers::exchange::{Ear, Exchange, Fixed, Said, shape},
};

/// It is in the client's secret and in the token, and must not be in an error.
const CANARY: &str = "canary-4711";
const TOKEN_ANSWER: &str = "{\"accessToken\":\"canary-4711-token\",\"expireIn\":7200}";
/// The interfaces that give tokens give good ones, unless an input is about that.
const TOKENS: [(&str, &str); 2] = [("/v1.0/oauth2/accessToken", TOKEN_ANSWER), ("/gettoken", TOKEN_ANSWER)];
const MEMBER: &str = "user0001";
const DAY: &str = "2026-09-21";

const CALLS: [&str; 19] = [
    "department",
    "below",
    "subs",
    "above",
    "member",
    "page",
    "ids",
    "places",
    "day",
    "results",
    "punches",
    "leave",
    "columns",
    "times",
    "approval",
    "approvals",
    "failed",
    "stream",
    "token",
];

#[test]
fn an_answer_of_the_api_is_understood_or_an_error() {
    let exchange = Exchange::new();
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "\"errcode\":0,",
        "\"errcode\":88,",
        "\"errcode\":-1,",
        "\"sub_code\":\"40014\",",
        "\"sub_code\":90002,",
        "\"sub_code\":\"60011\",",
        "\"sub_msg\":\"限制将在 2026-09-21 10:00:00 结束\",",
        "\"code\":\"Forbidden.AccessDenied.QpsLimitForAppkeyAndApi\",",
        "\"result\":{",
        "\"result\":[",
        "\"has_more\":true,",
        "\"next_cursor\":100,",
        "\"nextToken\":20,",
        "\"dept_id_list\":[1,900000001],",
        "\"formComponentValues\":[",
        "\"extValue\":\"{}\",",
    ]);
    let mut made = ding::answers();
    for call in ["200 member\n", "200 day\n", "200 approval\n"] {
        made.extend(made::json(&format!("{call}{{\"errcode\":0,\"result\":{{\"userid\":\"{MEMBER}\",")));
    }
    let parse = |input: &[u8]| came(&exchange, input);
    fuzz(&Parser { name: "ding_answer", tokens: &tokens, limits: Limits::EXCHANGE, made, parse: &parse });
}

impl Observer for Ear {
    fn request(&self, _api: &'static str, outcome: &'static str, _seconds: f64) {
        if outcome != "ok" {
            self.ring(outcome);
        }
    }
}

fn came(exchange: &Exchange, input: &[u8]) -> Came {
    let said = Said::read(input, &CALLS, "member");
    let fixed: Fixed = if said.call == "token" { &[] } else { &TOKENS };
    exchange.came(&said, fixed, || ask(exchange, said.call))
}

async fn ask(exchange: &Exchange, call: &str) -> Came {
    let ear = Arc::new(Ear::default());
    let client = client(exchange, &ear);
    let answered = async {
        match shape_of(&client, call).await {
            Ok(shape) => Came::taken(format!("{call} {shape}")),
            Err(error) => {
                let said = format!("{error} {error:?}");
                assert!(!said.contains(CANARY), "an error tells a secret: {said}");
                Came::refused(format!("{call} {} {:?}", error.label(), error.kind()))
            }
        }
    };
    ear.listen(call, answered).await
}

/// A new one each time: it remembers its token, and what the platform said of that.
fn client(exchange: &Exchange, ear: &Arc<Ear>) -> Client {
    let settings = Settings {
        corp_id: CORP.into(),
        client_id: CLIENT.into(),
        client_secret: Secret::new(format!("{CANARY}-secret")),
        api_base: exchange.base(),
        oapi_base: exchange.base(),
        egress: "".into(),
        approvals_per_second: 5,
    };
    let (clock, observer) = (Arc::new(TestClock::at(NOW)), Arc::clone(ear) as Arc<dyn Observer>);
    Client::new(settings, exchange.http.clone(), Arc::new(Unlimited), Arc::new(Unmetered), clock, observer)
}

/// Puts a call, and says what shape its answer has.
async fn shape_of(client: &Client, call: &str) -> Result<String, ApiError> {
    let people = [MEMBER.to_owned()];
    Ok(match call {
        "department" => shape(&client.department("900000002").await?.value),
        "below" => shape(&client.department_ids_below("1").await?.value),
        "subs" => shape(&client.sub_departments("1").await?.value),
        "above" => shape(&client.parents_of_department("900000002").await?.value),
        "page" => shape(&client.members_page("900000002", 0).await?.value),
        "ids" => shape(&client.member_ids("900000002").await?.value),
        "places" => shape(&client.parents_of_member(MEMBER).await?.value),
        "day" => {
            let day = client.attendance_day(MEMBER, DAY).await?.value;
            let records = records_of_day(&day);
            assert!(records.is_sorted_by(|(one, _), (next, _)| one < next), "ids are not distinct: {records:?}");
            shape(&day)
        }
        "results" => shape(&client.attendance_results(&people, DAY, DAY).await?.value),
        "punches" => shape(&client.attendance_punches(&people, DAY, DAY).await?.value),
        "leave" => shape(&client.leave_status(&people, NOW, NOW.plus_seconds(1)).await?.value),
        "columns" => shape(&client.report_columns().await?.value),
        "times" => shape(&client.leave_times(MEMBER, &["年假".to_owned()], DAY, DAY).await?.value),
        "approval" => shape(&client.approval("Tst-ProcInst-0001").await?.value),
        "approvals" => shape(&client.approval_ids_page("PROC-TEST-0001", NOW, NOW, 0).await?.value),
        "failed" => shape(&dingtalk::failed_entries(&client.failed_pushes_page().await?.value)),
        "stream" => shape(&client.open_stream("test-sdk-rust/1").await?),
        _ => shape(&client.member(MEMBER).await?.value),
    })
}
