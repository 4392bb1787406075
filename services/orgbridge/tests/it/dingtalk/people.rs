//! People whom DingTalk knows, where the directory is WeCom's.

use common::{EntityKind, Field, Fields, Platform, UnixMillis, attendance};
use database::Connection;
use serde_json::json;
use store::people::{self, Person};

use super::tenant;
use crate::{
    bench::{Bench, TENANT},
    letters::{Letters, acme},
};

/// WeCom's directory, and DingTalk beside it.
fn with_both() -> Letters {
    let wecom = TENANT.replace("[wecom]", "directory = \"wecom\"\n[wecom]");
    let more = "[dingtalk]\ncorp_id = \"d\"\nclient_id = \"app\"\nclient_secret = \"canary-secret\"\n[[destinations]]";
    Letters::of(Bench::new(), &wecom.replace("[[destinations]]", more))
}

impl Letters {
    async fn member(&self, id: &str) {
        let fields = Fields::new().with(Field::Name, id).with(Field::Departments, ["1"].as_slice());
        self.let_happen(EntityKind::Member, id, fields).await;
    }

    async fn punch(&self, member: &str) {
        let fields = Fields::new()
            .with(Field::Member, member)
            .with(Field::WorkDate, "2026-11-27")
            .with(Field::RecordKind, "punch")
            .with(Field::CheckedAt, 1_795_741_200_000_i64);
        let id = attendance::record_id("u7", "2026-11-27", "punch", "1001");
        self.let_happen(EntityKind::Attendance, &id, fields).await;
    }

    /// Of whom something else is known than what was told.
    async fn changed(&self) -> Vec<Person> {
        let read = |conn: &mut Connection| people::changed(conn, &acme(), Platform::Dingtalk, 10);
        self.database.read("test.changed", read).await.unwrap()
    }

    fn link(&self, verb: &str, more: &[&str]) -> crate::bench::Ended {
        let place = ["--tenant", "acme", "--platform", "dingtalk", "--person", "U7"];
        self.bench.run(&[&["link", verb][..], &place, more].concat())
    }
}

#[tokio::test]
async fn attendance_of_somebody_unknown_waits_until_a_person_says_who_it_is() {
    let letters = with_both();
    letters.member("Ann").await;
    letters.punch("dingtalk:u7").await;
    let id = "u7/2026-11-27/punch/1001";
    let parked = letters.bench.run(&["parked", "list", "--tenant", "acme", "--json"]).json();
    assert_eq!((&parked[0]["kind"], &parked[0]["id"]), (&json!("attendance"), &json!(id)));
    assert_eq!(parked[0]["waits_for"], json!([{"kind": "member", "id": "dingtalk:u7"}]));
    let advice = "`orgbridge link set --tenant acme --platform dingtalk --person u7 --member ID`";
    let shown = letters.bench.run(&["parked", "list"]);
    assert!(shown.out.contains("member dingtalk:u7") && shown.err.contains(advice), "{}{}", shown.out, shown.err);
    let shown = letters.bench.run(&["parked", "show", "--tenant", "acme", "attendance", id]);
    assert!(shown.err.contains(advice), "{}", shown.err);

    assert!(letters.link("set", &["--member", "nobody"]).refusal(1).contains("no member nobody"));
    assert!(letters.changed().await.is_empty());
    let set = letters.link("set", &["--member", "ANN"]);
    assert_eq!(set.code, 0, "{}", set.err);
    let changed = letters.changed().await;
    assert_eq!(changed.len(), 1, "a synchronizer has something to tell again");
    assert_eq!(changed[0].member.as_deref(), Some("ann"));

    let list = ["link", "list", "--tenant", "acme", "--platform", "dingtalk", "--json"];
    let listed = letters.bench.run(&list).json();
    assert_eq!(
        (&listed[0]["person"], &listed[0]["member"], &listed[0]["decided_by"]),
        (&json!("u7"), &json!("ann"), &json!("person"))
    );
    assert_eq!(letters.link("remove", &[]).code, 0);
    assert_eq!(letters.bench.run(&list).json()[0]["member"], json!(null));
    assert!(letters.link("remove", &[]).refusal(1).contains("`orgbridge link list"));
}

#[tokio::test]
async fn what_is_known_of_somebody_outlives_what_a_person_says() {
    let letters = with_both();
    letters.member("ann").await;
    let known = |conn: &mut Connection| {
        let (foreign_id, mobile_digest) = ("u7".to_owned(), Some("digest".to_owned()));
        let person = Person { foreign_id, member: None, decided_by: None, mobile_digest, updated_at: UnixMillis(1) };
        people::set(conn, &acme(), Platform::Dingtalk, &[person])
    };
    letters.database.write("test.people", known).await.unwrap();
    assert_eq!(letters.link("set", &["--member", "ann"]).code, 0);
    let get = |conn: &mut Connection| people::get(conn, &acme(), Platform::Dingtalk, &["u7"]);
    let found = letters.database.read("test.people", get).await.unwrap();
    assert_eq!(found["u7"].mobile_digest.as_deref(), Some("digest"));
    assert_eq!(found["u7"].member.as_deref(), Some("ann"));
}

#[test]
fn a_link_is_of_a_row_or_of_a_person_and_told_whole() {
    let letters = with_both();
    for wrong in [
        &["link", "set", "--tenant", "acme", "--platform", "dingtalk", "--person", "u7"][..],
        &["link", "set", "--tenant", "acme", "--person", "u7", "--member", "ann"],
        &["link", "set", "--tenant", "acme", "--platform", "wecom", "--person", "u7", "--member", "ann"],
        &["link", "set", "--tenant", "acme", "--destination", "core", "member", "ann"],
        &["link", "set", "--tenant", "acme", "member", "ann", "P-1"],
        &["link", "set", "--tenant", "acme", "--destination", "core", "member", "ann", "P-1", "--member", "ann"],
        &["link", "remove", "--tenant", "acme", "--destination", "core", "--platform", "dingtalk", "--person", "u7"],
        &["link", "list", "--tenant", "acme", "--destination", "core", "--platform", "dingtalk"],
    ] {
        assert!(!letters.bench.run(wrong).refusal(2).is_empty(), "{wrong:?}");
    }
    let set = ["link", "set", "--tenant", "acme", "--destination", "core", "member", "ann", "P-1"];
    assert_eq!(letters.bench.run(&set).code, 0);
}

#[test]
fn where_dingtalk_has_the_directory_its_people_are_the_members() {
    let letters = Letters::of(Bench::new(), &tenant("acme", "app", ""));
    let told = letters.link("set", &["--member", "ann"]);
    assert!(told.refusal(1).contains("no people of dingtalk"), "{}", told.err);
    assert_eq!(letters.bench.run(&["link", "list", "--tenant", "acme", "--platform", "dingtalk"]).out, "no links\n");
}
