//! No key, nothing of an answer in what is printed.

use std::error::Error;

use jiandaoyun::api::{ApiError, Client, Query, Settings};
use serde_json::json;

use super::{Reply, World, form, http, let_time_pass, settings};

/// All that a log could show of an error.
fn printed(error: &ApiError) -> String {
    let mut all = format!("{error} {error:?} {error:#?} {} {}", error.label(), error.api());
    let mut next = error.source();
    while let Some(cause) = next {
        all.push_str(&format!(" {cause} {cause:?}"));
        next = cause.source();
    }
    all
}

fn is_clean(text: &str) -> bool {
    !["CANARY", "欧阳", "13900001111", "Bearer"].iter().any(|word| text.contains(word))
}

#[tokio::test(start_paused = true)]
async fn no_error_shows_a_key_or_what_the_platform_wrote() {
    let replies = [
        Reply::code(17018),
        Reply::code(8303),
        Reply::code(9004),
        Reply::code(4402),
        Reply::code(123_456),
        Reply::json(r#"{"code":"CANARY","msg":"CANARY"}"#).with_status(400),
        Reply::status(403),
        Reply::status(502),
        Reply::none(),
        Reply::json("CANARY-ouyang"),
        Reply::json(r#"{"data":"CANARY-ouyang"}"#),
        Reply::json(r#"{"data":{"_id":"CANARY"}}"#),
    ];
    let_time_pass();
    for reply in replies {
        let answer = reply.clone();
        let world = World::new(move |_| answer.clone()).await;
        let client = &world.client;
        let data = json!({"_widget_1": {"value": "CANARY-ouyang"}});
        let errors = [
            client.records_page(&form(), &Query { after: Some("CANARY"), ..Query::ALL }).await.err(),
            client.record(&form(), "CANARY-ouyang").await.err(),
            client.update(&form(), "CANARY-ouyang", data.as_object().unwrap()).await.err(),
            client.widgets(&form()).await.err(),
        ];
        assert!(errors.iter().flatten().count() >= 1, "{reply:?}");
        for error in errors.iter().flatten() {
            assert!(is_clean(&printed(error)), "{}", printed(error));
        }
    }
}

#[tokio::test]
async fn settings_clients_records_and_errors_of_addresses_do_not_show_them_either() {
    let row = json!({"_id": "59e9a2fe283ffa7c11b1ddbf", "_widget_1": "欧阳", "creator": {"name": "CANARY"}});
    let world = World::new(move |_| Reply::data(&json!([row]))).await;
    let page = world.client.records_page(&form(), &Query::ALL).await.unwrap();
    let settings = settings(&world.server);
    assert!(is_clean(&format!("{settings:?} {:?} {page:?}", world.client)));
    let settings = Settings { api_base: "not a URL CANARY".to_owned(), ..settings };
    let client = Client::new(settings, http(), world.governor.clone(), world.clock.clone(), world.ear.clone());
    let error = client.record(&form(), "CANARY-ouyang").await.unwrap_err();
    assert_eq!(error.label(), "refused");
    assert!(is_clean(&printed(&error)), "{}", printed(&error));
}
