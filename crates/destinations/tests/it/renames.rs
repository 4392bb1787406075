//! Renames of members who are linked with a row: the row's id is the product's and stays.

use common::{EntityKey, Field, Fields};
use destinations::{Batch, Links, Outcome};

use crate::{
    changes::{department, department_with, in_departments, member, member_with, renamed},
    product::{Core, Kind, links, on_each_kind},
};

/// Somebody who is led by another, a department with that leader, and papers of that one.
async fn with_references(core: &Core, leader: &str, row: &str, linked: &Links) {
    let led = Fields::new().with(Field::Name, "D").with(Field::Parent, "1").with(Field::Leaders, &["x", leader][..]);
    let led_by = in_departments(&["1"]).with(Field::Leaders, &[leader][..]);
    core.take_linked(vec![member_with("follower", led_by), department_with("9", led)], linked).await;
    core.execute(&format!(
        "INSERT INTO attendance (tenant_id, record_id, member_id, kind, version)
             VALUES ('acme', 'of {row}', '{row}', 'punch', 0);
         INSERT INTO approvals (tenant_id, instance_id, applicant_id, status, result, version)
             VALUES ('acme', 'of {row}', '{row}', 'running', 'none', 0);",
    ))
    .await;
}

/// Who is referred to: by the follower, by the department, by papers.
async fn referred_to(core: &Core) -> Vec<String> {
    let mut found = core.rows("manager_id", "members WHERE id = 'follower'").await;
    found.extend(core.rows("leaders", "departments WHERE id = '9'").await);
    found.extend(core.rows("member_id", "attendance ORDER BY record_id").await);
    found.extend(core.rows("applicant_id", "approvals ORDER BY instance_id").await);
    found
}

/// A row that the product had before us.
async fn insert_row(core: &Core, id: &str) {
    core.execute(&format!(
        "INSERT INTO members (tenant_id, id, name, mobile, gender, status, version, source_time)
         VALUES ('acme', '{id}', 'x', '139', 'female', 'active', 0, 0)",
    ))
    .await;
}

async fn the_row_of_a_linked_member_keeps_its_id(kind: Kind) {
    let core = Core::new(kind).await;
    insert_row(&core, "P-1").await;
    let linked = links(&[("old", "P-1")], &[]);
    core.take_linked(vec![member("Old", &["1"])], &linked).await;
    with_references(&core, "old", "P-1", &linked).await;
    let rename = core.numbered(vec![renamed("old", "New", in_departments(&["1"]).with(Field::Title, "boss"))]);
    let moved = links(&[("new", "P-1")], &[]);
    // As it is sent first, as it is sent again after a crash before the link was moved, and after that.
    for links in [&linked, &linked, &moved] {
        assert_eq!(core.tables.apply(&rename, links).await, Ok(vec![Outcome::Applied]));
        assert_eq!(core.members("id, title, mobile, version").await, ["follower|-|-|2", "P-1|boss|139|4"]);
        assert_eq!(referred_to(&core).await, ["P-1", r#"["x","P-1"]"#, "P-1", "P-1"]);
    }
    core.take_linked(vec![member("new", &["1"]), member("old", &["1"])], &moved).await;
    assert_eq!(core.members("id, version").await, ["follower|2", "old|6", "P-1|5"], "the old id is somebody new");
}

async fn what_comes_after_a_rename_in_a_batch_means_the_linked_row(kind: Kind) {
    let core = Core::new(kind).await;
    insert_row(&core, "P-1").await;
    let linked = links(&[("a", "P-1")], &[]);
    let led_by = |id: &'static str| in_departments(&["1"]).with(Field::Leaders, &[id][..]);
    core.take_linked(
        vec![
            member("a", &["1"]),
            renamed("a", "b", in_departments(&["1"])),
            member_with("x", led_by("b")),
            renamed("b", "c", in_departments(&["1"])),
            member_with("a", led_by("c")),
            member_with("c", in_departments(&["1"]).with(Field::Title, "last")),
            department("2", "1"),
        ],
        &linked,
    )
    .await;
    assert_eq!(core.members("id, title, manager_id, version").await, ["a|-|P-1|5", "P-1|last|-|6", "x|-|P-1|3"]);
}

async fn a_refused_change_does_not_keep_the_rest_from_following_a_rename(kind: Kind) {
    let core = Core::new(kind).await;
    insert_row(&core, "P-1").await;
    let outcomes = core
        .apply_linked(
            vec![
                member("a", &["1"]),
                renamed("a", "b", in_departments(&["9"])),
                member_with("a", in_departments(&["1"]).with(Field::Title, "still a")),
                renamed("a", "b", in_departments(&["1"])),
                member_with("b", in_departments(&["1"]).with(Field::Email, "b@corp.example")),
            ],
            &links(&[("a", "P-1")], &[]),
        )
        .await;
    let missing = Outcome::Missing { what: Some(EntityKey::department("9")) };
    let applied = || Outcome::Applied;
    assert_eq!(outcomes, [applied(), missing, applied(), applied(), applied()]);
    assert_eq!(core.members("id, title, email, version").await, ["P-1|still a|b@corp.example|5"]);
}

async fn a_row_that_came_under_the_new_id_goes_into_the_linked_one(kind: Kind) {
    let core = Core::new(kind).await;
    insert_row(&core, "P-1").await;
    let linked = links(&[("old", "P-1")], &[]);
    core.take_linked(vec![member("old", &["1"]), member("new", &["1"])], &linked).await;
    with_references(&core, "new", "new", &linked).await;
    let rename = core.numbered(vec![renamed("old", "new", in_departments(&["1"]))]);
    for _ in 0..2 {
        assert_eq!(core.tables.apply(&rename, &linked).await, Ok(vec![Outcome::Applied]));
        assert_eq!(core.members("id, mobile, version").await, ["follower|-|3", "P-1|139|5"]);
        assert_eq!(referred_to(&core).await, ["P-1", r#"["x","P-1"]"#, "P-1", "P-1"]);
    }
}

async fn of_two_linked_rows_that_of_the_new_id_stays(kind: Kind) {
    let core = Core::new(kind).await;
    insert_row(&core, "P-1").await;
    insert_row(&core, "P-2").await;
    let linked = links(&[("old", "P-1"), ("new", "P-2")], &[]);
    core.take_linked(vec![member("old", &["1"]), member("new", &["1"])], &linked).await;
    with_references(&core, "old", "P-1", &linked).await;
    let rename = core.numbered(vec![renamed("old", "new", in_departments(&["1"]))]);
    for _ in 0..2 {
        assert_eq!(core.tables.apply(&rename, &linked).await, Ok(vec![Outcome::Applied]));
        assert_eq!(core.members("id, version").await, ["follower|3", "P-2|5"]);
        assert_eq!(referred_to(&core).await, ["P-2", r#"["x","P-2"]"#, "P-2", "P-2"]);
    }
}

async fn a_row_of_ours_goes_into_the_linked_one_of_the_new_id(kind: Kind) {
    let core = Core::new(kind).await;
    insert_row(&core, "P-2").await;
    let linked = links(&[("new", "P-2")], &[]);
    core.take_linked(vec![member("Old", &["1"])], &linked).await;
    with_references(&core, "Old", "Old", &linked).await;
    core.take_linked(vec![renamed("old", "new", in_departments(&["1"]))], &linked).await;
    assert_eq!(core.members("id, mobile, version").await, ["follower|-|2", "P-2|139|4"]);
    assert_eq!(referred_to(&core).await, ["P-2", r#"["x","P-2"]"#, "P-2", "P-2"]);
}

async fn a_new_spelling_does_not_change_a_linked_row(kind: Kind) {
    let core = Core::new(kind).await;
    insert_row(&core, "zhangsan").await;
    let linked = links(&[("zhangsan", "zhangsan")], &[]);
    core.take_linked(vec![renamed("zhangsan", "ZhangSan", in_departments(&["1"]))], &linked).await;
    core.take_linked(vec![renamed("zhangsan", "Zhang.San", in_departments(&["1"]))], &linked).await;
    assert_eq!(core.members("id, version").await, ["zhangsan|2"], "the id is the product's, though it looks like ours");
}

on_each_kind!(
    the_row_of_a_linked_member_keeps_its_id,
    what_comes_after_a_rename_in_a_batch_means_the_linked_row,
    a_refused_change_does_not_keep_the_rest_from_following_a_rename,
    a_row_that_came_under_the_new_id_goes_into_the_linked_one,
    of_two_linked_rows_that_of_the_new_id_stays,
    a_row_of_ours_goes_into_the_linked_one_of_the_new_id,
    a_new_spelling_does_not_change_a_linked_row,
);
