//! Creating members.

use serde_json::{Value, json};
use wecom::api::{Kind, Rows};

use super::{Reply, World};

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
