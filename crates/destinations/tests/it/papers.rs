//! Attendance records and approvals: rows of members.

use common::{EntityKey, Field, Fields};
use destinations::{Batch, Outcome};

use crate::{
    changes::{
        approval, approval_with, attendance, attendance_with, department, in_departments, member, remove_approval,
        remove_attendance, remove_member, renamed,
    },
    product::{Core, Kind, links, on_each_kind},
};

fn missing(member: &str) -> Outcome {
    Outcome::Missing { what: Some(EntityKey::member(member)) }
}

async fn attendance_of(core: &Core) -> Vec<String> {
    core.rows("record_id, member_id, source, version", "attendance ORDER BY record_id").await
}

async fn approvals_of(core: &Core) -> Vec<String> {
    core.rows("instance_id, applicant_id, status, result, version", "approvals ORDER BY instance_id").await
}

async fn fields_go_to_their_columns(kind: Kind) {
    let core = Core::new(kind).await;
    let late = Fields::new()
        .with(Field::Member, "zhangsan")
        .with(Field::WorkDate, "2026-09-21")
        .with(Field::RecordKind, "result")
        .with(Field::CheckType, "OnDuty")
        .with(Field::PlannedAt, 1_789_952_400_000_i64)
        .with(Field::CheckedAt, 1_789_952_700_000_i64)
        .with(Field::Outcome, "Late")
        .with(Field::Source, "USER")
        .with(Field::Details, r#"{"address":"杭州市'测试路\"1号","plan_id":5001,"valid":true}"#);
    let supply = Fields::new()
        .with(Field::Template, "PROC-TEST-0001")
        .with(Field::Subject, "张三提交的补卡申请")
        .with(Field::Applicant, "zhangsan")
        .with(Field::Status, "completed")
        .with(Field::Result, "agree")
        .with(Field::StartedAt, 1_789_999_000_000_i64)
        .with(Field::FinishedAt, 1_790_000_000_000_i64)
        .with(Field::Details, r#"{"tasks":[{"result":"AGREE"}]}"#);
    core.take(vec![
        member("ZhangSan", &["1"]),
        attendance_with("zhangsan/2026-09-21/result/5001", late),
        attendance_with("bare", Fields::new().with(Field::Member, "zhangsan").with(Field::RecordKind, "punch")),
        approval_with("Tst-ProcInst-0001", supply),
        approval_with("bare", Fields::new()),
    ])
    .await;
    let columns = "record_id, member_id, work_date, kind, check_type, planned_at, checked_at, result, source, details, \
                   version";
    let details = r#"{"address":"杭州市'测试路\"1号","plan_id":5001,"valid":true}"#;
    assert_eq!(
        core.rows(columns, "attendance ORDER BY version").await,
        [
            format!(
                "zhangsan/2026-09-21/result/5001|ZhangSan|2026-09-21|result|OnDuty|1789952400000|1789952700000|Late|USER\
                 |{details}|2"
            ),
            "bare|ZhangSan|-|punch|-|-|-|-|-|{}|3".to_owned(),
        ]
    );
    let columns =
        "instance_id, template, title, applicant_id, status, result, started_at, finished_at, details, version";
    assert_eq!(
        core.rows(columns, "approvals ORDER BY version").await,
        [
            "Tst-ProcInst-0001|PROC-TEST-0001|张三提交的补卡申请|ZhangSan|completed|agree|1789999000000|1790000000000\
             |{\"tasks\":[{\"result\":\"AGREE\"}]}|4",
            "bare|-|-|-|running|none|-|-|{}|5",
        ]
    );
}

async fn a_repeat_or_an_older_version_changes_nothing(kind: Kind) {
    let core = Core::new(kind).await;
    let with_source = |source: &'static str| {
        let fields = Fields::new().with(Field::Member, "a").with(Field::RecordKind, "result");
        attendance_with("r", fields.with(Field::Source, source))
    };
    let with_status = |status: &'static str| {
        approval_with("p", Fields::new().with(Field::Applicant, "a").with(Field::Status, status))
    };
    let first = core.numbered(vec![member("a", &["1"]), with_source("SYSTEM"), with_status("running")]);
    core.send(&first).await.unwrap();
    let second = core.numbered(vec![with_source("BOSS"), with_status("completed")]);
    for batch in [&second, &first, &second] {
        let outcomes = core.send(batch).await.unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
        assert_eq!(attendance_of(&core).await, ["r|a|BOSS|4"]);
        assert_eq!(approvals_of(&core).await, ["p|a|completed|none|5"]);
    }
    assert_eq!(core.tables.highest_version().await, Ok(5));
}

async fn a_removal_takes_the_row_away_unless_that_is_newer(kind: Kind) {
    let core = Core::new(kind).await;
    let removals = core.numbered(vec![remove_attendance("r1"), remove_approval("p1")]);
    core.take(vec![
        member("a", &["1"]),
        attendance("r1", "a"),
        attendance("r2", "a"),
        approval("p1", "a"),
        approval("p2", "a"),
    ])
    .await;
    assert_eq!(core.send(&removals).await, Ok(vec![Outcome::Applied, Outcome::Applied]));
    assert_eq!((attendance_of(&core).await.len(), approvals_of(&core).await.len()), (2, 2), "they are older");
    core.take(vec![
        remove_attendance("r1"),
        remove_attendance("never-seen"),
        remove_approval("p2"),
        approval("p3", "a"),
        remove_approval("p3"),
        remove_attendance("r2"),
        attendance("r2", "a"),
    ])
    .await;
    assert_eq!(attendance_of(&core).await, ["r2|a|-|14"]);
    assert_eq!(approvals_of(&core).await, ["p1|a|running|none|6"]);
}

async fn what_has_no_member_there_waits_and_the_rest_goes_on(kind: Kind) {
    let core = Core::new(kind).await;
    let outcomes = core
        .apply(vec![
            attendance("r1", "a"),
            member("a", &["1"]),
            member("b", &["9"]),
            attendance("r2", "a"),
            attendance("r3", "b"),
            approval("p1", "nobody"),
            approval("p2", "a"),
            approval("p3", ""),
        ])
        .await;
    let applied = || Outcome::Applied;
    let department = Outcome::Missing { what: Some(EntityKey::department("9")) };
    assert_eq!(
        outcomes,
        [missing("a"), applied(), department, applied(), missing("b"), missing("nobody"), applied(), applied()]
    );
    assert_eq!(attendance_of(&core).await, ["r2|a|-|4"]);
    assert_eq!(approvals_of(&core).await, ["p2|a|running|none|7", "p3|-|running|none|8"]);
}

async fn who_left_keeps_the_row_that_late_records_need(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![member("a", &["1"]), attendance("r1", "a"), remove_member("a")]).await;
    let mut late = vec![attendance("r2", "a"), approval("p", "a")];
    late.iter_mut().for_each(|change| change.refers_to.clear());
    core.take(late).await;
    assert_eq!(core.members("id, status").await, ["a|left"]);
    assert_eq!(attendance_of(&core).await, ["r1|a|-|2", "r2|a|-|4"]);
    let mut never_here = attendance("r3", "never-here");
    never_here.refers_to.clear();
    assert_eq!(core.apply(vec![never_here]).await, [missing("never-here")]);
}

async fn a_linked_member_is_referred_to_by_its_row(kind: Kind) {
    let core = Core::new(kind).await;
    core.execute(
        "INSERT INTO members (tenant_id, id, name, gender, status, version, source_time)
         VALUES ('acme', 'P-1', 'x', 'female', 'active', 0, 0), ('acme', 'b', 'y', 'male', 'active', 0, 0)",
    )
    .await;
    let linked = links(&[("a", "P-1"), ("c", "b")], &[]);
    let outcomes = core
        .apply_linked(
            vec![attendance("r1", "A"), approval("p1", "a"), attendance("r2", "c"), approval("p2", "b")],
            &linked,
        )
        .await;
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Applied, Outcome::Applied, missing("b")], "b's row is c's");
    assert_eq!(attendance_of(&core).await, ["r1|P-1|-|1", "r2|b|-|3"]);
    assert_eq!(approvals_of(&core).await, ["p1|P-1|running|none|2"]);
}

async fn rows_follow_a_rename_wherever_it_stands_in_a_batch(kind: Kind) {
    let core = Core::new(kind).await;
    core.take(vec![
        member("a", &["1"]),
        attendance("r1", "a"),
        approval("p1", "a"),
        renamed("a", "B", in_departments(&["1"])),
        attendance("r2", "b"),
        member("c", &["1"]),
        attendance("r3", "c"),
        renamed("b", "c", in_departments(&["1"])),
        approval("p2", "c"),
    ])
    .await;
    assert_eq!(core.members("id").await, ["c"]);
    assert_eq!(attendance_of(&core).await, ["r1|c|-|2", "r2|c|-|5", "r3|c|-|7"]);
    assert_eq!(approvals_of(&core).await, ["p1|c|running|none|3", "p2|c|running|none|9"]);
}

async fn details_are_kept_whatever_they_hold(kind: Kind) {
    let core = Core::new(kind).await;
    let with = |id: &str, details: &str| {
        let fields = Fields::new().with(Field::Member, "a").with(Field::RecordKind, "leave");
        attendance_with(id, fields.with(Field::Details, details))
    };
    core.take(vec![
        member("a", &["1"]),
        with("1", r#"{"r\u0000emark":"x\u0000y","list":["\u0000"]}"#),
        with("2", "no JSON at all"),
        with("3", ""),
    ])
    .await;
    let details = core.rows("details", "attendance ORDER BY record_id").await;
    assert_eq!(details, [r#"{"list":[""],"remark":"xy"}"#, r#""no JSON at all""#, "{}"]);
    core.take(vec![approval_with("p", Fields::new().with(Field::Subject, "x\0y").with(Field::Template, "\0"))]).await;
    assert_eq!(core.rows("title, template", "approvals").await, ["xy|-"]);
}

async fn what_says_not_whose_it_is_is_refused(kind: Kind) {
    let core = Core::new(kind).await;
    let nobodys = attendance_with("r", Fields::new().with(Field::RecordKind, "punch"));
    let outcomes = core.apply(vec![nobodys, member("a", &["1"]), attendance("s", "a")]).await;
    assert!(matches!(&outcomes[..], [Outcome::Rejected { .. }, Outcome::Applied, Outcome::Applied]), "{outcomes:?}");
    assert_eq!(attendance_of(&core).await, ["s|a|-|3"]);
}

async fn hundreds_are_one_batch(kind: Kind) {
    let core = Core::new(kind).await;
    let mut changes: Vec<_> = (0..100).map(|id| member(&format!("m{id}"), &["1"])).collect();
    changes.push(department("2", "1"));
    changes.extend((0..600).map(|id| attendance(&format!("r{id}"), &format!("m{}", id % 100))));
    changes.extend((0..200).map(|id| approval(&format!("p{id}"), &format!("m{}", id % 100))));
    core.take(changes).await;
    core.take((0..300).map(|id| remove_attendance(&format!("r{id}"))).collect()).await;
    assert_eq!(core.rows("count(*)", "attendance").await, ["300"]);
    assert_eq!(core.rows("count(*)", "approvals").await, ["200"]);
}

on_each_kind!(
    fields_go_to_their_columns,
    a_repeat_or_an_older_version_changes_nothing,
    a_removal_takes_the_row_away_unless_that_is_newer,
    what_has_no_member_there_waits_and_the_rest_goes_on,
    who_left_keeps_the_row_that_late_records_need,
    a_linked_member_is_referred_to_by_its_row,
    rows_follow_a_rename_wherever_it_stands_in_a_batch,
    details_are_kept_whatever_they_hold,
    what_says_not_whose_it_is_is_refused,
    hundreds_are_one_batch,
);
