use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

const SECRET: &str = "of the tests, and nowhere else";

fn options(gateway: &str) -> Options {
    let address = Address { listen: [127, 0, 0, 1].into(), port: 0 };
    let site = Site { address, host: "simulator".to_owned(), secret: SECRET.to_owned() };
    Options { site, gateway: gateway.to_owned(), members: 60, every: Duration::from_millis(10), seed: 5 }
}

/// Each time it is asked it is a second later: what is stamped a little ahead needs no waiting for.
fn quick_clock() -> ApiClock {
    let now_ms = AtomicI64::new(1_789_952_400_000);
    Arc::new(move || now_ms.fetch_add(1000, Ordering::Relaxed))
}

/// An OA takes what WeCom sends, so it can stand for a gateway.
fn gateway(secret: &str) -> Oa {
    let keys = Secrets::new(secret).expect("it is long").of_callbacks(wecom::KNOWN.corp_id).expect("good keys");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    Oa::start_with(listener, keys, OaOptions { strict_leaders: false, ..OaOptions::default() }).expect("it starts")
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_company_lives_once_its_callback_address_is_accepted() {
    let gateway = gateway(SECRET);
    let sandbox = Sandbox::open(&options(&format!("http://{}", gateway.address())), &quick_clock()).expect("it opens");
    sandbox.run(until(|| gateway.received_count() >= 10)).await;
    assert_eq!(gateway.refused(), 0);
    let status = sandbox.status();
    assert_eq!(status["wecom"]["callback_address_accepted"], true);
    assert!(status["wecom"]["requests"].as_u64() >= Some(10), "{status}");
    assert_eq!(status["dingtalk"]["events"], 0, "nobody has connected");
    gateway.stop().await;
}

#[tokio::test]
async fn nothing_happens_as_long_as_the_gateway_does_not_accept_the_address() {
    let gateway = gateway("of somebody else, who was told nothing");
    let sandbox = Sandbox::open(&options(&format!("http://{}", gateway.address())), &quick_clock()).expect("it opens");
    let before = sandbox.status();
    sandbox.run(until(|| gateway.refused() > 0)).await;
    assert_eq!(sandbox.status(), before);
    gateway.stop().await;
}

#[tokio::test]
async fn it_says_that_it_is_well_until_it_is_gone() {
    let sandbox = Sandbox::open(&options("http://127.0.0.1:1"), &quick_clock()).expect("it opens");
    let address = Address { listen: sandbox.address().ip(), port: sandbox.address().port() };
    health(&address).await.expect("it is well");
    drop(sandbox);
    while health(&address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut options = options("http://127.0.0.1:1");
    options.site.address.port = taken.local_addr().expect("an address").port() - 1;
    let refused = Sandbox::open(&options, &quick_clock()).expect_err("a port is taken");
    assert!(matches!(refused, OpenError::Socket { part: Part::Wecom, .. }), "{refused}");
}

#[test]
fn a_tenant_is_told_where_everything_is() {
    let mut site = options("").site;
    site.address.port = 9100;
    let company = tenant_file(Platform::Wecom, &site).expect("a long secret");
    let secrets = Secrets::new(SECRET).expect("it is long");
    for told in [
        "id = \"sim-wecom\"",
        "api_base = \"http://simulator:9101\"",
        "url = \"http://simulator:9103/wecom/callback\"",
        "url = { env = \"ORGBRIDGE_CORE_URL\" }",
        &format!("callback_token = {:?}", secrets.token),
        &format!("\naes_key = {:?}", secrets.oa_aes_key),
    ] {
        assert!(company.contains(told), "{told}");
    }
    let plant = tenant_file(Platform::Dingtalk, &site).expect("a long secret");
    for told in ["id = \"sim-dingtalk\"", "oapi_base = \"http://simulator:9102\"", "mode = \"stream\""] {
        assert!(plant.contains(told), "{told}");
    }
    for text in [company, plant, format!("{site:?}")] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn ports_are_in_a_row_or_any() {
    let at = |listen: &str, port| Address { listen: listen.parse().expect("an address"), port };
    assert_eq!(at("0.0.0.0", 9100).of(Part::Oa).to_string(), "0.0.0.0:9103");
    assert_eq!(at("0.0.0.0", 9100).from_here(Part::Status).to_string(), "127.0.0.1:9100");
    assert_eq!(at("::", 9100).from_here(Part::Wecom).to_string(), "[::1]:9101");
    assert_eq!(at("10.0.0.7", 9100).from_here(Part::Dingtalk).to_string(), "10.0.0.7:9102");
    assert_eq!(at("127.0.0.1", 0).of(Part::Oa).port(), 0);
}
