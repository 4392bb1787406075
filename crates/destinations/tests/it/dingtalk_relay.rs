//! The DingTalk relay against a small OA on a real socket.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Action, Callback, Entity, EntityKey, EntityKind, Field, Fields, Platform, Secret, Told, UnixMillis};
use destinations::{
    BuildError, Destination, Messages, Outcome, Rendered, Settings, TenantFacts, build, sql::Databases,
};
use dingtalk::{CallbackKeys, Envelope, Query};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use crate::{
    changes::{
        approval, attendance, department, department_with, in_departments, member, member_with, remove_department,
        remove_member,
    },
    relay::{http, message, read_request, says},
};

const TOKEN: &str = "oaToken123";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const OWNER: &str = "dingapp0001";
const NOW: UnixMillis = UnixMillis(1_767_300_000_000);

fn keys() -> CallbackKeys {
    CallbackKeys::new(&Secret::new(TOKEN), &Secret::new(AES_KEY), &[OWNER]).unwrap()
}

/// Listens, answers and remembers what was pushed, decrypted after checking it as an OA does.
struct Oa {
    address: SocketAddr,
    pushes: Arc<Mutex<Vec<Value>>>,
    /// Every request as it came.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Oa {
    /// `says`: answers this whatever it is asked, without looking.
    async fn start(says: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let oa = Self { address, pushes: Arc::default(), requests: Arc::default() };
        let (pushes, requests) = (Arc::clone(&oa.pushes), Arc::clone(&oa.requests));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, says.clone(), Arc::clone(&pushes), Arc::clone(&requests)));
            }
        });
        oa
    }

    fn url(&self) -> String {
        format!("http://{}/dingtalk/callback?oa=1", self.address)
    }
}

async fn serve(
    mut socket: TcpStream,
    answer: Option<String>,
    pushes: Arc<Mutex<Vec<Value>>>,
    requests: Arc<Mutex<Vec<String>>>,
) {
    let request = read_request(&mut socket).await;
    let answer = answer.unwrap_or_else(|| {
        let text = opened(&request);
        pushes.lock().unwrap().push(serde_json::from_str(&text).unwrap());
        says("200 OK", "content-type: application/json\r\n", &keys().reply(OWNER, NOW, "Rply0001", [7; 16]))
    });
    requests.lock().unwrap().push(request);
    socket.write_all(answer.as_bytes()).await.unwrap();
}

fn opened(request: &str) -> String {
    assert!(request.starts_with("POST /dingtalk/callback?oa=1&"), "{request}");
    assert!(request.to_lowercase().contains("content-type: application/json\r\n"), "{request}");
    let target = request.split(' ').nth(1).unwrap();
    let query = Query::parse(target.split_once('?').unwrap().1).unwrap();
    let envelope = Envelope::parse(request.split_once("\r\n\r\n").unwrap().1.as_bytes()).unwrap();
    let push = keys().open(&query, &envelope.encrypt, NOW, 1).unwrap();
    assert_eq!(push.owner, OWNER);
    push.text
}

fn settings(url: String, aes_key: &str) -> Settings {
    Settings::DingtalkCallback {
        url,
        token: Secret::new(TOKEN),
        aes_key: Secret::new(aes_key),
        receive_id: OWNER.to_owned(),
        corp_id: "ding1".to_owned(),
        spacing_millis: 250,
    }
}

fn try_build(settings: &Settings) -> Result<Destination, BuildError> {
    build(&"acme".parse().unwrap(), settings, &TenantFacts::default(), &http(), &Databases::default())
}

fn relay(settings: &Settings) -> Box<dyn Messages> {
    match try_build(settings) {
        Ok(Destination::Messages(relay)) => relay,
        Ok(_) => panic!("a relay takes messages"),
        Err(error) => panic!("{error}"),
    }
}

fn told(shown_id: &str, fields: Fields) -> Told {
    Told::surely(Entity { shown_id: shown_id.to_owned(), fields, incomplete: false })
}

fn passed_on(content: &str, platform: Platform) -> common::Change {
    let mut change = member("a", &[]);
    change.entity = EntityKey::new(EntityKind::Callback, "x");
    let (name, content) = ("bpms_instance_change".to_owned(), content.to_owned());
    change.action = Action::Callback(Callback { name, at: NOW, content, platform });
    change
}

#[tokio::test]
async fn an_oa_that_speaks_the_protocol_understands_every_message() {
    let oa = Oa::start(None).await;
    let relay = relay(&settings(oa.url(), AES_KEY));
    relay.probe(NOW).await.unwrap();
    assert_eq!(std::mem::take(&mut *oa.pushes.lock().unwrap()), [json!({ "EventType": "check_url" })]);
    let in_both = in_departments(&["1", "2"]);
    let old = told("ZhangSan", in_both.clone());
    let content = r#"{"EventType":"bpms_instance_change","processInstanceId":"Tst-ProcInst-0001"}"#;
    let changes = [
        (department("2", "1"), None),
        (member("ZhangSan", &["1", "2"]), None),
        (member_with("ZhangSan", in_both.with(Field::Name, "张三丰")), Some(&old)),
        (remove_member("ZhangSan"), Some(&old)),
        (remove_department("2"), None),
        (passed_on(content, Platform::Dingtalk), None),
    ];
    for (nth, (mut change, previous)) in (1..).zip(changes) {
        change.version = nth;
        assert!(relay.takes(&change));
        let message = message(relay.render(&change, previous, NOW, None));
        // Stored before it is sent.
        let stored = serde_json::to_string(&message).unwrap();
        assert_eq!(relay.send(&serde_json::from_str(&stored).unwrap()).await, Ok(Outcome::Applied));
    }
    let pushes = oa.pushes.lock().unwrap();
    let types: Vec<&str> = pushes.iter().map(|push| push["EventType"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        [
            "org_dept_create",
            "user_add_org",
            "user_modify_org",
            "user_leave_org",
            "org_dept_remove",
            "bpms_instance_change"
        ]
    );
    assert_eq!((&pushes[0]["deptId"], &pushes[4]["deptId"]), (&json!([2]), &json!([2])));
    for push in &pushes[1..4] {
        assert_eq!((&push["userId"], &push["CorpId"]), (&json!(["ZhangSan"]), &json!("ding1")));
        assert_eq!(push["EventTime"], json!(1_767_225_600_000_i64), "the platform's time, not ours");
    }
    let ids: std::collections::BTreeSet<String> = pushes[..5].iter().map(|push| push["eventId"].to_string()).collect();
    assert_eq!(ids.len(), 5, "each has an id of its own");
    assert_eq!(pushes[5], serde_json::from_str::<Value>(content).unwrap());
}

#[tokio::test]
async fn a_repeat_is_the_same_to_the_byte_and_a_new_rendering_has_the_same_event_id() {
    let oa = Oa::start(None).await;
    let relay = relay(&settings(oa.url(), AES_KEY));
    let render = || message(relay.render(&member("a", &["1"]), None, NOW, None));
    let (first, second) = (render(), render());
    assert_ne!(first.body, second.body);
    assert_ne!(first.url, second.url);
    for message in [&first, &first, &second] {
        assert_eq!(relay.send(message).await, Ok(Outcome::Applied));
    }
    let requests = oa.requests.lock().unwrap();
    assert_eq!(requests[0], requests[1]);
    let pushes = oa.pushes.lock().unwrap();
    assert_eq!(pushes[0], pushes[2]);
    assert!(!format!("{first:?}").contains("signature"));
    assert_eq!(relay.spacing(), Some(Duration::from_millis(250)));
}

#[tokio::test]
async fn what_is_not_for_it_is_not_taken_and_what_cannot_be_seen_is_not_sent() {
    let relay = relay(&settings("http://127.0.0.1:1/".to_owned(), AES_KEY));
    for change in [attendance("r", "a"), approval("p", "a"), passed_on("<xml/>", Platform::Wecom)] {
        assert!(!relay.takes(&change), "{change:?}");
    }
    let root = department_with("1", Fields::new().with(Field::Name, "ACME"));
    assert_eq!(relay.render(&root, None, NOW, None), Rendered::Nothing);
    let same = told("a", in_departments(&["1"]));
    assert_eq!(relay.render(&member("a", &["1"]), Some(&same), NOW, None), Rendered::Nothing);
}

#[tokio::test]
async fn only_the_encrypted_word_is_taken_for_a_success() {
    let other = CallbackKeys::new(&Secret::new(TOKEN), &Secret::new(AES_KEY), &["somebody-else"]).unwrap();
    let others = other.reply("somebody-else", NOW, "Rply0001", [7; 16]);
    let no_success =
        || Outcome::Retry { reason: "the answer is not the encrypted word success".to_owned(), after: None };
    for (answer, expected) in [
        (says("200 OK", "", &keys().reply(OWNER, NOW, "Rply0001", [7; 16])), Outcome::Applied),
        (says("200 OK", "", "success"), no_success()),
        (says("204 No Content", "", ""), no_success()),
        (says("200 OK", "", &others), no_success()),
        (says("200 OK", "", &"x".repeat(2 * 1024 * 1024)), no_success()),
        (
            says("503 Service Unavailable", "retry-after: 9\r\n", ""),
            Outcome::Retry { reason: "HTTP 503".to_owned(), after: Some(Duration::from_secs(9)) },
        ),
        (says("302 Found", "location: /login\r\n", ""), Outcome::Retry { reason: "HTTP 302".to_owned(), after: None }),
        (says("410 Gone", "", "张三"), Outcome::Rejected { reason: "HTTP 410".to_owned() }),
    ] {
        let oa = Oa::start(Some(answer)).await;
        let relay = relay(&settings(oa.url(), AES_KEY));
        let message = message(relay.render(&member("a", &["1"]), None, NOW, None));
        assert_eq!(relay.send(&message).await, Ok(expected));
    }
    let nobody = relay(&settings("http://127.0.0.1:1/".to_owned(), AES_KEY));
    let message = message(nobody.render(&member("a", &["1"]), None, NOW, None));
    let error = nobody.send(&message).await.unwrap_err();
    assert!(!error.reason.contains("signature"), "{error}");
}

#[tokio::test]
async fn the_handshake_insists_on_the_encrypted_word() {
    for answer in [
        says("200 OK", "", "success"),
        says("200 OK", "", ""),
        says("500 Internal Server Error", "", &keys().reply(OWNER, NOW, "Rply0001", [7; 16])),
    ] {
        let oa = Oa::start(Some(answer)).await;
        let error = relay(&settings(oa.url(), AES_KEY)).probe(NOW).await.unwrap_err();
        assert!(error.reason.contains("handshake"), "{error}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refusal = |settings: &Settings| try_build(settings).err();
    assert!(matches!(refusal(&settings("http://169.254.169.254/".to_owned(), AES_KEY)), Some(BuildError::Url(_))));
    assert!(matches!(refusal(&settings("http://127.0.0.1/".to_owned(), "short")), Some(BuildError::Keys(_))));
}
