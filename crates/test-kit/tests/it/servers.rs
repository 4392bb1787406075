//! RabbitMQ and PostgreSQL as tests get them.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use diesel::{
    Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, dsl::sql, select, sql_types::Integer,
};
use test_kit::{Server, Servers, Shutdown};

fn write(url: &str, statements: &str) {
    PgConnection::establish(url).unwrap().batch_execute(statements).unwrap();
}

#[test]
fn databases_are_empty_at_first_and_gone_at_last() {
    let servers = Servers::shared();
    let (one, other) = (servers.database(), servers.database());
    for database in [&one, &other] {
        write(database.url(), "CREATE TABLE words (word text)");
    }
    let url = other.url().to_owned();
    let mut still_open = PgConnection::establish(&url).unwrap();
    drop(other);
    assert!(still_open.batch_execute("SELECT 1").is_err());
    assert!(PgConnection::establish(&url).is_err());
    write(one.url(), "INSERT INTO words VALUES ('here')");
}

#[test]
fn virtual_hosts_are_listed_until_they_are_dropped() {
    let servers = Servers::shared();
    let is_listed = |name: &str| {
        let (status, _) = servers.management("GET", &format!("/api/vhosts/{name}"), "").unwrap();
        status == 200
    };
    let vhost = servers.vhost();
    let name = vhost.name().to_owned();
    assert!(vhost.url().starts_with("amqp://") && vhost.url().ends_with(&name));
    assert!(is_listed(&name));
    assert!(servers.rabbitmqctl(&["list_vhosts"]).contains(&name));
    drop(vhost);
    assert!(!is_listed(&name));
}

#[test]
fn rabbitmq_tells_prometheus_what_it_counts() {
    let mut page = TcpStream::connect(Servers::shared().rabbitmq_metrics()).unwrap();
    page.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    page.read_to_string(&mut text).unwrap();
    assert!(text.contains("\nrabbitmq_alarms_free_disk_space_watermark 0\n"), "{text}");
}

#[test]
fn what_was_killed_comes_back_where_it_was_with_what_it_had() {
    let servers = Servers::start();
    let (vhost, database) = (servers.vhost(), servers.database());
    write(database.url(), "CREATE TABLE numbers (number integer); INSERT INTO numbers VALUES (42)");
    servers.kill_postgres();
    servers.kill_rabbitmq();
    assert!(PgConnection::establish(database.url()).is_err());
    assert!(servers.management("GET", "/api/vhosts", "").is_err());
    servers.start_postgres();
    servers.start_rabbitmq();
    let mut connection = PgConnection::establish(database.url()).unwrap();
    let number: i32 = select(sql::<Integer>("(SELECT number FROM numbers)")).get_result(&mut connection).unwrap();
    assert_eq!(number, 42);
    assert!(servers.rabbitmqctl(&["list_vhosts"]).contains(vhost.name()));
    connection.batch_execute("SELECT 1 / 0").unwrap_err();
    assert!(servers.postgres_log().contains("division by zero"));
}

#[test]
fn what_stands_still_goes_on_and_what_is_restarted_has_what_it_had() {
    let servers = Servers::start();
    let database = servers.database();
    write(database.url(), "CREATE TABLE numbers (number integer); INSERT INTO numbers VALUES (7)");
    let mut session = PgConnection::establish(database.url()).unwrap();
    servers.pause(Server::Postgres);
    assert!(!servers.postgres_answers());
    servers.resume(Server::Postgres);
    session.batch_execute("SELECT 1").unwrap();
    servers.terminate_sessions();
    session.batch_execute("SELECT 1").unwrap_err();
    for shutdown in [Shutdown::Fast, Shutdown::Immediate] {
        servers.restart_postgres(shutdown);
        write(database.url(), "INSERT INTO numbers SELECT number FROM numbers");
    }
    servers.pause(Server::RabbitMq);
    servers.resume(Server::RabbitMq);
    servers.disk_alarm(true);
    assert!(servers.rabbitmqctl(&["eval", "rabbit_alarm:get_alarms()."]).contains("disk"));
    servers.disk_alarm(false);
    assert_eq!(servers.rabbitmqctl(&["eval", "rabbit_alarm:get_alarms()."]).trim(), "[]");
}

#[test]
#[should_panic(expected = "not this test's own")]
fn shared_servers_are_not_killed() {
    Servers::shared().kill_postgres();
}
