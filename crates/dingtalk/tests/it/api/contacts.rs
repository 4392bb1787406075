//! Departments and members as the platform tells them.

use common::{Field, Fields};
use dingtalk::api::{ApiError, Kind};
use outbound::Urgency;

use super::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Reply, USER_GET, World, ids, member};

#[tokio::test]
async fn departments_are_listed_level_by_level() {
    let world = World::new(|asked| {
        Reply::result(match &*asked.api {
            "topapi/v2/department/listsubid" => r#"{"dept_id_list":[900000001,"2",-7]}"#,
            "topapi/v2/department/listsub" => {
                r#"[{"dept_id":2,"name":"华东","parent_id":1,"create_dept_group":false,"auto_add_user":false},
                    {"dept_id":-7,"name":"外部联系人","parent_id":1},{"name":"x"},7]"#
            }
            "topapi/v2/department/get" => r#"{"dept_id":2,"name":"华东","parent_id":1,"order":176000000000000001}"#,
            "topapi/v2/department/listparentbydept" => r#"{"parent_id_list":[2,900000001,1]}"#,
            other => panic!("{other}"),
        })
    })
    .await;
    let client = &world.client;
    assert_eq!(client.department_ids_below("1").await.unwrap().value, ["900000001", "2"]);
    let below = client.sub_departments("1").await.unwrap().value;
    assert_eq!((below.rows.len(), below.unreadable, below.is_whole()), (1, 2, false));
    let fields = Fields::new().with(Field::Name, "华东").with(Field::Parent, "1");
    assert_eq!((below.rows[0].id.as_str(), &below.rows[0].fields), ("2", &fields));
    let one = client.department("2").await.unwrap().value;
    assert_eq!(one.fields, fields.with(Field::Order, 176_000_000_000_000_001_i64));
    assert_eq!(client.parents_of_department("2").await.unwrap().value, ["2", "900000001", "1"]);

    for asked in world.server.asked().into_iter().filter(|asked| asked.api.starts_with("topapi")) {
        assert_eq!((asked.host.as_str(), asked.method.as_str(), asked.query.len()), ("old", "POST", 1), "{asked:?}");
        assert!(asked.json()["dept_id"].is_u64(), "{asked:?}");
        assert_eq!((asked.token(), asked.header("accept")), ("CANARY-new-0", "application/json"));
    }
    assert!(world.meter.asked.lock().unwrap().is_empty(), "the directory is free");
}

#[tokio::test]
async fn an_answer_is_about_what_was_asked_for() {
    let world = World::new(|asked| {
        Reply::result(match &*asked.api {
            USER_GET => r#"{"userid":"Ouyang","name":"n"}"#,
            "topapi/v2/department/get" => r#"{"dept_id":42,"name":"华东"}"#,
            _ => r#"{"parent_id_list":[42,1]}"#,
        })
    })
    .await;
    assert_eq!(world.client.member("oUYANG").await.unwrap().value.id, "Ouyang", "ids compare without case");
    assert_eq!(world.client.department("42").await.unwrap().value.fields, Fields::new().with(Field::Name, "华东"));
    let errors = [
        world.client.member("li").await.unwrap_err(),
        world.client.department("4").await.unwrap_err(),
        world.client.parents_of_department("4").await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, ApiError::Incomplete { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_visible_are_told_apart() {
    for (code, kind) in [
        (60121, Kind::NotFound),
        (33012, Kind::NotFound),
        (60003, Kind::NotFound),
        (50002, Kind::Invisible),
        (50004, Kind::Invisible),
        (60011, Kind::Forbidden),
    ] {
        let world = World::new(move |_| Reply::code(code)).await;
        let errors = [world.client.member("u").await.unwrap_err(), world.client.department("4").await.unwrap_err()];
        for error in errors {
            assert_eq!((error.kind(), error.is_outage()), (Some(kind), false), "{code}");
        }
    }
}

#[tokio::test]
async fn members_of_a_department_are_listed_page_by_page() {
    let world = World::new(|asked| {
        let body = asked.json();
        assert_eq!((body["dept_id"].as_u64(), body["size"].as_u64()), (Some(7), Some(100)));
        Reply::result(match body["cursor"].as_u64().unwrap() {
            0 => {
                r#"{"has_more":true,"next_cursor":100,"list":[{"userid":"a","name":"甲","dept_id_list":[7]},
                    {"name":"乙"}]}"#
            }
            100 => r#"{"has_more":"false","next_cursor":"100","list":[]}"#,
            other => panic!("{other}"),
        })
    })
    .await;
    let first = world.client.members_page("7", 0).await.unwrap().value;
    assert_eq!((first.rows.rows.len(), first.rows.unreadable, first.next), (1, 1, Some(100)));
    assert_eq!(first.rows.rows[0].fields.list(Field::Departments), ["7"]);
    let last = world.client.members_page("7", 100).await.unwrap().value;
    assert_eq!((last.rows.is_whole(), last.next), (true, None));
}

#[tokio::test]
async fn a_page_that_does_not_say_where_it_goes_on_is_not_the_last_one() {
    for page in [
        r#"{"list":[]}"#,
        r#"{"has_more":true,"list":[]}"#,
        r#"{"has_more":true,"next_cursor":100,"list":[]}"#,
        r#"{"has_more":true,"next_cursor":-1,"list":[]}"#,
        r#"{"has_more":true,"next_cursor":"x","list":[]}"#,
    ] {
        let world = World::new(move |_| Reply::result(page)).await;
        assert_eq!(world.client.members_page("7", 100).await.unwrap_err().label(), "incomplete", "{page}");
    }
}

#[tokio::test]
async fn ids_are_told_whole_or_not_at_all() {
    let world = World::new(|asked| {
        Reply::result(match (&*asked.api, asked.nth) {
            ("topapi/user/listid", 0) => r#"{"userid_list":["a"," b ",7]}"#,
            ("topapi/user/listid", 1) => r#"{"userid_list":["a",null]}"#,
            ("topapi/user/listid", 2) => r#"{"userid_list":["a"," "]}"#,
            ("topapi/v2/department/listsubid", 0) => r#"{"dept_id_list":[]}"#,
            ("topapi/v2/department/listsubid", 1) => r#"{"dept_id_list":[1,"x"]}"#,
            ("topapi/v2/department/listparentbyuser", 0) => {
                r#"{"parent_list":[{"parent_dept_id_list":[3,2,1]},{"parent_dept_id_list":[17,1]}]}"#
            }
            ("topapi/v2/department/listparentbyuser", 1) => r#"{"parent_list":[{"parent_dept_id_list":[3,1]},{}]}"#,
            _ => "{}",
        })
    })
    .await;
    let client = &world.client;
    assert_eq!(client.member_ids("7").await.unwrap().value, ["a", "b", "7"]);
    assert!(client.department_ids_below("7").await.unwrap().value.is_empty());
    assert_eq!(client.parents_of_member("u").await.unwrap().value, [ids(&["3", "2", "1"]), ids(&["17", "1"])]);
    for _ in 0..3 {
        assert_eq!(client.member_ids("7").await.unwrap_err().label(), "incomplete");
    }
    for _ in 0..2 {
        assert_eq!(client.department_ids_below("7").await.unwrap_err().label(), "incomplete");
        assert_eq!(client.parents_of_member("u").await.unwrap_err().label(), "incomplete");
    }
}

#[tokio::test]
async fn whatever_an_id_holds_it_stays_one_value() {
    let world = World::new(member).await;
    let odd = ["a@b.c-d_e", "a&access_token=x", "a=b#c?d", "a b+c%20/..", "中文"];
    for id in odd {
        assert_eq!(world.client.member(id).await.unwrap().value.id, id);
    }
    let asked = world.server.asked_for(USER_GET);
    assert!(asked.iter().all(|asked| asked.query.len() == 1));
    let token = world.server.asked_for(ACCESS_TOKEN).remove(0).json();
    assert_eq!((token["appKey"].as_str(), token["appSecret"].as_str()), (Some(CLIENT_ID), Some(CLIENT_SECRET)));
}

#[tokio::test]
async fn each_call_waits_for_its_turn_and_says_how_urgent_it_is() {
    let world = World::new(member).await;
    world.client.with_urgency(Urgency::Backfill).member("u").await.unwrap();
    world.client.member("u").await.unwrap();
    let admitted = world.governor.admitted.lock().unwrap().clone();
    let told: Vec<_> = admitted.iter().map(|(spends, urgency)| (spends[0].of.interface, *urgency)).collect();
    let expected = [(ACCESS_TOKEN, Urgency::Live), (USER_GET, Urgency::Backfill), (USER_GET, Urgency::Live)];
    assert_eq!(told, expected);
    for (spends, _) in &admitted {
        let of: Vec<_> = spends.iter().map(|spend| (&*spend.of.company, &*spend.of.egress)).collect();
        assert_eq!(of, [("ding1", ""), ("", "203.0.113.7")]);
        let limits: Vec<(u32, u64)> =
            spends.iter().flat_map(|spend| spend.limits).map(|limit| (limit.calls, limit.per.as_secs())).collect();
        assert_eq!(limits, [(18, 1), (10_000, 20)]);
    }
    assert_eq!(world.client.done_by(USER_GET, 5).await.unwrap().0, 5);
}
