//! The API on a socket.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

fn serve(stage: &Stage) -> ApiServer {
    stage.api.listen(TcpListener::bind("127.0.0.1:0").expect("a port")).expect("it starts")
}

fn send(server: &ApiServer, interface: Interface, query: &str, body: &str) -> TcpStream {
    let mut connection = TcpStream::connect(server.address()).expect("it listens");
    let (method, length) = (interface.method(), body.len());
    let head = format!("{method} /cgi-bin/{interface}?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    let request = format!("{head}Content-Length: {length}\r\n\r\n{body}");
    connection.write_all(request.as_bytes()).expect("it reads");
    connection
}

/// The whole answer; empty where the connection was cut.
fn read(mut connection: TcpStream) -> String {
    let mut answer = Vec::new();
    // A cut connection may be an error or just end.
    connection.read_to_end(&mut answer).ok();
    String::from_utf8(answer).expect("text")
}

#[test]
fn answers_come_over_http_with_the_platforms_date() {
    let stage = Stage::small().with(|options| options.skew_ms = -90_000);
    let server = serve(&stage);
    assert!(server.url().starts_with("http://127.0.0.1:"));
    let answer = read(send(&server, Interface::UserListId, &stage.token_query(Identity::Contact), r#"{"limit": 2}"#));
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("date: wed, 31 dec 2025 23:58:30 gmt"), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!((code(&body), body["dept_user"].as_array().map(Vec::len)), (0, Some(2)));
    assert_eq!(stage.api.platform_seconds(), START_MS / 1000 - 90);
}

#[test]
fn what_is_not_there_is_404_and_a_scripted_status_is_told() {
    let stage = Stage::small();
    let server = serve(&stage);
    let mut connection = TcpStream::connect(server.address()).expect("it listens");
    connection.write_all(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("it reads");
    assert!(read(connection).starts_with("HTTP/1.1 404"));
    stage.api.fail(Fault::new(Trouble::Status(503)).on(Interface::UserListId));
    assert!(
        read(send(&server, Interface::UserListId, &stage.token_query(Identity::Contact), "{}"))
            .starts_with("HTTP/1.1 503")
    );
}

#[test]
fn a_cut_call_gets_no_answer() {
    let stage = Stage::small();
    let server = serve(&stage);
    stage.api.fail(Fault::new(Trouble::Cut).on(Interface::UserListId).times(1));
    assert_eq!(read(send(&server, Interface::UserListId, &stage.token_query(Identity::Contact), "{}")), "");
    assert!(
        read(send(&server, Interface::UserListId, &stage.token_query(Identity::Contact), "{}"))
            .starts_with("HTTP/1.1 200")
    );
}

#[test]
fn a_held_answer_comes_when_it_is_released() {
    let stage = Stage::small();
    let server = serve(&stage);
    stage.api.fail(Fault::new(Trouble::Held).on(Interface::UserListId).times(1));
    let held = send(&server, Interface::UserListId, &stage.token_query(Identity::Contact), "{}");
    // Then the call was done, and only its answer is outstanding.
    while stage.api.tally(Interface::UserListId).good == 0 {
        std::thread::yield_now();
    }
    held.set_nonblocking(true).expect("a socket");
    let early = (&held).read(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock));
    held.set_nonblocking(false).expect("a socket");
    stage.api.release();
    assert!(read(held).starts_with("HTTP/1.1 200"));
}
