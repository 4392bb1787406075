//! Runs and links at the command line, with the database alone: nobody works on what is asked for here.

use database::{Database, Options};
use serde_json::json;
use store::runs::{self, RunState, Step, Update, Wanted, Wish};

use crate::bench::{Bench, TENANT};

fn with_tenant() -> Bench {
    let bench = Bench::new();
    bench.write("acme.toml", TENANT);
    assert_eq!(bench.run(&["tenant", "apply", "acme.toml"]).code, 0);
    bench
}

/// A run of which somebody made a plan, and which is brought to a state.
async fn run_in(bench: &Bench, state: RunState, step: Step) -> String {
    let database =
        Database::open(&Options::new(format!("sqlite://{}", bench.path().join("data/orgbridge.db").display())))
            .unwrap();
    let make = move |conn: &mut database::Connection| {
        let now = common::UnixMillis(1_767_225_600_000);
        let wish = Wish { wanted: Wanted::Plan, key: None };
        let run = runs::request(conn, &"acme".parse().unwrap(), wish, now)?.unwrap();
        let (lease, run) = runs::claim(conn, &run.id, "test", now, now.plus_seconds(60))?.unwrap();
        let why = Some("core: 12 of 20 members".to_owned());
        assert!(runs::update(conn, &lease, &Update { done: 3, why, ..Update::new(state, step, 6) }, now)?);
        runs::release(conn, &lease)?;
        Ok::<_, database::Error>(run.id)
    };
    database.write("test", make).await.unwrap()
}

#[test]
fn without_a_terminal_applying_needs_a_yes() {
    let bench = with_tenant();
    assert!(bench.run(&["sync", "apply", "acme"]).refusal(2).contains("--yes"));
    assert!(bench.run(&["sync", "status", "acme"]).refusal(1).contains("`orgbridge sync plan acme`"));
    let detached = bench.run(&["sync", "apply", "acme", "--yes", "--detach"]);
    assert_eq!(detached.code, 0, "{}", detached.err);
    let status = bench.run(&["sync", "status", "acme", "--json"]).json();
    assert!(detached.out.contains(status["run"].as_str().unwrap()), "{}", detached.out);
    assert_eq!((&status["kind"], &status["state"]), (&json!("first"), &json!("planning")));
    assert_eq!(status["counts"]["unsure"], 0);
    assert_eq!(status["finished_at"], json!(null));
    let again = bench.run(&["sync", "apply", "acme", "--yes", "--detach", "--json"]).json();
    assert_eq!(again["run"], status["run"], "a second request gets the first one's run");
}

#[tokio::test]
async fn a_run_in_quarantine_is_told_with_what_to_do_and_allowed_or_rejected() {
    let bench = with_tenant();
    let run = run_in(&bench, RunState::Quarantined, Step::Ready).await;
    let ended = bench.run(&["sync", "apply", "acme", "--yes"]);
    let told = ended.refusal(1);
    assert!(
        told.contains(&run) && told.contains("12 of 20 members") && told.contains("orgbridge sync allow"),
        "{told}"
    );
    let plan = bench.run(&["sync", "plan", "acme", "--json"]).json();
    assert_eq!((&plan["run"], &plan["state"]), (&json!(run), &json!("quarantined")));
    assert_eq!(plan["items"], json!([]));
    assert_eq!(bench.run(&["sync", "status", "acme", "--json"]).json()["progress"], 0.5);
    assert_eq!(bench.run_in_chinese(&["sync", "reject", &run]).out, format!("任务 {run} 已拒绝，未执行任何内容\n"));
    assert!(bench.run(&["sync", "allow", &run]).refusal(1).contains("rejected"));
    assert_eq!(bench.run(&["sync", "status", "acme", "--json"]).json()["state"], "rejected");
}

#[test]
fn what_is_not_there_is_told_with_what_to_do() {
    let bench = with_tenant();
    for arguments in [
        &["sync", "plan", "nobody"][..],
        &["sync", "apply", "nobody", "--yes"],
        &["sync", "status", "nobody"],
        &["sync", "diff", "nobody"],
        &["sync", "allow", "nothing"],
        &["sync", "reject", "nothing"],
        &["sync", "undo", "nothing"],
        &["sync", "resume", "acme", "--destination", "nowhere"],
        &["link", "list", "--tenant", "nobody"],
        &["link", "set", "--tenant", "acme", "--destination", "nowhere", "member", "a", "b"],
        &["link", "remove", "--tenant", "acme", "--destination", "core", "member", "a"],
    ] {
        let ended = bench.run(arguments);
        assert!(ended.refusal(1).contains("`orgbridge "), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn links_are_set_listed_and_taken_away() {
    let bench = with_tenant();
    let place = ["--tenant", "acme", "--destination", "core", "member"];
    let link = |verb: &str, ids: &[&str]| {
        let arguments: Vec<&str> = [&["link", verb][..], &place, ids].concat();
        bench.run(&arguments)
    };
    assert_eq!(link("set", &["ZhangSan", "P-1"]).code, 0);
    assert!(link("set", &["lisi", "p-1"]).refusal(1).contains("member zhangsan"));
    let listed = bench.run(&["link", "list", "--tenant", "acme", "--json"]).json();
    assert_eq!(
        (&listed[0]["destination"], &listed[0]["kind"], &listed[0]["id"], &listed[0]["core_id"]),
        (&json!("core"), &json!("member"), &json!("zhangsan"), &json!("P-1"))
    );
    assert_eq!(listed[0]["decided_by"], "person");
    assert_eq!(link("remove", &["zhangsan"]).code, 0);
    assert_eq!(link("remove", &["zhangsan", "P-2"]).code, 0);
    assert_eq!(bench.run(&["link", "list", "--tenant", "acme", "--json"]).json(), json!([]));
    assert_eq!(bench.run(&["link", "list", "--tenant", "acme"]).out, "no links\n");
}
