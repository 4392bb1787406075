//! No secret, no token, nothing of an answer in what is printed.

use std::error::Error;

use serde_json::Map;
use wecom::api::ApiError;

use super::{AGENT_SECRET, Reply, World, let_time_pass, settings, token};

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
    !["CANARY", "ouyang", "access_token", "corpsecret", "hint"].iter().any(|word| text.contains(word))
}

#[tokio::test(start_paused = true)]
async fn no_error_shows_a_secret_a_token_or_what_the_platform_wrote() {
    let replies = [
        Reply::code(60104),
        Reply::code(40014),
        Reply::code(45009),
        Reply::code(60020),
        Reply::code(-1),
        Reply::code(123_456),
        Reply::status(403),
        Reply::status(500),
        Reply::none(),
        Reply::json("CANARY-ouyang"),
        Reply::json(r#"{"errcode":"CANARY-ouyang"}"#),
        Reply::json(r#"{"errcode":0,"userid":{"CANARY-ouyang":1}}"#),
        Reply::json(r#"{"errcode":0,"dept_user":"CANARY-ouyang","next_cursor":["CANARY-ouyang"]}"#),
        Reply::json([br#"{"errcode":0,"userid":"CANARY-ouyang"#.as_slice(), &vec![b'x'; 1024 * 1024][..]].concat()),
    ];
    let_time_pass();
    for with_tokens in [true, false] {
        for reply in replies.clone() {
            let answer = reply.clone();
            let world = World::without_tokens(move |asked| {
                if with_tokens && asked.api == "gettoken" { token(asked, 7200) } else { answer.clone() }
            })
            .await;
            let client = &world.client;
            let errors = [
                client.member("CANARY-ouyang").await.err(),
                client.member_ids().await.err(),
                client.create_member(&Map::new()).await.err(),
            ];
            assert!(errors.iter().flatten().count() >= 1, "{reply:?}");
            for error in errors.iter().flatten() {
                assert!(is_clean(&printed(error)), "{}", printed(error));
            }
        }
    }
}

#[tokio::test]
async fn settings_clients_and_errors_of_addresses_do_not_show_them_either() {
    let world = World::new(|_| Reply::none()).await;
    let settings = settings(&world.server, AGENT_SECRET);
    assert!(is_clean(&format!("{settings:?} {:?}", world.client)));
    let api_base = "not a URL CANARY".to_owned();
    let client = wecom::api::Client::new(
        wecom::api::Settings { api_base, ..settings },
        super::http(),
        world.governor.clone(),
        world.clock.clone(),
        world.ear.clone(),
    );
    let error = client.member("CANARY-ouyang").await.unwrap_err();
    assert_eq!(error.label(), "refused");
    assert!(is_clean(&printed(&error)), "{}", printed(&error));
}
