//! What the API answers: through the client, from a real socket. The first line of an input is a status and the call that is
//! answered; the rest is the body.

use std::{
    fmt::Debug,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use common::Secret;
use dingtalk::api::{ApiError, Client, Observer, Settings, Unmetered, records_of_day};
use outbound::{Guard, Unlimited};
use test_kit::TestClock;
use tokio::{
    runtime::{Builder, Runtime},
    select,
    sync::Notify,
};

use super::{CLIENT, CORP, NOW, WORDS};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made::{self, ding},
};

/// It is in the client's secret and in the token, and must not be in an error.
const CANARY: &str = "canary-4711";
const TOKEN_ANSWER: &str = "{\"accessToken\":\"canary-4711-token\",\"expireIn\":7200}";
/// The interfaces that give tokens.
const TOKENS: [&str; 2] = ["/v1.0/oauth2/accessToken", "/gettoken"];
/// So many requests of one call are answered: a list that never ends is not followed for long.
const ANSWERS: u32 = 5;
/// A connection of the client's pool may have been hung up by the time it is used.
const TRIES: usize = 5;
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
    let caller = Caller::new(Platform::start());
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
    let parse = |input: &[u8]| caller.came(input);
    fuzz(&Parser { name: "ding_answer", tokens: &tokens, limits: Limits::EXCHANGE, made, parse: &parse });
}

/// Hears that a request failed: whoever waits for another try need not be waited for.
#[derive(Default)]
struct Ear {
    failed: Mutex<Option<&'static str>>,
    rang: Notify,
}

impl Observer for Ear {
    fn request(&self, _api: &'static str, outcome: &'static str, _seconds: f64) {
        if outcome != "ok" {
            self.failed.lock().unwrap().get_or_insert(outcome);
            self.rang.notify_one();
        }
    }
}

impl Ear {
    async fn failed(&self) -> &'static str {
        self.rang.notified().await;
        self.failed.lock().unwrap().unwrap_or_default()
    }
}

/// The client, and the platform that it calls.
struct Caller {
    platform: Platform,
    http: outbound::Client,
    runtime: Runtime,
}

impl Caller {
    fn new(platform: Platform) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let entered = runtime.enter();
        let guard = Guard::new(vec!["127.0.0.1/32".parse().unwrap()]);
        let http = outbound::Client::new(guard, Duration::from_secs(5)).unwrap();
        drop(entered);
        Self { platform, http, runtime }
    }

    fn came(&self, input: &[u8]) -> Came {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (head, body) = (String::from_utf8_lossy(&input[..end]), input.get(end + 1..).unwrap_or_default());
        let (status, named) = head.split_once(' ').unwrap_or(("200", &*head));
        let status: u16 = status.parse().ok().filter(|status| (200..600).contains(status)).unwrap_or(200);
        let call = CALLS.into_iter().find(|call| *call == named).unwrap_or("member");
        for _ in 0..TRIES {
            self.platform.is_to_say(Said { status, body: body.to_vec(), token: call == "token", left: ANSWERS });
            let came = self.runtime.block_on(self.ask(call));
            if self.platform.said.lock().unwrap().left < ANSWERS {
                return came;
            }
        }
        panic!("the call does not get to the platform");
    }

    async fn ask(&self, call: &str) -> Came {
        let ear = Arc::new(Ear::default());
        let client = self.client(&ear);
        select! {
            biased;
            answered = shape_of(&client, call) => match answered {
                Ok(shape) => Came::taken(format!("{call} {shape}")),
                Err(error) => {
                    let said = format!("{error} {error:?}");
                    assert!(!said.contains(CANARY), "an error tells a secret: {said}");
                    Came::refused(format!("{call} {} {:?}", error.label(), error.kind()))
                }
            },
            label = ear.failed() => Came::refused(format!("{call} {label}")),
        }
    }

    /// A new one each time: it remembers its token, and what the platform said of that.
    fn client(&self, ear: &Arc<Ear>) -> Client {
        let base = format!("http://{}", self.platform.address);
        let settings = Settings {
            corp_id: CORP.into(),
            client_id: CLIENT.into(),
            client_secret: Secret::new(format!("{CANARY}-secret")),
            api_base: base.clone(),
            oapi_base: base,
            egress: "".into(),
            approvals_per_second: 5,
        };
        let (clock, observer) = (Arc::new(TestClock::at(NOW)), Arc::clone(ear) as Arc<dyn Observer>);
        Client::new(settings, self.http.clone(), Arc::new(Unlimited), Arc::new(Unmetered), clock, observer)
    }
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

/// A value without what was told, which is texts and numbers.
fn shape(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let outside: String = text.split('"').step_by(2).collect();
    outside.chars().filter(|character| !character.is_ascii_digit()).take(160).collect()
}

/// Says to every request what it is told to say, and gives good tokens.
struct Platform {
    address: SocketAddr,
    said: Arc<Mutex<Said>>,
}

struct Said {
    status: u16,
    body: Vec<u8>,
    /// It is about tokens as well.
    token: bool,
    /// So often; then it hangs up.
    left: u32,
}

impl Platform {
    /// It ends with the process.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let said = Arc::new(Mutex::new(Said { status: 200, body: Vec::new(), token: false, left: 0 }));
        let says = Arc::clone(&said);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let says = Arc::clone(&says);
                // The client may have hung up first.
                thread::spawn(move || drop(socket.and_then(|socket| serve(socket, &says))));
            }
        });
        Self { address, said }
    }

    fn is_to_say(&self, said: Said) {
        *self.said.lock().unwrap() = said;
    }
}

fn serve(socket: TcpStream, said: &Mutex<Said>) -> io::Result<()> {
    let mut reader = BufReader::new(socket);
    while let Some(path) = read(&mut reader)? {
        let answer = {
            let mut said = said.lock().unwrap();
            if TOKENS.contains(&path.as_str()) && !said.token {
                http(200, TOKEN_ANSWER.as_bytes())
            } else if said.left == 0 {
                return Ok(());
            } else {
                said.left -= 1;
                http(said.status, &said.body)
            }
        };
        reader.get_mut().write_all(&answer)?;
    }
    Ok(())
}

fn http(status: u16, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// Reads a request; its path, or nothing when there is none any more.
fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
    Ok(Some(path))
}
