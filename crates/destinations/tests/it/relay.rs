//! The relay against a small OA on a real socket.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Action, Callback, Entity, EntityKey, EntityKind, Field, Fields, Platform, Secret, Told, UnixMillis};
use destinations::{
    BuildError, Destination, Kind, Message, Messages, Outcome, Rendered, Settings, TenantFacts, build, sql::Databases,
};
use outbound::{Client, Guard};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use wecom::{CallbackKeys, Envelope, Query};

use crate::changes::{department_with, in_departments, member, member_with, remove_member};

const TOKEN: &str = "oaToken123";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const NOW: UnixMillis = UnixMillis(1_767_300_000_000);

fn keys() -> CallbackKeys {
    CallbackKeys::new(&Secret::new(TOKEN), &Secret::new(AES_KEY), "ww1").unwrap()
}

/// How the OA answers.
#[derive(Clone)]
enum Behaviour {
    /// Verifies, and shakes hands.
    Proper,
    /// Says this, whatever it is asked.
    Says(String),
    Silent,
}

/// Listens, answers and remembers the requests.
struct Oa {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Oa {
    async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(vec![]));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, behaviour.clone(), Arc::clone(&seen)));
            }
        });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}/wecom/callback?oa=1", self.address)
    }

    /// What was posted, decrypted, after checking it as an OA does.
    fn plaintexts(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| opened(request)).collect()
    }
}

async fn serve(mut socket: TcpStream, behaviour: Behaviour, seen: Arc<Mutex<Vec<String>>>) {
    let request = read_request(&mut socket).await;
    let answer = match behaviour {
        Behaviour::Silent => return std::future::pending().await,
        Behaviour::Says(answer) => answer,
        Behaviour::Proper => {
            let query = query_of(&request);
            let body = match &query.echostr {
                Some(echo) => {
                    assert!(keys().verify(&query, echo));
                    keys().decrypt(echo).unwrap()
                }
                None => "success".to_owned(),
            };
            says("200 OK", "", &body)
        }
    };
    seen.lock().unwrap().push(request);
    socket.write_all(answer.as_bytes()).await.unwrap();
}

pub(crate) fn says(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

pub(crate) async fn read_request(socket: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = socket.read(&mut chunk).await.unwrap();
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0_usize) {
            return text;
        }
    }
}

fn query_of(request: &str) -> Query {
    let target = request.split(' ').nth(1).unwrap();
    Query::parse(target.split_once('?').unwrap().1).unwrap()
}

fn opened(request: &str) -> String {
    assert!(request.starts_with("POST /wecom/callback?oa=1&msg_signature="), "{request}");
    let (query, (_, body)) = (query_of(request), request.split_once("\r\n\r\n").unwrap());
    let envelope = Envelope::parse(body.as_bytes()).unwrap();
    assert_eq!(envelope.to_user_name, "ww1");
    assert!(keys().verify(&query, &envelope.encrypt));
    keys().decrypt(&envelope.encrypt).unwrap()
}

fn settings(url: String, aes_key: &str, distinct_seconds: bool) -> Settings {
    Settings::WecomCallback {
        url,
        token: Secret::new(TOKEN),
        aes_key: Secret::new(aes_key),
        receive_id: String::new(),
        agent_id: None,
        spacing_millis: 250,
        distinct_seconds,
    }
}

pub(crate) fn http() -> Client {
    Client::new(Guard::new(vec!["127.0.0.0/8".parse().unwrap()]), Duration::from_secs(60)).unwrap()
}

fn try_build(settings: &Settings) -> Result<Destination, BuildError> {
    let facts = TenantFacts { corp_id: "ww1".to_owned(), ..TenantFacts::default() };
    build(&"acme".parse().unwrap(), settings, &facts, &http(), &Databases::default())
}

fn relay(settings: &Settings) -> Box<dyn Messages> {
    match try_build(settings) {
        Ok(Destination::Messages(relay)) => relay,
        Ok(_) => panic!("a relay takes messages"),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn message(rendered: Rendered) -> Message {
    match rendered {
        Rendered::Send(message) => message,
        Rendered::Nothing => panic!("there is something to send"),
    }
}

#[tokio::test]
async fn an_oa_that_speaks_the_protocol_understands_every_message() {
    let oa = Oa::start(Behaviour::Proper).await;
    let relay = relay(&settings(oa.url(), AES_KEY, false));
    relay.probe(NOW).await.unwrap();
    oa.requests.lock().unwrap().clear();
    let old = Told::surely(Entity {
        shown_id: "ZhangSan".to_owned(),
        fields: in_departments(&["1", "2"]),
        incomplete: false,
    });
    let mut verbatim = member("a", &[]);
    verbatim.entity = EntityKey::new(EntityKind::Callback, "x");
    let content = "<xml><Event>其他</Event></xml>".to_owned();
    let (name, platform) = ("x".to_owned(), Platform::Wecom);
    verbatim.action = Action::Callback(Callback { name, at: UnixMillis(0), content: content.clone(), platform });
    for (change, previous) in [
        (member("ZhangSan", &["1", "2"]), None),
        (member_with("zhang.san", in_departments(&["2"])), Some(&old)),
        (remove_member("ZhangSan"), Some(&old)),
        (verbatim, None),
    ] {
        assert!(relay.takes(&change));
        let message = message(relay.render(&change, previous, NOW, None));
        // Stored before it is sent.
        let stored = serde_json::to_string(&message).unwrap();
        let message: Message = serde_json::from_str(&stored).unwrap();
        assert_eq!(relay.send(&message).await, Ok(Outcome::Applied));
    }
    let texts = oa.plaintexts();
    let elements = |text: &str, these: &[&str]| these.iter().all(|element| text.contains(element));
    assert!(
        elements(&texts[0], &["create_user", "ZhangSan", "张三", "1,2", "<CreateTime>1767225600</CreateTime>"]),
        "{}",
        texts[0]
    );
    assert!(
        elements(&texts[1], &["update_user", "<UserID><![CDATA[ZhangSan]]>", "<NewUserID><![CDATA[zhang.san]]>"]),
        "{}",
        texts[1]
    );
    assert!(!texts[1].contains("张三"), "what did not change is not told");
    assert!(elements(&texts[2], &["delete_user", "ZhangSan"]), "{}", texts[2]);
    assert_eq!(texts[3], content);
}

#[tokio::test]
async fn a_repeat_is_the_same_to_the_byte_and_a_new_rendering_is_fresh() {
    let oa = Oa::start(Behaviour::Proper).await;
    let relay = relay(&settings(oa.url(), AES_KEY, false));
    let render = || message(relay.render(&member("a", &["1"]), None, NOW, None));
    let (first, second) = (render(), render());
    assert_ne!(first.body, second.body);
    assert_ne!(first.url, second.url);
    relay.send(&first).await.unwrap();
    relay.send(&first).await.unwrap();
    let requests = oa.requests.lock().unwrap();
    assert_eq!(requests[0], requests[1]);
    assert!(!format!("{first:?}").contains("msg_signature"));
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_sent() {
    let relay = relay(&settings("http://127.0.0.1:1/".to_owned(), AES_KEY, false));
    let root = department_with("1", Fields::new().with(Field::Name, "ACME"));
    assert_eq!(relay.render(&root, None, NOW, None), Rendered::Nothing);
    let same = Told::surely(Entity { shown_id: "a".to_owned(), fields: in_departments(&["1"]), incomplete: false });
    assert_eq!(relay.render(&member("a", &["1"]), Some(&same), NOW, None), Rendered::Nothing);
}

#[tokio::test]
async fn seconds_differ_where_an_oa_needs_it() {
    let plain = relay(&settings("http://127.0.0.1:1/".to_owned(), AES_KEY, false));
    let distinct = relay(&settings("http://127.0.0.1:1/".to_owned(), AES_KEY, true));
    let second = |relay: &dyn Messages, last| message(relay.render(&member("a", &["1"]), None, NOW, last)).second;
    assert_eq!(second(&*plain, Some(1_767_225_600)), 1_767_225_600);
    assert_eq!(second(&*distinct, None), 1_767_225_600);
    assert_eq!(second(&*distinct, Some(5)), 1_767_225_600);
    assert_eq!(second(&*distinct, Some(1_767_225_600)), 1_767_225_601);
    assert_eq!(second(&*distinct, Some(1_767_225_999)), 1_767_226_000);
    assert_eq!(plain.spacing(), Some(Duration::from_millis(250)));
}

#[tokio::test]
async fn statuses_become_outcomes() {
    for (answer, expected) in [
        (says("204 No Content", "", ""), Outcome::Applied),
        (says("200 OK", "", &"x".repeat(2 * 1024 * 1024)), Outcome::Applied),
        (
            says("503 Service Unavailable", "retry-after: 9\r\n", ""),
            Outcome::Retry { reason: "HTTP 503".to_owned(), after: Some(Duration::from_secs(9)) },
        ),
        (says("429 Too Many Requests", "", ""), Outcome::Retry { reason: "HTTP 429".to_owned(), after: None }),
        (says("302 Found", "location: /login\r\n", ""), Outcome::Retry { reason: "HTTP 302".to_owned(), after: None }),
        (says("410 Gone", "", "张三"), Outcome::Rejected { reason: "HTTP 410".to_owned() }),
    ] {
        let oa = Oa::start(Behaviour::Says(answer)).await;
        let relay = relay(&settings(oa.url(), AES_KEY, false));
        let message = message(relay.render(&member("a", &["1"]), None, NOW, None));
        assert_eq!(relay.send(&message).await, Ok(expected));
    }
}

#[tokio::test]
async fn nobody_there_and_no_answer_are_unavailable() {
    let silent = Oa::start(Behaviour::Silent).await;
    let garbage = Oa::start(Behaviour::Says("no HTTP at all\r\n\r\n".to_owned())).await;
    for url in [silent.url(), garbage.url(), "http://127.0.0.1:1/".to_owned()] {
        let relay = relay(&settings(url, AES_KEY, false));
        let message = message(relay.render(&member("a", &["1"]), None, NOW, None));
        let error = relay.send(&message).await.unwrap_err();
        assert!(!error.reason.contains("msg_signature"), "{error}");
    }
}

#[tokio::test]
async fn the_handshake_insists_on_the_exact_text() {
    let other_key = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba";
    for behaviour in [
        Behaviour::Says(says("200 OK", "", "success")),
        Behaviour::Says(says("200 OK", "", "")),
        Behaviour::Says(says("500 Internal Server Error", "", "")),
    ] {
        let oa = Oa::start(behaviour).await;
        let error = relay(&settings(oa.url(), other_key, false)).probe(NOW).await.unwrap_err();
        assert!(error.reason.contains("handshake"), "{error}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refusal = |settings: &Settings| try_build(settings).err();
    let metadata = settings("http://169.254.169.254/".to_owned(), AES_KEY, false);
    assert!(matches!(refusal(&metadata), Some(BuildError::Url(_))));
    let short = settings("http://127.0.0.1/".to_owned(), "short", false);
    assert!(matches!(refusal(&short), Some(BuildError::Keys(_))));
    let nothing = Settings::Sqlite { url: "core.db".to_owned() };
    assert_eq!(refusal(&nothing), Some(BuildError::DatabaseUrl));
    let scim = Settings::Other { kind: Kind::Scim };
    assert_eq!(refusal(&scim), Some(BuildError::NotBuiltYet(Kind::Scim)));
}
