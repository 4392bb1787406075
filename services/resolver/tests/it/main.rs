//! The resolver as a service: events in through the queue, changes out through the outbox.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod overlap;
#[cfg(test)]
mod poison;
#[cfg(test)]
mod records;
#[cfg(test)]
mod scene;

use common::{Action, Change, EntityKey, Field, Fields, UnixMillis, What};
use scene::{Scene, TENANT};
use store::records::ParkedFilter;

const T: i64 = 1_767_225_000;

fn department(id: &str, parent: &str, at: i64) -> (EntityKey, i64, What) {
    let fields = Fields::new().with(Field::Name, format!("部门{id}")).with(Field::Parent, parent);
    (EntityKey::department(id), T + at, What::Created { fields })
}

fn member(id: &str, departments: &[&str], at: i64) -> (EntityKey, i64, What) {
    let fields = Fields::new().with(Field::Name, format!("成员{id}")).with(Field::Departments, departments);
    (EntityKey::member(id), T + at, What::Created { fields })
}

fn removed(key: EntityKey, at: i64) -> (EntityKey, i64, What) {
    (key, T + at, What::Removed)
}

fn order(changes: &[Change]) -> Vec<String> {
    let sign = |change: &Change| if matches!(change.action, Action::Remove) { "-" } else { "" };
    changes.iter().map(|change| format!("{}{}", sign(change), change.entity.id)).collect()
}

#[tokio::test]
async fn leaves_first_come_out_parents_first_with_dense_versions() {
    let scene = Scene::start().await;
    scene
        .tell([member("m", &["4"], 4), department("4", "3", 3), department("3", "2", 2), department("2", "1", 1)])
        .await;
    let changes = scene.changes(5).await;
    assert_eq!(order(&changes), ["1", "2", "3", "4", "m"]);
    assert_eq!(changes.iter().map(|change| change.version).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    scene.end().await;
}

#[tokio::test]
async fn one_by_one_and_each_three_times_it_is_the_same() {
    let scene = Scene::start().await;
    let events = [member("m", &["4"], 4), department("4", "3", 3), department("3", "2", 2), department("2", "1", 1)];
    for event in events {
        for _ in 0..3 {
            scene.tell([event.clone()]).await;
            scene.drained().await;
        }
    }
    assert_eq!(order(&scene.changes(5).await), ["1", "2", "3", "4", "m"]);
    assert_eq!(scene.outcome("duplicate"), 8);
    scene.end().await;
}

#[tokio::test]
async fn a_release_larger_than_a_batch_is_worked_off_in_slices() {
    let scene = Scene::start().await;
    let members: Vec<_> = (0..1000).map(|number| member(&format!("m{number}"), &["2"], number)).collect();
    scene.tell(members).await;
    scene.drained().await;
    assert_eq!(scene.parked().await.len(), 1000);
    scene.tell([department("2", "1", 5000)]).await;
    let changes = scene.changes(1002).await;
    assert_eq!(order(&changes)[..2], ["1", "2"]);
    assert!(scene.parked().await.is_empty());
    scene.end().await;
}

#[tokio::test]
async fn what_another_resolver_left_released_is_worked_off_while_we_run() {
    let scene = Scene::start().await;
    scene.tell([member("m", &["2"], 1)]).await;
    scene.drained().await;
    scene.turn_without_what_follows(department("2", "1", 2)).await;
    assert_eq!(order(&scene.changes(3).await), ["1", "2", "m"]);
    scene.end().await;
}

#[tokio::test]
async fn what_a_crash_left_released_is_worked_off_at_the_next_start() {
    let scene = Scene::start().await;
    scene.tell([member("m", &["2"], 1)]).await;
    scene.drained().await;
    let scene = scene.crash_after_a_turn_with(department("2", "1", 2)).await;
    assert_eq!(order(&scene.changes(3).await), ["1", "2", "m"]);
    scene.end().await;
}

#[tokio::test]
async fn a_removed_department_waits_until_it_is_empty() {
    let scene = Scene::start().await;
    scene.tell([department("2", "1", 1), department("3", "1", 2), member("m", &["2"], 3)]).await;
    scene.changes(4).await;
    scene.tell([removed(EntityKey::department("2"), 9)]).await;
    scene.drained().await;
    assert_eq!(scene.parked().await, [EntityKey::department("2")]);
    let moved = Fields::new().with(Field::Departments, ["3"].as_slice());
    scene.tell([(EntityKey::member("m"), T + 8, What::Updated { fields: moved })]).await;
    assert_eq!(order(&scene.changes(6).await), ["1", "2", "3", "m", "m", "-2"]);
    scene.end().await;
}

#[tokio::test]
async fn after_the_grace_time_the_missing_is_asked_for_and_after_the_limit_a_person_is() {
    let scene = Scene::start().await;
    scene.tell([member("m", &["2"], 1)]).await;
    scene.drained().await;
    scene.clock().advance_seconds(31);
    let asked = scene.questions(1).await;
    assert_eq!((asked[0].about.clone(), asked[0].why.as_str()), (EntityKey::department("2"), "missing"));
    scene.clock().advance_seconds(86_400);
    let dead = scene.dead_letters(1).await;
    assert_eq!((dead[0].letter.reason.as_str(), dead[0].letter.entity.as_str()), ("dependency_missing", "m"));
    // It comes back by itself.
    scene.tell([department("2", "1", 2)]).await;
    assert_eq!(order(&scene.changes(3).await), ["1", "2", "m"]);
    scene.dead_letters(0).await;
    scene.end().await;
}

#[tokio::test]
async fn without_a_secret_that_reads_names_ids_do_after_the_grace_time() {
    let scene = Scene::start().await;
    let fields = Fields::new().with(Field::Departments, ["1"].as_slice());
    scene.tell([(EntityKey::member("zhangsan"), T, What::Created { fields })]).await;
    scene.drained().await;
    scene.clock().advance_seconds(31);
    let changes = scene.changes(2).await;
    let Action::Upsert { entity, .. } = &changes[1].action else { panic!("{changes:?}") };
    assert!(entity.incomplete);
    assert_eq!(entity.fields.text(Field::Name), Some("zhangsan"));
    scene.end().await;
}

#[tokio::test]
async fn a_message_that_is_no_event_becomes_a_dead_letter_and_its_neighbours_are_applied() {
    let scene = Scene::start().await;
    scene.tell_raw(vec![b"{\"id\":\"x\",\"tenant\":\"acme\"}".to_vec(), b"[1]".to_vec()]).await;
    scene.tell([department("2", "1", 1)]).await;
    assert_eq!(order(&scene.changes(2).await), ["1", "2"]);
    let dead = scene.dead_letters(2).await;
    assert!(dead.iter().all(|dead| dead.letter.reason.as_str() == "undecodable_event"));
    assert!(dead.iter().any(|dead| dead.letter.tenant.as_str() == TENANT));
    scene.end().await;
}

#[tokio::test]
async fn a_replay_sends_the_entity_as_it_is_now_under_a_new_version_to_one_destination() {
    let scene = Scene::start().await;
    scene.tell([department("2", "1", 1)]).await;
    scene.changes(2).await;
    scene.replay(EntityKey::department("2"), Some("core")).await;
    let changes = scene.changes(3).await;
    assert_eq!(order(&changes), ["1", "2", "2"]);
    assert_eq!(changes[2].only_for.as_ref().map(|id| id.as_str()), Some("core"));
    scene.end().await;
}

#[tokio::test]
async fn a_replay_of_what_is_gone_removes_it_at_one_destination_and_of_who_was_never_sent_says_nothing() {
    let scene = Scene::start().await;
    scene.tell([department("2", "1", 1), member("m", &["2"], 2), member("waits", &["9"], 3)]).await;
    scene.changes(3).await;
    scene.tell([removed(EntityKey::member("m"), 5)]).await;
    let removal = scene.changes(4).await.remove(3);
    scene.drained().await;
    for key in [EntityKey::member("waits"), EntityKey::member("m"), EntityKey::department("2")] {
        scene.replay(key, Some("core")).await;
    }
    let changes = scene.changes(6).await;
    assert_eq!(order(&changes), ["1", "2", "m", "-m", "-m", "2"]);
    assert!(changes[4..].iter().all(|change| change.only_for.as_ref().is_some_and(|id| id.as_str() == "core")));
    assert_eq!(changes[4].source_time, removal.source_time, "the platform's time");
    scene.end().await;
}

#[tokio::test]
async fn a_record_bears_the_version_of_the_newest_change_of_its_entity() {
    let scene = Scene::start().await;
    let led = Fields::new().with(Field::Name, "a").with(Field::Departments, ["2"].as_slice());
    let led = What::Created { fields: led.with(Field::Leaders, ["boss"].as_slice()) };
    scene.tell([department("2", "1", 1), member("boss", &["2"], 2), (EntityKey::member("ann"), T + 3, led)]).await;
    scene.changes(4).await;
    scene.tell([removed(EntityKey::member("boss"), 5)]).await;
    assert_eq!(order(&scene.changes(6).await)[4..], ["-boss", "ann"], "nothing was told of who followed him");
    let renamed = What::Renamed { to: "anna".into(), fields: Fields::new() };
    scene.tell([(EntityKey::member("ann"), T + 6, renamed)]).await;
    scene.changes(7).await;
    scene.replay(EntityKey::member("boss"), Some("core")).await;
    scene.changes(8).await;
    for (key, version) in [
        (EntityKey::department("2"), 2),
        (EntityKey::member("ann"), 7),
        (EntityKey::member("anna"), 7),
        (EntityKey::member("boss"), 8),
        (EntityKey::member("nobody"), 0),
    ] {
        assert_eq!(scene.version(key.clone()).await, version, "{key}");
    }
    scene.end().await;
}

#[tokio::test]
async fn a_core_that_is_added_later_gets_what_exists_parents_first() {
    let scene = Scene::start().await;
    scene.tell([department("9", "1", 1), department("2", "9", 2), member("m", &["2"], 3)]).await;
    scene.changes(4).await;
    scene.add_second_core().await;
    let changes = scene.changes(8).await;
    assert_eq!(order(&changes[4..]), ["1", "9", "2", "m"]);
    assert!(changes[4..].iter().all(|change| change.only_for.as_ref().is_some_and(|id| id.as_str() == "second")));
    scene.end().await;
}

#[tokio::test]
async fn everything_published_is_in_the_outbox_in_order() {
    let scene = Scene::start().await;
    scene.tell((2..40).map(|id| department(&id.to_string(), "1", id))).await;
    scene.changes(39).await;
    let published = scene.published(39).await;
    assert_eq!(published, (1..=39).collect::<Vec<u64>>());
    scene.end().await;
}

fn everything() -> ParkedFilter {
    ParkedFilter { since_at_most: UnixMillis(i64::MAX), asked: None, given_up: None, limit: 10_000 }
}
