//! Creating members.

use serde_json::{Value, json};
use wecom::api::{Kind, Rows};

use super::{NOW, Reply, World};

fn hire() -> serde_json::Map<String, Value> {
    let hire = json!({ "userid": "user1234", "name": "张三", "department": [1, 2], "to_invite": false });
    hire.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_member_is_sent_in_raw_utf_8_with_the_contact_secret() {
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"errmsg":"created"}"#)).await;
    let created = world.client.create_member(&hire()).await.unwrap().value;
    assert_eq!(created.made_departments, Rows { rows: vec![], unreadable: 0 });
    let asked = world.server.asked_for("user/create").remove(0);
    assert_eq!(asked.method, "POST");
    assert!(asked.body.contains("\"张三\"") && !asked.body.contains("\\u"), "{}", asked.body);
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), Value::Object(hire()));
    assert!(asked.parameter("access_token").starts_with("CANARY-contact"));
}

#[tokio::test]
async fn departments_that_the_platform_made_up_are_told() {
    let world = World::new(|_| {
        Reply::json(
            r#"{"errcode":0,"errmsg":"created","created_department_list":{"department_info":[
                {"name":"待设置","id":99}]}}"#,
        )
    })
    .await;
    assert_eq!(world.client.create_member(&hire()).await.unwrap().value.made_departments.rows, ["99"]);
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_not_repeated() {
    let replies = [Reply::none(), Reply::status(500), Reply::code(-1), Reply::code(6000)];
    for reply in replies {
        let answer = reply.clone();
        let world = World::new(move |_| answer.clone()).await;
        let error = world.client.create_member(&hire()).await.unwrap_err();
        assert!(error.is_outage(), "{error:?}");
        assert_eq!(world.server.count("user/create"), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn who_exists_already_is_a_conflict_and_nothing_proves_no_creation() {
    let world = World::new(|_| Reply::code(60102)).await;
    assert_eq!(world.client.create_member(&hire()).await.unwrap_err().kind(), Some(Kind::Conflict));
    let world = World::new(|_| Reply::json("{}")).await;
    assert_eq!(world.client.create_member(&hire()).await.unwrap_err().label(), "incomplete");
}

#[tokio::test]
async fn by_the_time_of_the_answer_the_member_is_there() {
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"errmsg":"created"}"#)).await;
    let answer = world.client.create_member(&hire()).await.unwrap();
    assert_eq!(answer.value.answered_at, NOW);
    assert!(answer.asked_at < NOW, "and before that it may not have been");
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"errmsg":"created"}"#).at(None)).await;
    assert_eq!(world.client.create_member(&hire()).await.unwrap().value.answered_at, NOW);
    let late = "Thu, 01 Jan 2026 09:00:00 GMT";
    let world = World::new(move |_| Reply::json(r#"{"errcode":0,"errmsg":"created"}"#).at(Some(late))).await;
    let answered_at = world.client.create_member(&hire()).await.unwrap().value.answered_at;
    assert_eq!(answered_at, NOW.plus_seconds(300), "no clock is so far ahead");
}

#[tokio::test]
async fn a_member_is_changed_with_the_contact_secret() {
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"errmsg":"updated"}"#)).await;
    assert_eq!(world.client.update_member(&hire()).await.unwrap().value, NOW);
    let asked = world.server.asked_for("user/update").remove(0);
    assert!(asked.parameter("access_token").starts_with("CANARY-contact"));
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), Value::Object(hire()));
    let world = World::new(|_| Reply::code(60111)).await;
    assert_eq!(world.client.update_member(&hire()).await.unwrap_err().kind(), Some(Kind::NotFound));
}

#[tokio::test]
async fn whose_a_number_or_an_address_is_is_asked_of_the_app() {
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"errmsg":"ok","userid":" ZhangSan "}"#)).await;
    assert_eq!(world.client.holder_of_mobile("13800138000").await.unwrap().value, "ZhangSan");
    assert_eq!(world.client.holder_of_email("z@corp.example").await.unwrap().value, "ZhangSan");
    let mobile = world.server.asked_for("user/getuserid").remove(0);
    assert_eq!(mobile.body, r#"{"mobile":"13800138000"}"#);
    assert!(mobile.parameter("access_token").starts_with("CANARY-agent"));
    let email = world.server.asked_for("user/get_userid_by_email").remove(0);
    assert_eq!(email.body, r#"{"email":"z@corp.example","email_type":2}"#);
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"userid":""}"#)).await;
    assert_eq!(world.client.holder_of_mobile("1").await.unwrap_err().label(), "incomplete");
    let world = World::new(|_| Reply::code(46004)).await;
    assert_eq!(world.client.holder_of_mobile("1").await.unwrap_err().kind(), Some(Kind::NotFound));
}
