//! What an app sees.

use super::*;

const READER: Identity = Identity::App(AGENT);

fn scoped(departments: &[&str], members: &[&str], outside: Outside) -> Stage {
    Stage::small().with(|options| {
        options.outside = outside;
        options.app_mut(AGENT).expect("the app").scope = Scope::of(departments, members);
    })
}

#[test]
fn a_whole_member_is_told_with_its_departments_leaders_and_attributes() {
    let stage = Stage::small().with(|options| options.app_mut(AGENT).expect("the app").era = Era::Old);
    let edit = |member: &mut Member| {
        member.attributes.insert("工号".to_owned(), "A-7".to_owned());
        member.attributes.insert("主页".to_owned(), "https://p.example/7".to_owned());
    };
    stage.api.company().update_member("li", edit).expect("legal");
    let li = stage.get(READER, Interface::UserGet, &[("userid", "li")]);
    assert_eq!((&li["userid"], &li["name"], &li["position"]), (&json!("Li"), &json!("Li的名字"), &json!("工程师")));
    assert_eq!((&li["department"], &li["main_department"]), (&json!([2, 4]), &json!(2)));
    assert_eq!((&li["is_leader_in_dept"], &li["order"]), (&json!([0, 0]), &json!([0, 0])));
    assert_eq!((&li["direct_leader"], &li["gender"], &li["status"]), (&json!(["boss"]), &json!("0"), &json!(1)));
    assert_eq!((&li["mobile"], &li["email"]), (&json!("13800000002"), &json!("li@corp.example")));
    let web = json!({"type": 1, "name": "主页", "web": {"url": "https://p.example/7", "title": ""}});
    let text = json!({"type": 0, "name": "工号", "text": {"value": "A-7"}});
    assert_eq!(li["extattr"], json!({"attrs": [web, text]}));
}

#[test]
fn an_app_of_today_gets_no_personal_fields() {
    let stage = Stage::small();
    let listed = stage.get(READER, Interface::UserList, &[("department_id", "2")]);
    assert_eq!(ids(&listed["userlist"], "userid"), ["Li", "boss"]);
    for hidden in ["mobile", "email", "biz_mail", "gender", "avatar", "thumb_avatar", "qr_code", "address"] {
        assert_eq!(listed["userlist"][0].get(hidden), None, "{hidden}");
    }
    for told in ["name", "department", "position", "telephone", "alias"] {
        assert!(listed["userlist"][0].get(told).is_some(), "{told}");
    }
    stage.api.configure(|options| options.hidden_gender_as_zero = true);
    assert_eq!(stage.get(READER, Interface::UserGet, &[("userid", "Li")])["gender"], json!("0"));
}

#[test]
fn departments_are_told_whole_or_as_a_subtree_with_their_leaders() {
    let stage = Stage::small();
    let all = stage.get(READER, Interface::DepartmentList, &[]);
    assert_eq!(ids(&all["department"], "id"), ["1", "2", "3", "4"]);
    let below = stage.get(READER, Interface::DepartmentList, &[("id", "2")]);
    assert_eq!(ids(&below["department"], "id"), ["2", "3"]);
    let one = stage.get(READER, Interface::DepartmentGet, &[("id", "2")])["department"].clone();
    assert_eq!((&one["name"], &one["parentid"], &one["name_en"]), (&json!("甲"), &json!(1), &json!("")));
    assert_eq!((&one["department_leader"], one["order"].is_u64()), (&json!(["boss"]), true));
    let same = all["department"].as_array().expect("a list").iter().find(|row| row["id"] == json!(2));
    assert_eq!(same, Some(&one), "both ways of finding leaders agree");
    let simple = stage.get(Identity::Contact, Interface::DepartmentSimpleList, &[("id", "2")]);
    assert_eq!(ids(&simple["department_id"], "id"), ["2", "3"]);
    assert_eq!(simple["department_id"][0].get("name"), None);
    assert_eq!(code(&stage.get(READER, Interface::DepartmentGet, &[("id", "99")])), 60003);
    assert_eq!(code(&stage.get(READER, Interface::UserGet, &[("userid", "nobody")])), 60111);
}

#[test]
fn only_direct_members_of_a_department_are_listed() {
    let stage = Stage::small();
    let parameters = [("department_id", "2"), ("fetch_child", "1")];
    let listed = stage.get(READER, Interface::UserSimpleList, &parameters);
    assert_eq!(ids(&listed["userlist"], "userid"), ["Li", "boss"]);
    assert_eq!(ids(&listed["userlist"], "department"), ["[2,4]", "[2]"]);
    assert_eq!(listed["userlist"][0].get("position"), None);
}

#[test]
fn what_is_outside_of_the_scope_is_neither_told_nor_named() {
    let stage = scoped(&["4"], &["zhao"], Outside::NoPrivilege);
    assert_eq!(ids(&stage.get(READER, Interface::DepartmentList, &[])["department"], "id"), ["4"]);
    let li = stage.get(READER, Interface::UserGet, &[("userid", "Li")]);
    assert_eq!((&li["department"], &li["direct_leader"]), (&json!([4]), &json!([])));
    assert_eq!(li["is_leader_in_dept"], json!([0]));
    let zhao = stage.get(READER, Interface::UserGet, &[("userid", "zhao")]);
    assert_eq!((code(&zhao), &zhao["department"]), (0, &json!([])));
    let hidden = [
        (Interface::UserGet, "userid", "boss"),
        (Interface::UserGet, "userid", "nobody"),
        (Interface::UserList, "department_id", "2"),
        (Interface::DepartmentList, "id", "3"),
        (Interface::DepartmentGet, "id", "99"),
    ];
    for (interface, name, value) in hidden {
        assert_eq!(code(&stage.get(READER, interface, &[(name, value)])), 60011, "{interface} {value}");
    }
    let everything = stage.get(Identity::Contact, Interface::DepartmentSimpleList, &[]);
    assert_eq!(ids(&everything["department_id"], "id").len(), 4, "the contact secret has no scope");
}

#[test]
fn what_is_outside_can_also_be_told_as_not_there() {
    let ask =
        |outside, id: &str| code(&scoped(&["4"], &[], outside).get(READER, Interface::UserGet, &[("userid", id)]));
    assert_eq!(ask(Outside::NotFound, "boss"), 60111);
    let either: BTreeSet<i64> = (0..20).map(|number| ask(Outside::Either, &format!("nobody{number}"))).collect();
    assert_eq!(either, BTreeSet::from([60011, 60111]));
    assert_eq!(ask(Outside::Either, "nobody0"), ask(Outside::Either, "nobody0"));
}

#[test]
fn a_narrowed_scope_hides_at_once() {
    let stage = Stage::small();
    assert_eq!(code(&stage.get(READER, Interface::UserGet, &[("userid", "zhao")])), 0);
    stage.api.configure(|options| options.app_mut(AGENT).expect("the app").scope = Scope::of(&["4"], &[]));
    assert_ne!(code(&stage.get(READER, Interface::UserGet, &[("userid", "zhao")])), 0);
}

#[test]
fn a_list_that_is_too_large_is_refused() {
    let stage = Stage::small().with(|options| options.list_bytes = Some(400));
    let ask = |id| code(&stage.get(READER, Interface::UserList, &[("department_id", id)]));
    assert_eq!((ask("2"), ask("3")), (45029, 0));
}

#[test]
fn whose_a_number_or_an_address_is_is_told_of_members_that_are_seen() {
    let ask = |stage: &Stage, interface, body: Value| stage.ask(READER, interface, &[], &body);
    let stage = Stage::small();
    let holder = ask(&stage, Interface::UserGetUserId, json!({"mobile": "13800000002"}));
    assert_eq!((code(&holder), &holder["userid"]), (0, &json!("Li")));
    let holder = ask(&stage, Interface::UserIdByEmail, json!({"email": "LI@corp.example", "email_type": 2}));
    assert_eq!(holder["userid"], json!("Li"));
    assert_eq!(code(&ask(&stage, Interface::UserGetUserId, json!({"mobile": "13800000009"}))), 46004);
    assert_eq!(code(&ask(&stage, Interface::UserGetUserId, json!({}))), 40063);
    let contact = stage.ask(Identity::Contact, Interface::UserGetUserId, &[], &json!({"mobile": "13800000002"}));
    assert_eq!(code(&contact), 48009);
    let narrow = scoped(&["3"], &[], Outside::NotFound);
    assert_eq!(code(&ask(&narrow, Interface::UserGetUserId, json!({"mobile": "13800000002"}))), 60111);
}
