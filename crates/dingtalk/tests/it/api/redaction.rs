//! No secret, no token, nothing of an answer in what is printed.

use std::error::Error;

use dingtalk::api::{ApiError, Client, Settings};

use super::{ACCESS_TOKEN, NOW, Reply, World, http, ids, let_time_pass, settings, token};

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
    // The path of the interface that gives tokens is no secret.
    let text = text.replace(ACCESS_TOKEN, "");
    !["CANARY", "欧阳", "access_token", "accessToken", "appsecret"].iter().any(|word| text.contains(word))
}

#[tokio::test(start_paused = true)]
async fn no_error_shows_a_secret_a_token_or_what_the_platform_wrote() {
    let replies = [
        Reply::code(60121),
        Reply::code(40014),
        Reply::code(90018),
        Reply::code(60020),
        Reply::code(60011),
        Reply::code(-1),
        Reply::code(123_456),
        Reply::word(400, "CANARY-ouyang"),
        Reply::word(403, "CANARY 欧阳"),
        Reply::status(403),
        Reply::status(500),
        Reply::none(),
        Reply::json("CANARY-ouyang"),
        Reply::json(r#"{"errcode":"CANARY-ouyang"}"#),
        Reply::result(r#"{"userid":{"CANARY-ouyang":1},"status":"CANARY"}"#),
        Reply::json([br#"{"errcode":0,"userid":"CANARY-ouyang"#.as_slice(), &vec![b'x'; 1024 * 1024][..]].concat()),
    ];
    let_time_pass();
    for with_tokens in [true, false] {
        for reply in replies.clone() {
            let answer = reply.clone();
            let world = World::without_tokens(move |asked| {
                if with_tokens && asked.api == ACCESS_TOKEN { token(asked, 7200) } else { answer.clone() }
            })
            .await;
            let client = &world.client;
            let errors = [
                client.member("CANARY-ouyang").await.err(),
                client.member_ids("1").await.err(),
                client.attendance_results(&ids(&["CANARY-ouyang"]), "2026-09-21", "2026-09-21").await.err(),
                client.approval("CANARY-ouyang").await.err(),
                client.approval_ids_page("CANARY-code", NOW, NOW, 0).await.err(),
                client.open_stream("CANARY-ua").await.err(),
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
    let settings = settings(&world.server);
    assert!(is_clean(&format!("{settings:?} {:?}", world.client)));
    let bases = ("not a URL CANARY".to_owned(), "not a URL CANARY".to_owned());
    let client = Client::new(
        Settings { api_base: bases.0, oapi_base: bases.1, ..settings },
        http(),
        world.governor.clone(),
        world.meter.clone(),
        world.clock.clone(),
        world.ear.clone(),
    );
    let error = client.member("CANARY-ouyang").await.unwrap_err();
    assert_eq!(error.label(), "refused");
    assert!(is_clean(&printed(&error)), "{}", printed(&error));
}
