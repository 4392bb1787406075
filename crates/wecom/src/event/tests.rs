use common::{Field, Fields, Value, What};

use super::*;

const NOW: UnixMillis = UnixMillis(1_800_000_000_123);

fn contact(change_type: &str, rest: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[ww1]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>1767225600</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]>\
         </Event>\
         <ChangeType>{change_type}</ChangeType>{rest}</xml>"
    )
}

fn body(plaintext: &str) -> EventBody {
    let mut events = normalise(&"acme".parse().unwrap(), "ww1", plaintext, NOW, None).unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0).body
}

fn seen(change_type: &str, rest: &str) -> Observation {
    match body(&contact(change_type, rest)) {
        EventBody::Directory(seen) => seen,
        EventBody::Callback(callback) => panic!("kept as {}", callback.name),
    }
}

fn kept(plaintext: &str) -> Callback {
    match body(plaintext) {
        EventBody::Callback(callback) => {
            assert_eq!(callback.content, plaintext);
            callback
        }
        EventBody::Directory(seen) => panic!("taken for {seen:?}"),
    }
}

fn list(items: &[&str]) -> Value {
    items.into()
}

#[test]
fn a_member_created_in_full() {
    let seen = seen(
        "create_user",
        "<UserID><![CDATA[Ouyang.Chunxiao]]></UserID><Name><![CDATA[欧阳春晓·𠮷]]></Name><Department><![CDATA[3,17]]>\
            </Department>\
         <MainDepartment>17</MainDepartment><IsLeaderInDept><![CDATA[0,1]]></IsLeaderInDept>\
         <DirectLeader><![CDATA[ma.zhiyuan, li]]></DirectLeader><Position><![CDATA[高级工程师]]></Position>\
         <Mobile>13900001111</Mobile><Gender>2</Gender><Email><![CDATA[c@corp.example]]></Email>\
         <BizMail><![CDATA[c@mail.corp.example]]></BizMail><Status>4</Status><Avatar>\
         <![CDATA[https://img.example/a/0]]></Avatar>\
         <Alias><![CDATA[Spring]]></Alias><Telephone><![CDATA[021-66668888]]></Telephone><Address><![CDATA[上海市]]>\
         </Address>\
         <ExtAttr><Item><Name><![CDATA[工号]]></Name><Type>0</Type><Text><Value><![CDATA[A-0042]]></Value></Text></Item>\
         <Item><Name><![CDATA[主页]]></Name><Type>1</Type><Web><Title><![CDATA[个人页]]></Title><Url>\
         <![CDATA[https://p.example/42]]></Url></Web></Item>\
         </ExtAttr>",
    );
    let attributes = [("主页", "https://p.example/42"), ("工号", "A-0042")];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let fields = Fields::new()
        .with(Field::Name, "欧阳春晓·𠮷")
        .with(Field::Departments, list(&["3", "17"]))
        .with(Field::MainDepartment, "17")
        .with(Field::Leads, list(&["17"]))
        .with(Field::Leaders, list(&["ma.zhiyuan", "li"]))
        .with(Field::Title, "高级工程师")
        .with(Field::Mobile, "13900001111")
        .with(Field::Gender, "female")
        .with(Field::Email, "c@corp.example")
        .with(Field::BizMail, "c@mail.corp.example")
        .with(Field::Status, "inactive")
        .with(Field::Avatar, "https://img.example/a/0")
        .with(Field::Alias, "Spring")
        .with(Field::Telephone, "021-66668888")
        .with(Field::Address, "上海市")
        .with(Field::Attributes, Value::Map(attributes.into()));
    let expected = Observation {
        kind: common::EntityKind::Member,
        id: "Ouyang.Chunxiao".into(),
        at: UnixMillis::from_seconds(1_767_225_600),
        what: What::Created { fields },
        hint: false,
        answer: false,
    };
    assert_eq!(seen, expected);
}

#[test]
fn reduced_events_are_hints() {
    let departments = || Fields::new().with(Field::Departments, list(&["3", "17"]));
    let parent = || Fields::new().with(Field::Parent, "17");
    let user = "<UserID>u</UserID><Department><![CDATA[3,17]]></Department>";
    let party = "<Id>42</Id><ParentId><![CDATA[17]]></ParentId>";
    let renaming = format!("{user}<NewUserID>v</NewUserID>");
    let cases = [
        ("create_user", user, What::Created { fields: departments() }),
        ("update_user", user, What::Updated { fields: departments() }),
        ("update_user", &renaming, What::Renamed { to: "v".into(), fields: departments() }),
        ("update_user", "<UserID>u</UserID>", What::Updated { fields: Fields::new() }),
        ("create_party", party, What::Created { fields: parent() }),
        ("update_party", party, What::Updated { fields: parent() }),
    ];
    for (change_type, rest, what) in cases {
        let seen = seen(change_type, rest);
        assert_eq!((seen.what, seen.hint), (what, true), "{change_type}");
    }
}

#[test]
fn updates_in_full_carry_what_changed_and_no_more() {
    let member = seen("update_user", "<UserID>u</UserID><Position><![CDATA[]]></Position><Status>5</Status>");
    let fields = Fields::new().with(Field::Title, "").with(Field::Status, "left");
    assert_eq!((member.what, member.hint), (What::Updated { fields }, false));

    let party = seen("update_party", "<Id>42</Id><Name><![CDATA[华东区]]></Name>");
    let fields = Fields::new().with(Field::Name, "华东区");
    assert_eq!((party.id.as_str(), party.what, party.hint), ("42", What::Updated { fields }, false));

    let renamed = seen("update_user", "<UserID>u</UserID><NewUserID>v</NewUserID><Name>V</Name>");
    assert_eq!(renamed.what, What::Renamed { to: "v".into(), fields: Fields::new().with(Field::Name, "V") });
    assert!(!renamed.hint);
}

#[test]
fn a_department_created_in_full() {
    let rest = "<Id>42</Id><Name><![CDATA[华东区·研发一部]]></Name><ParentId><![CDATA[17]]></ParentId>\
        <Order>4294967295</Order>";
    let seen = seen("create_party", rest);
    let fields =
        Fields::new().with(Field::Name, "华东区·研发一部").with(Field::Parent, "17").with(Field::Order, 4_294_967_295);
    assert_eq!((seen.kind, seen.id.as_str(), seen.hint), (common::EntityKind::Department, "42", false));
    assert_eq!(seen.what, What::Created { fields });
}

#[test]
fn removals_are_complete() {
    let member = seen("delete_user", "<UserID><![CDATA[Chunxiao]]></UserID>");
    assert_eq!((member.id.as_str(), member.what, member.hint), ("Chunxiao", What::Removed, false));
    let party = seen("delete_party", "<Id>42</Id>");
    assert_eq!((party.id.as_str(), party.what, party.hint), ("42", What::Removed, false));
}

#[test]
fn spelling_makes_no_difference() {
    let plain = seen("update_party", "<Id>42</Id><Name>A&amp;B</Name><ParentId>3</ParentId>");
    let other = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<xml>\n <New/><ParentId><![CDATA[ 3 ]]>\
        </ParentId>\n\
        <Name><![CDATA[A]]>&amp;<![CDATA[B]]></Name><Id>\n<![CDATA[042]]></Id>\
        <ChangeType><![CDATA[update_party]]></ChangeType><Event> change_contact </Event><MsgType>event</MsgType>\
        <CreateTime><![CDATA[1767225600]]></CreateTime></xml>\n";
    assert_eq!(body(other), EventBody::Directory(plain));
}

#[test]
fn missing_is_not_empty() {
    let without = seen("update_user", "<UserID>u</UserID><Name>N</Name>");
    assert_eq!(without.what, What::Updated { fields: Fields::new().with(Field::Name, "N") });
    let empty = "<UserID>u</UserID><Name>N</Name><Department/><DirectLeader></DirectLeader><Mobile><![CDATA[]]>\
        </Mobile>\
        <MainDepartment/><IsLeaderInDept/><ExtAttr/>";
    let fields = Fields::new()
        .with(Field::Name, "N")
        .with(Field::Departments, list(&[]))
        .with(Field::Leads, list(&[]))
        .with(Field::Leaders, list(&[]))
        .with(Field::Mobile, "")
        .with(Field::MainDepartment, "")
        .with(Field::Attributes, Value::Map(Default::default()));
    assert_eq!(seen("update_user", empty).what, What::Updated { fields });
}

#[test]
fn a_missing_main_department_stays_missing() {
    let seen = seen("create_user", "<UserID>u</UserID><Name>N</Name><Department>17</Department>");
    let fields = Fields::new().with(Field::Name, "N").with(Field::Departments, list(&["17"]));
    assert_eq!((seen.what, seen.hint), (What::Created { fields }, false));
}

#[test]
fn extended_attributes_are_read_in_every_form() {
    let rest = "<UserID>u</UserID><ExtAttr>\
        <Item><Name>direct</Name><Value>1</Value><Text><Value>2</Value></Text></Item>\
        <Item><Name>text</Name><Type>0</Type><Text><Value> 3 </Value></Text></Item>\
        <Item><Name>web</Name><Type>1</Type><Web><Title>t</Title><Url>https://u</Url></Web></Item>\
        <Item><Name>title</Name><Web><Title>t</Title></Web></Item>\
        <Item><Name>empty</Name><Text/></Item><Item><Value>nameless</Value></Item><Other><Name>x</Name></Other>\
        </ExtAttr>";
    let seen = seen("update_user", rest);
    let found = seen.what.fields().unwrap().map(Field::Attributes).unwrap().clone();
    let pairs: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("direct", "1"), ("empty", ""), ("text", "3"), ("title", "t"), ("web", "https://u")]);
}

#[test]
fn genders_and_states_have_names() {
    for (code, name) in [("0", "unknown"), ("1", "male"), ("2", "female")] {
        let seen = seen("update_user", &format!("<UserID>u</UserID><Gender>{code}</Gender>"));
        assert_eq!(seen.what.fields().unwrap().text(Field::Gender), Some(name));
    }
    for (code, name) in [("1", "active"), ("2", "disabled"), ("4", "inactive"), ("5", "left")] {
        let seen = seen("update_user", &format!("<UserID>u</UserID><Status>{code}</Status>"));
        assert_eq!(seen.what.fields().unwrap().text(Field::Status), Some(name));
    }
}

#[test]
fn what_is_unclear_is_asked_for() {
    for rest in [
        "<Name>N</Name><Gender>7</Gender>",
        "<Name>N</Name><Status>3</Status>",
        "<Name></Name><Mobile>1</Mobile>",
        "<Name>N</Name><Department>3,x</Department>",
        "<Name>N</Name><Department>3,17</Department><IsLeaderInDept>1</IsLeaderInDept>",
        "<Name>N</Name><Department>3</Department><IsLeaderInDept>2</IsLeaderInDept>",
        "<Name>N</Name><IsLeaderInDept>1</IsLeaderInDept>",
        "<Name>N</Name><MainDepartment>0</MainDepartment>",
        "<Name>N</Name><NewUserID>U</NewUserID>",
    ] {
        let seen = seen("update_user", &format!("<UserID>u</UserID>{rest}"));
        assert!(seen.hint && matches!(seen.what, What::Updated { .. }), "{rest}");
        let fields = seen.what.fields().unwrap();
        for field in [Field::Gender, Field::Status, Field::Leads, Field::MainDepartment] {
            assert!(!fields.has(field), "{rest}");
        }
    }
    assert!(seen("update_party", "<Id>5</Id><Name>N</Name><ParentId>x</ParentId>").hint);
    assert!(seen("update_party", "<Id>5</Id><Name>N</Name><Order>-1</Order>").hint);
    assert!(!seen("update_party", "<Id>1</Id><Name>Root</Name><ParentId>0</ParentId>").hint);
}

#[test]
fn a_department_named_twice_is_one() {
    let seen =
        seen("update_user", "<UserID>u</UserID><Department>3,03,5</Department><IsLeaderInDept>0,1,0</IsLeaderInDept>");
    let fields = Fields::new().with(Field::Departments, list(&["3", "5"])).with(Field::Leads, list(&["3"]));
    assert_eq!(seen.what, What::Updated { fields });
}

#[test]
fn other_callbacks_are_kept_as_they_came() {
    let tag = contact(
        "<![CDATA[update_tag]]>",
        "<TagId>12</TagId><AddUserItems><![CDATA[ma.zhiyuan]]></AddUserItems><DelUserItems><![CDATA[]]></DelUserItems>",
    );
    let at = UnixMillis::from_seconds(1_767_225_600);
    assert_eq!((kept(&tag).name.as_str(), kept(&tag).at), ("change_contact.update_tag", at));
    let job = "<xml><FromUserName>sys</FromUserName><CreateTime>1767228000</CreateTime><MsgType>event</MsgType>\
        <Event><![CDATA[batch_job_result]]></Event><BatchJob><JobId>J</JobId><ErrCode>0</ErrCode></BatchJob></xml>";
    assert_eq!((kept(job).name.as_str(), kept(job).at.seconds()), ("batch_job_result", 1_767_228_000));
    assert_eq!(kept(&contact("hire_robot", "<UserID>u</UserID>")).name, "change_contact.hire_robot");
    let text =
        "<xml><CreateTime>1409659813</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>====</Content></xml>";
    assert_eq!(kept(text).name, "text");
    let suite = "<xml><SuiteId>s</SuiteId><InfoType><![CDATA[change_contact]]></InfoType>\
        <TimeStamp>1767225800</TimeStamp>\
        <ChangeType>update_user</ChangeType><UserID>u</UserID></xml>";
    assert_eq!((kept(suite).name.as_str(), kept(suite).at.seconds()), ("change_contact.update_user", 1_767_225_800));
    assert_eq!((kept("<a/>").name.as_str(), kept("<a/>").at), ("unknown", NOW));
}

#[test]
fn contact_events_without_whom_or_when_are_kept_as_they_came() {
    let good = contact("update_user", "<UserID>u</UserID><Name>N</Name>");
    assert!(matches!(body(&good), EventBody::Directory(_)));
    for bad in [
        good.replace("<UserID>u</UserID>", ""),
        good.replace("<UserID>u</UserID>", "<UserID> </UserID>"),
        good.replace("<UserID>u</UserID>", "<UserID>u</UserID><UserID>v</UserID>"),
        good.replace("<UserID>u</UserID>", "<UserID><a/>u</UserID>"),
        good.replace("<Name>N</Name>", "<Name>N</Name><Name>M</Name>"),
        good.replace("<Name>N</Name>", "<Event>change_contact</Event>"),
        good.replace("1767225600", ""),
        good.replace("1767225600", "soon"),
        good.replace("1767225600", "1767225600000"),
        good.replace("<CreateTime>1767225600</CreateTime>", ""),
        contact("delete_party", "<Id>x</Id>"),
        contact("delete_party", "<Id>0</Id>"),
        contact("create_party", "<Name>N</Name>"),
    ] {
        kept(&bad);
    }
}

#[test]
fn json_is_kept_if_everybody_reads_it_alike() {
    let text = "{\"ToUserName\":\"ww1\",\"CreateTime\": 1409659813,\"MsgType\":\"text\",\"MsgId\":4561255354251345929}";
    assert_eq!((kept(text).name.as_str(), kept(text).at.seconds()), ("text", 1_409_659_813));
    assert_eq!(kept("\u{feff} {\"Event\":\"x\",\"ChangeType\":\"y\",\"CreateTime\":\"1409659813\"}").name, "x.y");
    let refused = |text: &str| normalise(&"acme".parse().unwrap(), "ww1", text, NOW, None).unwrap_err();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for bad in
        ["{", "{}{}", "{\"a\":1,\"a\":2}", "{\"b\":{\"a\":1,\"\\u0061\":2}}", "{\"a\":1e99999}", "{\"a\":NaN}", &deep]
    {
        assert_eq!(refused(bad), Refusal::Malformed { why: "json_syntax" });
    }
    for bad in ["", "  ", "[]", "1616140317555161061", "hello", "+ADw-xml+AD4-", "\0"] {
        assert_eq!(refused(bad), Refusal::Malformed { why: "neither_xml_nor_json" });
    }
    assert_eq!(refused("<xml>").why(), "xml_syntax");
}

#[test]
fn equal_facts_have_equal_keys_and_others_do_not() {
    let of = |plaintext: &str, corp: &str| {
        let trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
        normalise(&"acme".parse().unwrap(), corp, plaintext, NOW, trace).unwrap().remove(0)
    };
    let one = of(&contact("delete_user", "<UserID>u</UserID>"), "ww1");
    assert_eq!(one.id, one.keys.content);
    assert_eq!((one.keys.platform.as_deref(), one.id.len(), one.platform), (None, 40, Platform::Wecom));
    assert!(one.traceparent.is_some() && one.received_at == NOW);
    assert_eq!(one, of(&contact("delete_user", "<UserID>u</UserID>"), "ww1"));
    assert_ne!(one.id, of(&contact("delete_user", "<UserID>v</UserID>"), "ww1").id);
    assert_ne!(one.id, of(&contact("delete_user", "<UserID>u</UserID>"), "ww2").id);
    assert_eq!(Event::from_cloud_event(&one.to_cloud_event()), Ok(one));
}
