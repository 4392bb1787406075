//! Tokens: how they are got, how they die.

use super::*;

#[test]
fn a_token_is_given_for_a_good_secret_only() {
    let stage = Stage::small();
    let ask = |parameters: &[(&str, &str)]| code(&parsed(&stage.call(Interface::GetToken, &in_query(parameters), b"")));
    let corp_id = CompanyOptions::default().corp_id;
    assert_eq!(ask(&[]), 41004);
    assert_eq!(ask(&[("corpsecret", CONTACT)]), 41002);
    assert_eq!(ask(&[("corpsecret", CONTACT), ("corpid", "wwother")]), 40013);
    assert_eq!(ask(&[("corpsecret", "wrong"), ("corpid", corp_id.as_str())]), 40001);
    let answer = stage.ask_for_token(CONTACT);
    assert_eq!((code(&answer), &answer["expires_in"]), (0, &json!(7200)));
    assert!(answer["access_token"].as_str().is_some_and(|token| (100..=512).contains(&token.len())));
    assert_ne!(stage.token(Identity::Contact), stage.token(Identity::App(AGENT)));
}

#[test]
fn a_token_belongs_into_the_query() {
    let stage = Stage::small();
    let in_body = json!({"access_token": stage.token(Identity::Contact)}).to_string();
    assert_eq!(code(&parsed(&stage.call(Interface::UserListId, "", in_body.as_bytes()))), 41001);
    assert_eq!(code(&stage.ask_with("made-up", Interface::UserListId, &[], &json!({}))), 40014);
}

#[test]
fn a_token_lives_two_hours_and_is_the_same_until_then() {
    let stage = Stage::small();
    let first = stage.token(Identity::Contact);
    stage.pass_ms(3_600_000);
    let again = stage.ask_for_token(CONTACT);
    assert_eq!((again["access_token"].as_str(), &again["expires_in"]), (Some(first.as_str()), &json!(3600)));
    stage.pass_ms(3_599_999);
    let ask = |token: &str| code(&stage.ask_with(token, Interface::UserListId, &[], &json!({})));
    assert_eq!(ask(&first), 0);
    stage.pass_ms(1);
    assert!([40014, 42001].contains(&ask(&first)));
    let next = stage.token(Identity::Contact);
    assert_ne!(next, first);
    assert_eq!(ask(&next), 0);
}

#[test]
fn a_renewal_can_give_another_token_beside_or_instead_of_the_old_one() {
    for (renewal, old_one) in [(Renewal::NewBeside, 0), (Renewal::NewInstead, 40014)] {
        let stage = Stage::small().with(|options| options.renewal = renewal);
        let (first, second) = (stage.token(Identity::Contact), stage.token(Identity::Contact));
        assert_ne!(first, second);
        let ask = |token: &str| code(&stage.ask_with(token, Interface::UserListId, &[], &json!({})));
        assert_eq!((ask(&first), ask(&second)), (old_one, 0), "{renewal:?}");
    }
}

#[test]
fn a_token_can_die_early_and_a_changed_secret_ends_it() {
    let stage = Stage::small();
    let (contact, app) = (stage.token(Identity::Contact), stage.token(Identity::App(AGENT)));
    let ask = |token: &str| code(&stage.ask_with(token, Interface::DepartmentSimpleList, &[], &Value::Null));
    stage.api.kill_tokens(Some(Identity::Contact));
    assert_eq!((ask(&contact), ask(&app)), (40014, 0));
    assert_ne!(stage.token(Identity::Contact), contact, "a dead token is not given again");
    stage.api.configure(|options| options.app_mut(AGENT).expect("the app").secret = "new".to_owned());
    assert_eq!(ask(&app), 40001);
    stage.api.configure(|options| options.token_calls = Some(3));
    let token = stage.token(Identity::Contact);
    assert_eq!([(); 4].map(|()| ask(&token)), [0, 0, 0, 40014]);
}

#[test]
fn whoever_tries_wrong_secrets_gets_no_token_for_an_hour() {
    let stage = Stage::small().with(|options| options.wrong_secrets = 2);
    let wrong = || code(&stage.ask_for_token("wrong"));
    assert_eq!((wrong(), wrong(), wrong()), (40001, 40001, 45009));
    assert_eq!(code(&stage.ask_for_token(CONTACT)), 45009, "not with the right one either");
    assert_eq!(code(&stage.from("203.0.113.8").ask_for_token(CONTACT)), 0, "another address");
    stage.pass_ms(3_599_999);
    assert_eq!(code(&stage.ask_for_token(CONTACT)), 45009);
    stage.pass_ms(1);
    assert_eq!(code(&stage.ask_for_token(CONTACT)), 0);
    assert_eq!((stage.api.throttled(), stage.api.tally(Interface::GetToken).throttled), (3, 3));
}
