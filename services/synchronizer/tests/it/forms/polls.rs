//! What polls read, and that they miss nothing and repeat nothing.

use platform_sim::jiandaoyun::{Fault, FlowState, FormsOptions, Interface, Trouble};
use serde_json::json;
use store::form_records::State;

use super::scene::{EVERY_SECONDS, Scene, values};

#[tokio::test]
async fn who_is_approved_is_asked_for_once_and_nobody_else() {
    let scene = Scene::open().await;
    let (good, waiting) = (scene.hire("zhang"), scene.enter("li", "13900139000"));
    let bad = scene.enter("wang", "021-66668888");
    scene.approve(&bad);
    scene.look().await;
    assert_eq!(scene.sent().await, [(good.clone(), "zhang".to_owned())]);
    assert_eq!(scene.state(&good).await, Some(State::Sent));
    assert_eq!(scene.state(&waiting).await, None, "nobody approved it");
    let row = scene.row(&bad).await.unwrap();
    assert_eq!((row.state, row.reasons.unwrap().contains("mobile")), (State::Refused, true));
    for _ in 0..3 {
        scene.poll().await;
    }
    assert_eq!((scene.counted("sent"), scene.counted("refused")), (1, 1), "what is known is not told again");
    scene.approve(&waiting);
    scene.poll().await;
    assert_eq!(scene.sent().await.len(), 2);
    scene.end().await;
}

#[tokio::test]
async fn a_mapping_in_two_files_with_the_signs_of_an_editor_is_polled_by_as_well() {
    let scene = Scene::open().await;
    scene.halve().await;
    let id = scene.hire("zhang");
    scene.look().await;
    assert_eq!(scene.sent().await, [(id, "zhang".to_owned())]);
    scene.end().await;
}

#[tokio::test]
async fn a_poll_comes_when_it_is_due_and_looks_back_beyond_the_one_before() {
    let scene = Scene::open().await;
    scene.look().await;
    let began = scene.poll_row().await.mark.unwrap();
    scene.pass(EVERY_SECONDS - 1).await;
    assert_eq!(scene.poll_row().await.mark, Some(began), "it is not due");
    scene.pass(1).await;
    let mark = scene.poll_row().await.mark.unwrap();
    // Of the platform's time only so much is known.
    assert!((mark.since(began) - EVERY_SECONDS * 1000).abs() <= 2000, "{began} {mark}");
    // Committed late, with a time of its own from before the poll.
    let at = mark.0 - (EVERY_SECONDS - 100) * 1000;
    let late = scene.api.forms().at(at, |forms| {
        let id = forms.submit(&scene.form, values("late", "13800138000")).unwrap();
        forms.step(&scene.form, &id, FlowState::Approved).unwrap();
        id
    });
    scene.poll().await;
    assert_eq!(scene.sent().await, [(late, "late".to_owned())]);
    scene.end().await;
}

#[tokio::test]
async fn who_was_entered_before_the_tenant_was_is_never_asked_for() {
    let scene = Scene::open().await;
    let at = scene.now().0 - 86_400_000;
    let old = scene.api.forms().at(at, |forms| forms.submit(&scene.form, values("old", "13800138000")).unwrap());
    scene.look().await;
    scene.approve(&old);
    scene.edit(&old, json!({"_widget_1004": "主管"}));
    scene.poll().await;
    scene.pass(86_400).await;
    assert!(scene.sent().await.is_empty());
    assert!(scene.counted("before_start") > 0);
    scene.end().await;
}

#[tokio::test]
async fn records_that_change_or_come_late_between_two_pages_are_found_and_places_are_kept() {
    for page in [1, 2, 3] {
        let scene = Scene::open_with(FormsOptions::default(), page).await;
        // All of one moment: the page ends between equal times.
        let hires: Vec<String> = (0..7).map(|number| scene.hire(&format!("hire{number}"))).collect();
        let (form, first, last) = (scene.form.clone(), hires[0].clone(), hires[6].clone());
        scene.api.before(Interface::DataList, 4, move |forms| {
            // Behind the cursor, before it, and one that is not there any more.
            forms.edit(&form, &first, json!({"_widget_1004": "主管"})).unwrap();
            forms.remove(&form, &last).unwrap();
        });
        for _ in 0..3 {
            scene.poll().await;
        }
        let sent = scene.sent().await;
        assert!(sent.len() >= 6, "page {page}: {sent:?}");
        assert_eq!(scene.counted("sent"), sent.len() as u64, "page {page}: each once");
        assert_eq!(scene.poll_row().await.place, None);
        scene.end().await;
    }
}

#[tokio::test]
async fn what_is_readable_later_than_it_happened_is_found_by_the_overlap() {
    let options = FormsOptions { lag_ms: 240_000, ..FormsOptions::default() };
    let scene = Scene::open_with(options, 100).await;
    scene.look().await;
    let hires: Vec<String> = (0..3).map(|number| scene.hire(&format!("hire{number}"))).collect();
    scene.look().await;
    assert!(scene.sent().await.is_empty(), "nobody can read it yet");
    scene.poll().await;
    scene.poll().await;
    let mut sent: Vec<String> = scene.sent().await.into_iter().map(|(record, _)| record).collect();
    let mut expected = hires;
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
    scene.end().await;
}

#[tokio::test]
async fn once_a_day_all_records_are_read_whenever_they_were_changed() {
    let scene = Scene::open_with(FormsOptions { steps_move_update_time: false, ..FormsOptions::default() }, 100).await;
    let id = scene.enter("zhang", "13800138000");
    scene.look().await;
    // Long after the overlap; the approval does not move the time of the last change.
    scene.pass(3600).await;
    scene.approve(&id);
    scene.poll().await;
    assert!(scene.sent().await.is_empty());
    scene.pass(86_400).await;
    assert_eq!(scene.sent().await.len(), 1);
    assert_eq!(scene.poll_row().await.full_at, scene.poll_row().await.mark);
    scene.end().await;
}

#[tokio::test]
async fn a_poll_goes_on_after_a_restart_from_the_page_where_it_stopped() {
    let scene = Scene::open_with(FormsOptions::default(), 2).await;
    for number in 0..6 {
        scene.hire(&format!("hire{number}"));
    }
    // Two probes and one page.
    scene.api.fail(Fault::new(Trouble::Code(8301)).on(Interface::DataList).after(3));
    scene.look().await;
    let stopped = scene.poll_row().await;
    assert!(stopped.place.is_some() && stopped.mark.is_none(), "{stopped:?}");
    assert_eq!(scene.sent().await.len(), 2);
    let scene = scene.reopen().await;
    scene.api.heal();
    scene.pass(120).await;
    let row = scene.poll_row().await;
    assert_eq!((row.place.as_deref(), row.mark), (None, Some(stopped.started_at)), "it began then");
    assert_eq!((scene.sent().await.len(), scene.counted("sent")), (6, 4), "the first page is not read again");
    scene.end().await;
}
