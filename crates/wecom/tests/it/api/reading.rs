//! Departments, members and addresses as the platform tells them.

use std::sync::Arc;

use common::{Field, Fields};
use outbound::Urgency;
use wecom::api::{ApiError, Client, Kind, Membership, Unobserved};

use super::{AGENT_SECRET, Recorder, Reply, World, http, member, settings};

fn row(member: &str, department: &str) -> Membership {
    Membership { member: member.to_owned(), department: department.to_owned() }
}

#[tokio::test]
async fn departments_are_listed_by_ids_with_one_secret_and_in_full_with_the_other() {
    let world = World::new(|asked| match &*asked.api {
        "department/simplelist" => Reply::json(
            r#"{"errcode":0,"errmsg":"ok","department_id":[{"id":1,"parentid":0,"order":100},
                {"id":"2","parentid":"1"},{"parentid":1},7]}"#,
        ),
        _ => Reply::json(
            r#"{"errcode":"0","department":[{"id":2,"name":"华东","department_leader":["Li"],
            "parentid":1}]}"#,
        ),
    })
    .await;
    let ids = world.client.department_ids(None).await.unwrap().value;
    assert_eq!((ids.unreadable, ids.is_whole()), (2, false));
    assert_eq!(ids.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(ids.rows[0].fields, Fields::new().with(Field::Order, 100_i64));
    assert_eq!(ids.rows[1].fields, Fields::new().with(Field::Parent, "1"));

    let full = world.client.departments(Some("2")).await.unwrap().value;
    assert!(full.is_whole());
    let fields =
        Fields::new().with(Field::Name, "华东").with(Field::Leaders, ["Li"].as_slice()).with(Field::Parent, "1");
    assert_eq!(full.rows[0].fields, fields);

    let [simple, list] = ["department/simplelist", "department/list"].map(|api| world.server.asked_for(api).remove(0));
    assert_eq!((simple.method.as_str(), simple.query.contains_key("id")), ("GET", false));
    assert!(simple.parameter("access_token").starts_with("CANARY-contact"));
    assert_eq!(list.parameter("id"), "2");
    assert!(list.parameter("access_token").starts_with("CANARY-agent"));
}

#[tokio::test]
async fn an_answer_is_about_what_was_asked_for() {
    let world = World::new(|asked| match &*asked.api {
        "user/get" => Reply::json(r#"{"errcode":0,"userid":"Ouyang","name":"n"}"#),
        _ => Reply::json(r#"{"errcode":0,"department":{"id":42,"name":"华东"}}"#),
    })
    .await;
    assert_eq!(world.client.member("oUYANG").await.unwrap().value.id, "Ouyang", "ids compare without case");
    assert_eq!(world.client.department("42").await.unwrap().value.fields, Fields::new().with(Field::Name, "华东"));
    for error in [world.client.member("li").await.unwrap_err(), world.client.department("4").await.unwrap_err()] {
        assert!(matches!(error, ApiError::Incomplete { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_visible_is_said_so() {
    let world = World::new(|asked| Reply::code(if asked.api == "user/get" { 60111 } else { 60003 })).await;
    for error in [world.client.member("u").await.unwrap_err(), world.client.department("4").await.unwrap_err()] {
        assert_eq!((error.kind(), error.is_outage()), (Some(Kind::NotFound), false));
    }
}

#[tokio::test]
async fn members_of_a_department_are_listed() {
    let world = World::new(|asked| {
        Reply::json(format!(
            r#"{{"errcode":0,"userlist":[{{"userid":"a","name":"甲","department":[{0}]}},{{"name":"乙"}}]}}"#,
            asked.parameter("department_id")
        ))
    })
    .await;
    for answer in [world.client.members("7").await.unwrap(), world.client.member_names("7").await.unwrap()] {
        assert_eq!((answer.value.rows.len(), answer.value.unreadable), (1, 1));
        let fields = Fields::new().with(Field::Name, "甲").with(Field::Departments, ["7"].as_slice());
        assert_eq!((answer.value.rows[0].id.as_str(), &answer.value.rows[0].fields), ("a", &fields));
    }
    assert_eq!((world.server.count("user/list"), world.server.count("user/simplelist")), (1, 1));
}

#[tokio::test]
async fn a_list_that_is_missing_is_not_an_empty_one() {
    for body in
        [r#"{"errcode":0,"errmsg":"ok"}"#, r#"{"errcode":0,"userlist":null,"department_id":null,"dept_user":null}"#]
    {
        let world = World::new(move |_| Reply::json(body)).await;
        assert!(!world.client.members("1").await.unwrap().value.is_whole());
        assert!(!world.client.department_ids(None).await.unwrap().value.is_whole());
        assert!(!world.client.member_ids().await.unwrap().value.is_whole());
    }
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"userlist":[],"department_id":{},"dept_user":"x"}"#)).await;
    assert!(world.client.members("1").await.unwrap().value.is_whole());
    assert_eq!(world.client.department_ids(None).await.unwrap_err().label(), "incomplete");
    assert_eq!(world.client.member_ids().await.unwrap_err().label(), "incomplete");
}

#[tokio::test]
async fn all_members_are_read_page_by_page() {
    let world = World::new(|asked| {
        let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!((asked.method.as_str(), body["limit"].as_u64()), ("POST", Some(10_000)));
        Reply::json(match body["cursor"].as_str().unwrap() {
            "" => {
                r#"{"errcode":0,"next_cursor":"a+/=","dept_user":[{"userid":"u","department":1},
                {"userid":"u","department":"02"}]}"#
            }
            "a+/=" => r#"{"errcode":0,"next_cursor":"b","dept_user":[{"userid":"v","department":2},{"userid":"w"}]}"#,
            "b" => r#"{"errcode":0,"next_cursor":"","dept_user":[]}"#,
            other => panic!("{other}"),
        })
    })
    .await;
    let all = world.client.member_ids().await.unwrap().value;
    assert_eq!(all.rows, [row("u", "1"), row("u", "2"), row("v", "2")]);
    assert_eq!((all.unreadable, world.server.count("user/list_id")), (1, 3));
}

#[tokio::test]
async fn a_list_whose_place_was_forgotten_is_begun_anew() {
    let world = World::new(|asked| match asked.nth {
        0 => Reply::json(r#"{"errcode":0,"next_cursor":"a","dept_user":[{"userid":"gone","department":1}]}"#),
        1 => Reply::code(50100),
        _ => Reply::json(r#"{"errcode":0,"dept_user":[{"userid":"u","department":1}]}"#),
    })
    .await;
    assert_eq!(world.client.member_ids().await.unwrap().value.rows, [row("u", "1")]);

    let world = World::new(|_| Reply::code(50100)).await;
    assert_eq!(world.client.member_ids().await.unwrap_err().label(), "cursor_dead");
    assert_eq!(world.server.count("user/list_id"), 3, "but not for ever");
}

#[tokio::test]
async fn a_list_that_goes_in_circles_ends() {
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"next_cursor":"a","dept_user":[]}"#)).await;
    assert_eq!(world.client.member_ids().await.unwrap_err().label(), "incomplete");
    let world =
        World::new(|asked| Reply::json(format!(r#"{{"errcode":0,"next_cursor":"{}","dept_user":[]}}"#, asked.nth)))
            .await;
    assert_eq!(world.client.member_ids().await.unwrap_err().label(), "incomplete");
    let world = World::new(|_| Reply::json(r#"{"errcode":0,"next_cursor":{},"dept_user":[]}"#)).await;
    assert_eq!(world.client.member_ids().await.unwrap_err().label(), "incomplete", "no place is not the end");
}

#[tokio::test]
async fn the_platforms_addresses_are_never_an_empty_list() {
    let world = World::new(|asked| match &*asked.api {
        "getcallbackip" => {
            Reply::json(r#"{"ip_list":["101.226.103.59","101.226.62.*","x",7],"errcode":0,"errmsg":"ok"}"#)
        }
        _ => Reply::json(r#"{"ip_list":[],"errcode":0}"#),
    })
    .await;
    let addresses = world.client.callback_addresses().await.unwrap().value;
    let told: Vec<String> = addresses.rows.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["101.226.103.59/32", "101.226.62.0/24"]);
    assert_eq!(addresses.unreadable, 2);
    assert_eq!(world.client.api_addresses().await.unwrap_err().label(), "incomplete");
}

#[tokio::test]
async fn without_the_secret_of_an_app_details_are_unreadable_and_nobody_is_asked() {
    let world = World::new(member).await;
    let governor = Arc::new(Recorder::default());
    let client = Client::new(settings(&world.server, ""), http(), governor, world.clock.clone(), Arc::new(Unobserved));
    assert!(!client.reads_details() && world.client.reads_details());
    let errors = [
        client.member("u").await.unwrap_err(),
        client.members("1").await.unwrap_err(),
        client.member_names("1").await.unwrap_err(),
        client.departments(None).await.unwrap_err(),
        client.department("1").await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, ApiError::Unreadable { .. }) && !error.is_outage(), "{error:?}");
    }
    assert!(world.server.asked().is_empty());
}

#[tokio::test]
async fn whatever_an_id_holds_it_stays_one_parameter() {
    let world = World::new(member).await;
    for id in ["a@b.c-d_e", "a&access_token=x", "a=b#c?d", "a b+c%20/..", "中文"] {
        assert_eq!(world.client.member(id).await.unwrap().value.id, id);
    }
    assert!(world.server.asked_for("user/get").iter().all(|asked| asked.query.len() == 2));
    assert_eq!(world.server.asked_for("gettoken")[0].parameter("corpsecret"), AGENT_SECRET);
}

#[tokio::test]
async fn each_call_waits_for_its_turn_and_says_how_urgent_it_is() {
    let world = World::new(member).await;
    world.client.with_urgency(Urgency::Backfill).member("u").await.unwrap();
    world.client.member("u").await.unwrap();
    let admitted = world.governor.admitted.lock().unwrap().clone();
    let told: Vec<_> = admitted.iter().map(|(spends, urgency)| (spends[0].of.interface, *urgency)).collect();
    assert_eq!(told, [("gettoken", Urgency::Live), ("user/get", Urgency::Backfill), ("user/get", Urgency::Live)]);
    for (spends, _) in &admitted {
        let of: Vec<_> = spends.iter().map(|spend| (&*spend.of.company, &*spend.of.egress)).collect();
        assert_eq!(of, [("ww1", ""), ("", "203.0.113.7")]);
        let calls: Vec<u32> = spends.iter().flat_map(|spend| spend.limits).map(|limit| limit.calls).collect();
        assert_eq!(calls, [10_000, 150_000, 20_000, 600_000]);
    }
    assert_eq!(world.client.done_by("user/get", 5).await.unwrap().0, 5);
}
