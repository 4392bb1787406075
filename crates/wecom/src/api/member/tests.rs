use common::{EventBody, UnixMillis, Value as FieldValue, What};

use super::*;
use crate::normalise;

fn read(json: &str) -> Option<Member> {
    serde_json::from_str::<Told>(json).unwrap().into_member()
}

fn fields(json: &str) -> Fields {
    read(&format!("{{\"userid\":\"u\",{json}}}")).unwrap().fields
}

/// What a callback tells of the same member.
fn told_by_callback(elements: &str) -> Member {
    let xml = format!(
        "<xml><CreateTime>1767225600</CreateTime><MsgType>event</MsgType><Event>change_contact</Event>\
         <ChangeType>create_user</ChangeType>{elements}</xml>"
    );
    let event = normalise(&"acme".parse().unwrap(), "ww1", &xml, UnixMillis(0), None).unwrap().remove(0);
    match event.body {
        EventBody::Directory(seen) => match seen.what {
            What::Created { fields } => Member { id: seen.id, fields },
            other => panic!("{other:?}"),
        },
        EventBody::Callback(_) => panic!("not understood"),
    }
}

#[test]
fn a_member_who_is_pulled_is_as_a_callback_tells_it() {
    let pulled = read(
        r#"{"errcode":0,"errmsg":"ok","userid":"Ouyang.Chunxiao","name":"欧阳春晓·𠮷","department":[3,17,3],
            "order":[1,2,3],"position":"高级工程师","mobile":"13900001111","gender":"2","email":"c@corp.example",
            "biz_mail":"c@mail.corp.example","is_leader_in_dept":[0,1,0],"direct_leader":["ma.zhiyuan","li"],
            "avatar":"https://img.example/a/0","thumb_avatar":"https://img.example/a/100",
            "telephone":"","alias":"Spring","address":"上海市","open_userid":"x",
            "main_department":17,"status":4,"qr_code":"https://q.example",
            "extattr":{"attrs":[{"type":0,"name":"工号","value":"A-0042","text":{"value":"A-0042"}},
            {"type":1,"name":"主页","web":{"url":"https://p.example/42","title":"个人页"}},
            {"type":0,"name":"空","text":{"value":""}}]},
            "external_position":"","external_profile":{"external_attr":[]}}"#,
    );
    let told = told_by_callback(
        "<UserID>Ouyang.Chunxiao</UserID><Name>欧阳春晓·𠮷</Name><Department>3,17,3</Department>\
         <MainDepartment>17</MainDepartment><IsLeaderInDept>0,1,0</IsLeaderInDept>\
         <DirectLeader>ma.zhiyuan,li</DirectLeader><Position>高级工程师</Position>\
         <Mobile>13900001111</Mobile><Gender>2</Gender><Email>c@corp.example</Email>\
         <BizMail>c@mail.corp.example</BizMail><Status>4</Status><Avatar>https://img.example/a/0</Avatar>\
         <Alias>Spring</Alias><Telephone></Telephone>\
         <Address>上海市</Address><ExtAttr><Item><Name>工号</Name><Type>0</Type><Text><Value>A-0042</Value></Text></Item>\
         <Item><Name>主页</Name><Type>1</Type><Web><Title>个人页</Title><Url>https://p.example/42</Url></Web></Item>\
         <Item><Name>空</Name><Type>0</Type><Text><Value></Value></Text></Item></ExtAttr>",
    );
    assert_eq!(pulled, Some(told));
}

#[test]
fn every_code_has_the_word_that_callbacks_give_it() {
    for code in 0..8 {
        let pulled = fields(&format!("\"mobile\":\"1\",\"gender\":{code},\"status\":\"{code}\""));
        let told = told_by_callback(&format!(
            "<UserID>u</UserID><Mobile>1</Mobile><Gender>{code}</Gender><Status>{code}</Status>"
        ));
        assert_eq!(pulled, told.fields, "{code}");
    }
}

#[test]
fn what_an_app_may_not_see_is_not_told() {
    let seen = Fields::new().with(Field::Name, "欧阳");
    assert_eq!(fields(r#""name":"欧阳""#), seen);
    let held_back =
        r#""name":"欧阳","avatar":"","gender":"0","mobile":"","email":"","biz_mail":"","address":"","qr_code":"""#;
    assert_eq!(fields(held_back), seen, "empty, and nothing beside it that is not");
}

#[test]
fn what_an_app_may_see_can_be_emptied() {
    let json = r#""gender":"0","mobile":"13900001111","email":"","address":" ","position":"","alias":"""#;
    let expected = Fields::new()
        .with(Field::Gender, "unknown")
        .with(Field::Mobile, "13900001111")
        .with(Field::Email, "")
        .with(Field::Address, "")
        .with(Field::Title, "")
        .with(Field::Alias, "");
    assert_eq!(fields(json), expected);
}

#[test]
fn what_is_missing_null_or_odd_is_not_told() {
    for json in [
        r#""name":null,"department":null,"is_leader_in_dept":null,"direct_leader":null,"extattr":null"#,
        r#""name":" ","department":{},"main_department":0,"status":3,"extattr":{}"#,
        r#""name":[],"department":[1,null],"is_leader_in_dept":[1],"direct_leader":"a","extattr":"x","status":null"#,
        r#""department":[1,"x"],"main_department":"x","extattr":{"attrs":{}},"mobile":{},"gender":[]"#,
        r#""department":[0],"is_leader_in_dept":[1],"direct_leader":[{}]"#,
    ] {
        assert_eq!(fields(json), Fields::new(), "{json}");
    }
    for json in ["{}", r#"{"userid":null}"#, r#"{"userid":" "}"#, r#"{"userid":["u"]}"#] {
        assert_eq!(read(json), None, "{json}");
    }
    assert_eq!(read(r#"{"userid":10086}"#).unwrap().id, "10086");
}

#[test]
fn leading_without_fitting_departments_is_not_told() {
    let departments = Fields::new().with(Field::Departments, ["3", "17"].as_slice());
    for leads in ["[1]", "[1,0,0]", "[1,2]", "[]", "null", "\"1,0\""] {
        assert_eq!(fields(&format!("\"department\":[3,\"17\"],\"is_leader_in_dept\":{leads}")), departments, "{leads}");
    }
    let none = FieldValue::List(Vec::new());
    assert_eq!(
        fields(r#""department":[],"is_leader_in_dept":[]"#),
        Fields::new().with(Field::Departments, none.clone()).with(Field::Leads, none)
    );
}

#[test]
fn details_are_without_memberships() {
    let json = r#"{"userid":"u","name":"n","department":[3],"is_leader_in_dept":[1],"main_department":3,
                   "direct_leader":["l"]}"#;
    let details = read(json).unwrap().details();
    let expected = Fields::new().with(Field::Name, "n").with(Field::Leaders, ["l"].as_slice());
    assert_eq!(details, expected);
}
