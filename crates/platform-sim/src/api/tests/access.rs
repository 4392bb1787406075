//! Who is let in, and how refusals are worded.

use super::*;

const READS: [(Interface, &str, &str); 5] = [
    (Interface::UserGet, "userid", "boss"),
    (Interface::UserSimpleList, "department_id", "2"),
    (Interface::UserList, "department_id", "2"),
    (Interface::DepartmentList, "id", "2"),
    (Interface::DepartmentGet, "id", "2"),
];
const WRITES: [Interface; 6] = [
    Interface::UserCreate,
    Interface::UserUpdate,
    Interface::UserDelete,
    Interface::DepartmentCreate,
    Interface::DepartmentUpdate,
    Interface::DepartmentDelete,
];

#[test]
fn the_contact_secret_lists_ids_and_writes_and_an_app_reads_details() {
    let stage = Stage::small();
    let (contact, app) = (Identity::Contact, Identity::App(AGENT));
    for (interface, name, value) in READS {
        assert_eq!(code(&stage.get(contact, interface, &[(name, value)])), 48009, "{interface}");
        assert_eq!(code(&stage.get(app, interface, &[(name, value)])), 0, "{interface}");
    }
    for interface in WRITES {
        assert_eq!(code(&stage.ask(app, interface, &[], &json!({}))), 48002, "{interface}");
        assert_ne!(code(&stage.ask(contact, interface, &[], &json!({}))), 48002, "{interface}");
    }
    assert_eq!(code(&stage.write(Interface::UserListId, &json!({}))), 0);
    assert_eq!(code(&stage.ask(app, Interface::UserListId, &[], &json!({}))), 48002);
    for interface in [Interface::DepartmentSimpleList, Interface::GetCallbackIp, Interface::GetApiDomainIp] {
        assert_eq!(code(&stage.get(contact, interface, &[])), 0, "{interface}");
        assert_eq!(code(&stage.get(app, interface, &[])), 0, "{interface}");
    }
}

#[test]
fn the_contact_secret_still_reads_details_from_an_address_of_old_and_may_be_kept_from_writing() {
    let stage = Stage::small().with(|options| {
        options.contact.old_addresses.insert(HOME);
        options.contact.may_write = false;
    });
    let boss = stage.get(Identity::Contact, Interface::UserGet, &[("userid", "BOSS")]);
    assert_eq!((boss["name"].as_str(), boss["mobile"].as_str()), (Some("boss的名字"), Some("13800000001")));
    let elsewhere = stage.from("203.0.113.8").get(Identity::Contact, Interface::UserGet, &[("userid", "boss")]);
    assert_eq!(code(&elsewhere), 48009);
    assert_eq!(code(&stage.get(Identity::Contact, Interface::UserDelete, &[("userid", "boss")])), 48002);
}

#[test]
fn an_address_that_is_not_trusted_is_refused_and_a_changed_list_works_after_a_minute() {
    let stage = Stage::small();
    let token = stage.token(Identity::Contact);
    let ask = |stage: &Stage| code(&stage.ask_with(&token, Interface::DepartmentSimpleList, &[], &Value::Null));
    stage.api.trust(Identity::Contact, Some(BTreeSet::from(["203.0.113.8".parse().expect("an address")])));
    stage.pass_ms(59_999);
    assert_eq!((ask(&stage), ask(&stage.from("203.0.113.8"))), (0, 0));
    stage.pass_ms(1);
    assert_eq!((ask(&stage), ask(&stage.from("203.0.113.8"))), (60020, 0));
    assert_eq!(code(&stage.get(Identity::App(AGENT), Interface::DepartmentSimpleList, &[])), 0, "a list of its own");
}

#[test]
fn a_refusal_tells_hint_address_and_link_and_carries_an_empty_list() {
    let stage = Stage::small().with(|options| options.contact.trusted = Some(BTreeSet::new()));
    let refused = stage.get(Identity::Contact, Interface::DepartmentList, &[]);
    let message = refused["errmsg"].as_str().expect("a message");
    let rest = message.strip_prefix("not allow to access from your ip, hint: [").expect("the text and a hint");
    let (hint, rest) = rest.split_once(']').expect("the end of the hint");
    assert!(hint.len() == 25 && hint.starts_with("1767225600") && hint.bytes().all(|byte| byte.is_ascii_digit()));
    let link = "https://open.work.weixin.qq.com/devtool/query?e=60020";
    assert_eq!(rest, format!(", from ip: 203.0.113.7, more info at {link}"));
    assert_eq!((code(&refused), &refused["department"]), (60020, &json!([])));
    let lists = [(Interface::DepartmentSimpleList, "department_id"), (Interface::GetCallbackIp, "ip_list")];
    for (interface, list) in lists {
        assert_eq!(stage.get(Identity::Contact, interface, &[])[list], json!([]));
    }
}

#[test]
fn older_servers_do_not_tell_the_address() {
    let stage = Stage::small();
    let told = |_turn| {
        let refused = stage.get(Identity::App(AGENT), Interface::UserGet, &[("userid", "nobody")]);
        refused["errmsg"].as_str().expect("a message").contains("from ip")
    };
    let told: Vec<bool> = (0..60).map(told).collect();
    assert!(told.contains(&true) && told.contains(&false));
}

#[test]
fn the_address_lists_are_what_was_put_in() {
    let stage = Stage::small().with(|options| options.callback_addresses = vec!["127.0.0.1".to_owned()]);
    let answer = stage.get(Identity::App(AGENT), Interface::GetCallbackIp, &[]);
    assert_eq!(answer, json!({"errcode": 0, "errmsg": "ok", "ip_list": ["127.0.0.1"]}));
}

#[test]
fn an_unknown_address_or_another_method_is_not_there() {
    let stage = Stage::small();
    let call = |method, path| stage.api.call(&Call { method, path, query: "", body: b"", peer: HOME }).status;
    assert_eq!(call("GET", "/cgi-bin/user/secrets"), 404);
    assert_eq!(call("GET", "/user/get"), 404);
    assert_eq!(call("GET", "/cgi-bin/user/create"), 404);
    assert_eq!((stage.api.unknown(), stage.api.records().len()), (3, 0));
}

#[test]
fn nothing_secret_shows_when_printed() {
    let stage = Stage::small();
    let shown = format!("{:?} {:?}", stage.api, stage.api.options());
    assert!(!shown.contains(CONTACT) && !shown.contains(APP), "{shown}");
}
