//! As much of WeCom's interfaces as a pull needs, over a company of any shape: the real one's departments are fifteen levels deep at
//! most (reference wecom 8). Answers are made beforehand, so that they cost next to nothing.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::shape::{ROOT, Shape, members, name};

/// It stops answering when dropped.
pub(crate) struct Platform {
    url: String,
    serving: JoinHandle<()>,
}

impl Platform {
    pub(crate) async fn start(shape: &Shape) -> Self {
        let answers = Arc::new(Answers::about(shape));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&answers)));
            }
        });
        Self { url, serving }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers one request after the other, until the connection ends.
async fn serve(stream: TcpStream, answers: Arc<Answers>) {
    let mut stream = BufReader::new(stream);
    while let Some(target) = request(&mut stream).await {
        let body = answers.to(&target);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.is_err() {
            return;
        }
    }
}

/// The target of the next request; `None` when there is none.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    let target = first.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((field, value)) = line.trim().split_once(':') else { break };
        if field.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(target)
}

/// What is answered.
struct Answers {
    /// By path.
    lists: HashMap<&'static str, String>,
    /// The members of departments that have any, by id.
    members: HashMap<String, String>,
    nobody: String,
}

impl Answers {
    fn about(shape: &Shape) -> Self {
        let root = json!({ "id": ROOT, "name": "Company", "parentid": 0, "order": 1 });
        let department =
            |(id, parent): (usize, usize)| json!({ "id": id, "name": name(id), "parentid": parent, "order": id });
        let departments: Vec<Value> = [root].into_iter().chain(shape.departments().map(department)).collect();
        let ids = |department: &Value| json!({ "id": department["id"], "parentid": department["parentid"], "order": department["order"] });
        let places: Vec<Value> =
            members().map(|(number, id)| json!({ "userid": userid(number), "department": id })).collect();
        let lists = HashMap::from([
            ("gettoken", good(json!({ "access_token": "token", "expires_in": 7200 }))),
            (
                "department/simplelist",
                good(json!({ "department_id": departments.iter().map(ids).collect::<Vec<_>>() })),
            ),
            ("department/list", good(json!({ "department": departments }))),
            ("user/list_id", good(json!({ "next_cursor": "", "dept_user": places }))),
        ]);
        let listed = |(number, id): (usize, usize)| (id.to_string(), good(json!({ "userlist": [member(number, id)] })));
        Self { lists, members: members().map(listed).collect(), nobody: good(json!({ "userlist": [] })) }
    }

    fn to(&self, target: &str) -> &str {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix("/cgi-bin/").unwrap_or_default();
        if path == "user/list" {
            let department = query.split('&').find_map(|parameter| parameter.strip_prefix("department_id="));
            return department.and_then(|id| self.members.get(id)).unwrap_or(&self.nobody);
        }
        self.lists.get(path).map_or("{\"errcode\":-1,\"errmsg\":\"not here\"}", String::as_str)
    }
}

fn member(number: usize, department: usize) -> Value {
    json!({
        "userid": userid(number),
        "name": format!("成员 {number}"),
        "department": [department],
        "order": [0],
        "is_leader_in_dept": [0],
        "main_department": department,
        "position": "工程师",
        "mobile": format!("139{number:08}"),
        "status": 1,
    })
}

fn userid(number: usize) -> String {
    format!("member{number}")
}

/// An answer that says that all went well.
fn good(mut content: Value) -> String {
    (content["errcode"], content["errmsg"]) = (json!(0), json!("ok"));
    content.to_string()
}
