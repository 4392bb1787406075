//! What becomes of a record after it was asked for.

use platform_sim::jiandaoyun::{FlowState, FormsOptions, Interface};
use serde_json::{Value, json};
use store::form_records::State;
use test_kit::eventually;

use super::scene::Scene;

#[tokio::test]
async fn a_record_that_is_changed_after_its_member_was_made_makes_nobody() {
    let scene = Scene::open().await;
    let id = scene.hire("zhang");
    scene.look().await;
    let version = scene.version(&id).await;
    scene.settle(&id, State::Created).await;
    scene.pass(1).await;
    scene.edit(&id, json!({"_widget_1005": "zhang2"}));
    for _ in 0..3 {
        scene.poll().await;
    }
    assert_eq!(scene.version(&id).await, version, "one request was sent, and no other");
    assert_eq!((scene.state(&id).await, scene.counted("changed")), (Some(State::Created), 1));
    scene.end().await;
}

#[tokio::test]
async fn a_corrected_record_is_sent_again_after_it_failed_and_not_before() {
    let scene = Scene::open().await;
    let id = scene.hire("taken");
    scene.look().await;
    let version = scene.version(&id).await;
    scene.settle(&id, State::Failed).await;
    for _ in 0..2 {
        scene.poll().await;
    }
    assert_eq!(scene.version(&id).await, version, "it is as it was");
    scene.edit(&id, json!({"_widget_1005": "free"}));
    scene.poll().await;
    assert!(scene.version(&id).await > version);
    assert_eq!(
        (scene.sent().await, scene.state(&id).await),
        (vec![(id.clone(), "free".to_owned())], Some(State::Sent))
    );
    scene.end().await;
}

#[tokio::test]
async fn a_record_that_was_corrected_while_it_was_on_its_way_is_sent_again_when_it_fails() {
    let scene = Scene::open().await;
    let id = scene.hire("taken");
    scene.look().await;
    let version = scene.version(&id).await;
    scene.pass(1).await;
    scene.edit(&id, json!({"_widget_1005": "free"}));
    scene.poll().await;
    assert_eq!((scene.version(&id).await, scene.counted("changed")), (version, 1));
    scene.settle(&id, State::Failed).await;
    scene.poll().await;
    assert!(scene.version(&id).await > version);
    assert_eq!(scene.state(&id).await, Some(State::Sent));
    scene.end().await;
}

#[tokio::test]
async fn nobody_is_created_whose_approval_is_taken_back_while_the_request_waits_until_it_is_given_again() {
    for is_pushed in [true, false] {
        let scene = Scene::open().await;
        let id = scene.enter("zhang", "13800138000");
        scene.edit(&id, json!({"_widget_1003": "[9]"}));
        scene.approve(&id);
        scene.look().await;
        assert_eq!((scene.state(&id).await, scene.version(&id).await), (Some(State::Sent), 0), "it waits");
        scene.pass(1).await;
        scene.step(&id, FlowState::Running);
        if is_pushed {
            scene.hint(&id).await;
            scene.pass(3).await;
        } else {
            // The next poll comes at once: nobody is to ask WeCom for the department before it is there.
            scene.stage.clock.advance_seconds(5);
            scene.remap(|mapping| mapping["source"]["limit"] = json!("50")).await;
            scene.look().await;
        }
        assert_eq!(scene.state(&id).await, Some(State::Refused), "pushed: {is_pushed}");
        scene.pass(1).await;
        assert!(scene.status(&id).unwrap().contains("not approved"), "{:?}", scene.status(&id));
        scene.department("9").await;
        scene.look().await;
        assert_eq!((scene.sent().await, scene.version(&id).await), (Vec::new(), 0));
        for _ in 0..3 {
            scene.poll().await;
        }
        assert_eq!((scene.counted("sent"), scene.counted("refused")), (1, 1), "it is told once");
        scene.approve(&id);
        scene.poll().await;
        assert_eq!(scene.sent().await, [(id.clone(), "zhang".to_owned())]);
        assert_eq!(scene.state(&id).await, Some(State::Sent));
        scene.end().await;
    }
}

#[tokio::test]
async fn an_approval_is_taken_back_and_given_again_where_no_step_moves_the_time_of_its_record() {
    let scene = Scene::open_with(FormsOptions { steps_move_update_time: false, ..FormsOptions::default() }, 100).await;
    // What is written back would move it.
    scene.remap(|mapping| drop(mapping.as_object_mut().unwrap().remove("status"))).await;
    let id = scene.enter("zhang", "13800138000");
    scene.edit(&id, json!({"_widget_1003": "[9]"}));
    scene.approve(&id);
    scene.look().await;
    for _ in 0..2 {
        for (step, state) in [(FlowState::Running, State::Refused), (FlowState::Approved, State::Sent)] {
            assert_ne!(scene.state(&id).await, Some(state));
            scene.step(&id, step);
            scene.hint(&id).await;
            scene.pass(3).await;
            assert_eq!((scene.state(&id).await, scene.version(&id).await), (Some(state), 0));
        }
    }
    scene.department("9").await;
    let sent = eventually("it is sent", async || scene.sent().await, |sent| !sent.is_empty()).await;
    assert_eq!(sent, [(id.clone(), "zhang".to_owned())]);
    scene.end().await;
}

#[tokio::test]
async fn who_waits_is_read_again_one_by_one_where_the_platform_tells_of_others_instead() {
    let scene = Scene::open().await;
    scene.api.configure(|options| options.ignored_fields.extend(["data_id".to_owned()]));
    // A page of others comes first.
    (0..100).for_each(|number| drop(scene.enter(&format!("other{number}"), "13900139000")));
    let id = scene.enter("zhang", "13800138000");
    scene.edit(&id, json!({"_widget_1003": "[9]"}));
    scene.approve(&id);
    scene.look().await;
    assert_eq!(scene.state(&id).await, Some(State::Sent));
    scene.pass(1).await;
    scene.step(&id, FlowState::Running);
    scene.stage.clock.advance_seconds(5);
    scene.remap(|mapping| mapping["source"]["limit"] = json!("50")).await;
    scene.look().await;
    assert_eq!((scene.state(&id).await, scene.counted("refused")), (Some(State::Refused), 1));
    let calls = scene.calls(Interface::DataGet);
    scene.poll().await;
    assert_eq!(scene.calls(Interface::DataGet), calls, "nobody waits any more");
    scene.end().await;
}

#[tokio::test]
async fn a_request_that_is_on_its_way_is_not_withdrawn() {
    let scene = Scene::open().await;
    let id = scene.hire("zhang");
    scene.look().await;
    let version = scene.version(&id).await;
    scene.pass(1).await;
    scene.step(&id, FlowState::Running);
    scene.hint(&id).await;
    scene.pass(3).await;
    scene.poll().await;
    assert_eq!((scene.state(&id).await, scene.version(&id).await), (Some(State::Sent), version));
    assert_eq!((scene.counted("refused"), scene.counted("changed")), (0, 0));
    scene.end().await;
}

#[tokio::test]
async fn a_refused_record_is_sent_when_it_is_corrected_or_the_mapping_is() {
    let scene = Scene::open().await;
    let ids = ["one", "two"].map(|userid| {
        let id = scene.enter(userid, "021-66668888");
        scene.approve(&id);
        id
    });
    scene.look().await;
    assert_eq!((scene.state(&ids[0]).await, scene.sent().await.len()), (Some(State::Refused), 0));
    scene.pass(1).await;
    scene.edit(&ids[0], json!({"_widget_1002": "13800138000"}));
    scene.poll().await;
    assert_eq!(scene.sent().await, [(ids[0].clone(), "one".to_owned())]);
    // From now on another number takes the place of one that is none; nobody waits for the next poll.
    scene.stage.clock.advance_seconds(5);
    let default = |mapping: &mut Value| {
        mapping["request"][2]["on_invalid"] = json!("default");
        mapping["request"][2]["default"] = json!("13700137000");
    };
    scene.remap(default).await;
    scene.look().await;
    let mut sent: Vec<String> = scene.sent().await.into_iter().map(|(_, userid)| userid).collect();
    sent.sort();
    assert_eq!(sent, ["one", "two"]);
    scene.end().await;
}
