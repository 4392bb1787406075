//! Approvals as the platform tells them.

use common::{Field, Fields};
use dingtalk::api::Kind;
use serde_json::json;

use super::{NOW, Reply, World};

const ONE: &str = "v1.0/workflow/processInstances";
const IDS: &str = "v1.0/workflow/processes/instanceIds/query";

#[tokio::test]
async fn an_approval_is_asked_for_by_its_id_with_the_token_in_a_header() {
    let world = World::new(|_| {
        Reply::json(
            r#"{"result":{"title":"请假","status":"COMPLETED","result":"agree","originatorUserId":"u1",
                "createTime":"2026-09-21T01:10Z","formComponentValues":[{"componentType":"DDHolidayField",
                "value":"[\"2026-09-22\",\"2026-09-23\",2,\"day\",\"年假\",\"请假类型\"]"}]},"success":"true"}"#,
        )
    })
    .await;
    let approval = world.client.approval("a b&c").await.unwrap().value;
    assert!(approval.is_agreed());
    let day = |date: &str| ("u1".to_owned(), date.to_owned());
    assert_eq!(approval.days, [day("2026-09-22"), day("2026-09-23")]);
    assert_eq!(approval.fields_beside(&Fields::new()).text(Field::Subject), Some("请假"));
    let asked = world.server.asked_for(ONE).remove(0);
    assert_eq!((asked.host.as_str(), asked.method.as_str(), asked.token()), ("new", "GET", "CANARY-new-0"));
    assert_eq!((asked.parameter("processInstanceId"), asked.query.len()), ("a b&c", 1));
    assert_eq!(world.meter.used.lock().unwrap().as_slice(), [ONE]);
    let spent = world.governor.admitted.lock().unwrap()[1].0[0].limits[0];
    assert_eq!((spent.calls, spent.per.as_secs()), (50, 10), "it is reported as tight");
}

#[tokio::test]
async fn an_approval_that_does_not_exist_is_told_from_a_wrong_id() {
    for (word, kind) in [
        ("processInstanceNotExist", Kind::NotFound),
        ("processInstanceIdError", Kind::Invalid),
        ("needAuth", Kind::Forbidden),
    ] {
        let world = World::new(move |_| Reply::word(400, word)).await;
        let error = world.client.approval("p").await.unwrap_err();
        assert_eq!((error.kind(), error.is_outage()), (Some(kind), false), "{word}");
    }
}

#[tokio::test]
async fn an_approval_without_a_status_is_no_answer() {
    for body in [r#"{"result":{"title":"x"}}"#, r#"{"success":"false"}"#, r#"{"result":null}"#, r#"{"result":[]}"#] {
        let world = World::new(move |_| Reply::json(body)).await;
        assert_eq!(world.client.approval("p").await.unwrap_err().label(), "incomplete", "{body}");
    }
}

#[tokio::test]
async fn ids_of_a_template_are_listed_page_by_page() {
    let world = World::new(|asked| {
        Reply::json(match asked.json()["nextToken"].as_u64().unwrap() {
            0 => r#"{"result":{"list":["a","b"],"nextToken":"20"},"success":true}"#,
            20 => r#"{"result":{"list":["c"]},"success":true}"#,
            other => panic!("{other}"),
        })
    })
    .await;
    let page = async |cursor| world.client.approval_ids_page("PROC-1", NOW, NOW.plus_seconds(1), cursor).await.unwrap();
    let first = page(0).await.value;
    assert_eq!((first.ids, first.next), (vec!["a".to_owned(), "b".to_owned()], Some(20)));
    let last = page(20).await.value;
    assert_eq!((last.ids, last.next), (vec!["c".to_owned()], None));
    let asked = world.server.asked_for(IDS).remove(0);
    assert_eq!((asked.host.as_str(), asked.method.as_str()), ("new", "POST"));
    let body = json!({"processCode": "PROC-1", "startTime": NOW.0, "endTime": NOW.0 + 1000, "nextToken": 0,
                      "maxResults": 20});
    assert_eq!(asked.json(), body);
}
