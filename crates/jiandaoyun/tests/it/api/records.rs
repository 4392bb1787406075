//! Records, page by page and one by one.

use jiandaoyun::api::{Condition, Filter, Method, Page, Query, Rel};
use outbound::Urgency;
use serde_json::{Value, json};

use super::{Asked, GET, KEY, LIST, Reply, World, form, id, record};

/// Answers as the platform does: in the order of ids, after the cursor, so many.
fn pages(count: usize) -> impl Fn(&Asked) -> Reply + Send + Sync + 'static {
    move |asked| {
        let body = asked.json();
        let after = body["data_id"].as_str().unwrap_or_default().to_owned();
        let limit = usize::try_from(body["limit"].as_u64().unwrap()).unwrap();
        let rows: Vec<Value> = (1..=count).filter(|nth| id(*nth) > after).take(limit).map(record).collect();
        Reply::data(&json!(rows))
    }
}

/// Reads a form from its first page to its last.
async fn all(world: &World, limit: u8) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), None::<String>);
    loop {
        let query = Query { after: after.as_deref(), limit, ..Query::ALL };
        let Page { records, last_id, is_last, .. } = world.client.records_page(&form(), &query).await.unwrap().value;
        ids.extend(records.into_iter().map(|record| record.id));
        if is_last {
            return ids;
        }
        after = last_id;
    }
}

#[tokio::test]
async fn a_form_is_read_to_its_end_in_pages_of_any_size() {
    for count in [0, 1, 6, 7, 8, 21] {
        for (limit, size) in [(0, 1), (3, 3), (7, 7), (100, 100), (255, 100)] {
            let world = World::new(pages(count)).await;
            let expected: Vec<String> = (1..=count).map(id).collect();
            assert_eq!(all(&world, limit).await, expected, "{count} {limit}");
            assert_eq!(world.server.count(), count / size + 1, "{count} {limit}");
        }
    }
}

#[tokio::test]
async fn what_is_asked_has_the_shape_that_the_platform_wants() {
    let world = World::new(pages(1)).await;
    let condition =
        Condition { field: "flowState".into(), kind: "flowstate".into(), method: Method::Eq, values: vec![json!(1)] };
    let filter = Filter { rel: Rel::And, conditions: vec![condition] };
    let fields = ["_widget_1".to_owned(), "flowState".to_owned()];
    let cursor = id(0);
    let query = Query { fields: &fields, filter: Some(&filter), after: Some(&cursor), limit: 100 };
    let client = world.client.with_urgency(Urgency::Backfill);
    client.records_page(&form(), &query).await.unwrap();
    let asked = world.server.asked().remove(0);
    assert_eq!((asked.method.as_str(), asked.api.as_str()), ("POST", LIST));
    assert_eq!(asked.header("authorization"), format!("Bearer {KEY}"));
    assert!(asked.header("content-type").starts_with("application/json"));
    assert_eq!(
        asked.json(),
        json!({"app_id": "64a0c0ffee000000000000aa", "entry_id": "64a0c0ffee000000000000bb", "limit": 100, "data_id": cursor,
            "fields": fields, "filter": {"rel": "and", "cond": [
                {"field": "flowState", "type": "flowstate", "method": "eq", "value": [1]}]}})
    );
    world.client.records_page(&form(), &Query::ALL).await.unwrap();
    let plain = json!({"app_id": "64a0c0ffee000000000000aa", "entry_id": "64a0c0ffee000000000000bb", "limit": 100});
    assert_eq!(world.server.asked()[1].json(), plain);
    let admitted = world.governor.admitted.lock().unwrap();
    assert_eq!((admitted[0].1, admitted[1].1), (Urgency::Backfill, Urgency::Live));
    let spent: Vec<&str> = admitted[0].0.iter().map(|spend| spend.of.interface).collect();
    assert_eq!(spent, [LIST, "jiandaoyun"]);
    assert!(!format!("{admitted:?}").contains("CANARY"), "the company is known by a digest");
}

#[tokio::test]
async fn where_system_fields_cannot_be_named_all_fields_are_asked_for() {
    let world = World::new(|asked| {
        let is_projected = asked.json().get("fields").is_some();
        let row = if is_projected { json!({"_id": id(1), "_widget_1": "x"}) } else { record(1) };
        Reply::data(&json!([row]))
    })
    .await;
    let fields = ["_widget_1".to_owned(), "updateTime".to_owned()];
    let query = Query { fields: &fields, ..Query::ALL };
    for asked in [2, 3] {
        let page = world.client.records_page(&form(), &query).await.unwrap().value;
        assert!(page.records[0].update_time.is_some());
        assert_eq!(world.server.count(), asked, "and then it is remembered");
    }
    let world = World::new(|_| Reply::data(&json!([{"_id": id(1), "_widget_1": "x"}]))).await;
    let query = Query { fields: &fields[..1], ..Query::ALL };
    world.client.records_page(&form(), &query).await.unwrap();
    assert_eq!(world.server.count(), 1, "nothing that was named is missing");
}

#[tokio::test(start_paused = true)]
async fn the_same_page_again_is_asked_for_again_and_no_endless_walk() {
    let world = World::new(|asked| {
        let first = if asked.nth == 1 { 1 } else { 3 };
        Reply::data(&json!([record(first), record(first + 1)]))
    })
    .await;
    super::let_time_pass();
    let (second, fourth) = (id(2), id(4));
    let query = Query { after: Some(&second), limit: 2, ..Query::ALL };
    world.client.records_page(&form(), &query).await.unwrap();
    let page = world.client.records_page(&form(), &query).await.unwrap().value;
    assert_eq!((page.last_id.as_deref(), world.server.count()), (Some(fourth.as_str()), 3));

    let world = World::new(|_| Reply::data(&json!([record(1), record(2)]))).await;
    super::let_time_pass();
    let error = world.client.records_page(&form(), &query).await.unwrap_err();
    assert_eq!((error.label(), error.is_outage()), ("misplaced", false));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_hides_no_other() {
    let rows = json!([record(1), "odd", {"no": "id"}, record(2)]);
    let world = World::new(move |_| Reply::data(&rows)).await;
    let page = world.client.records_page(&form(), &Query { limit: 4, ..Query::ALL }).await.unwrap().value;
    assert_eq!((page.records.len(), page.unreadable, page.is_last), (2, 2, false));
    assert_eq!(page.last_id, Some(id(2)));
    let rows = json!([record(1), {"no": "id"}]);
    let world = World::new(move |_| Reply::data(&rows)).await;
    let error = world.client.records_page(&form(), &Query { limit: 2, ..Query::ALL }).await.unwrap_err();
    assert_eq!(error.label(), "incomplete", "where the next page begins is not known");
    let page = world.client.records_page(&form(), &Query::ALL).await.unwrap().value;
    assert!(page.is_last);
}

#[tokio::test]
async fn a_single_record_is_there_or_is_not() {
    let world =
        World::new(
            |asked| {
                if asked.json()["data_id"] == json!(id(1)) { Reply::data(&record(1)) } else { Reply::code(4001) }
            },
        )
        .await;
    let there = world.client.record(&form(), &id(1)).await.unwrap().value.unwrap();
    assert_eq!((there.id, there.flow_state), (id(1), Some(1)));
    assert_eq!(world.client.record(&form(), &id(2)).await.unwrap().value, None);
    assert_eq!(world.ear.heard(), [(GET, "ok"), (GET, "ok")]);
    let world = World::new(|_| Reply::data(&record(7))).await;
    assert_eq!(world.client.record(&form(), &id(1)).await.unwrap_err().label(), "incomplete", "another one");
}

#[tokio::test]
async fn a_filter_that_fits_nothing_and_brings_something_was_ignored() {
    let filter = Filter { rel: Rel::And, conditions: Vec::new() };
    for (rows, honoured) in [(json!([]), true), (json!([record(1)]), false), (json!(["odd", {"_id": id(1)}]), false)] {
        let world = World::new(move |_| Reply::data(&rows)).await;
        assert_eq!(world.client.honours(&form(), &filter).await.unwrap().value, honoured);
        assert_eq!(world.server.asked()[0].json()["limit"], json!(1));
    }
}
