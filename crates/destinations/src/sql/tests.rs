use database::Options;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use super::*;

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn plan_of(c: &mut Connection, sql: &str) -> Vec<String> {
    let rows = r#"[["a", "b", 1, 2, 3, 4, 5, 6, 7, 8, {}, 10, 11]]"#;
    let query = sql_query(format!("EXPLAIN QUERY PLAN {sql}")).bind::<Text, _>("acme").bind::<Text, _>(rows);
    let steps: Vec<Step> = database::on_backend!(c, c => query.load(c)).unwrap();
    steps.into_iter().map(|step| step.detail).collect()
}

/// SQLite knows no statistics of a table that just filled, so the wording of a statement decides how it is done.
/// Inserting departments is left out: the looks at what refers to them are for the case that parents come after
/// children.
#[tokio::test]
async fn no_statement_of_every_batch_goes_through_all_rows_of_a_tenant() {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap().inline();
    let tenant = "acme".parse().unwrap();
    let core = SqlTables::over(database.clone(), SchemaName::default(), tenant, TenantFacts::default());
    let tables = core.open(None).await.unwrap().tables;
    let mut statements = vec![known::DEPARTMENTS, tables.dialect.members(), rename::MOVE];
    statements.extend([write::MEMBERS, write::LEAVE_DEPARTMENTS, write::JOIN_DEPARTMENTS]);
    statements.extend([write::GONE_MEMBERS, write::GONE_DEPARTMENTS]);
    statements.extend(keep::STATEMENTS);
    statements.extend(papers::STATEMENTS);
    statements.extend(rename::MERGE);
    let statements: Vec<String> = statements.into_iter().map(|sql| tables.dialect.spell(sql)).collect();
    let plans = database
        .write("test", move |c| {
            Ok::<_, database::Error>(statements.into_iter().map(|sql| (plan_of(c, &sql), sql)).collect::<Vec<_>>())
        })
        .await
        .unwrap();
    for (plan, sql) in plans {
        for step in plan {
            let table = step.split(' ').nth(1).unwrap();
            let rows_given = step.starts_with("SCAN") && ["json_each", "gone", "kept", "renamed"].contains(&table);
            let found_by_key = step.starts_with("SEARCH") && step.contains(" AND ");
            let other = !step.starts_with("SCAN") && !step.starts_with("SEARCH");
            assert!(rows_given || found_by_key || other, "{step}: {sql}");
        }
    }
}

#[test]
fn what_a_database_says_is_told_without_values() {
    let shown = [
        ("invalid input syntax for type bigint: \"+86 13800138000\"", "invalid input syntax for type bigint: \"…\""),
        ("13800138000 is taken by 17", "… is taken by 17"),
        ("relation \"core.members\" does not exist", "relation \"core.members\" does not exist"),
        ("不在本公司", "不在本公司"),
        ("no such number: \"a\"张三\" here", "no such number: \"…\" here"),
    ];
    for (message, expected) in shown {
        assert_eq!(super::without_values(message), expected);
    }
}
