//! `orgbridge.toml` and the environment. A comment of the file with a `=` in it is a variable of the environment as well.

use service::{Config, Environment, config::SAMPLE};

use super::sorts;
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

const WORDS: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "#",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\u0000",
    "\\ud800",
    "\\U0010ffff",
    "\n",
    "\n[[destinations]]\n",
    "\n[destinations.headers]\n",
    "\n[database]\n",
    "\n[sink]\n",
    "\n[wecom]\n",
    "\n[jiandaoyun]\n",
    "\nid = \"acme\"\n",
    "\nkind = \"sqlite\"\nurl = \"sqlite://x.db\"\n",
    "\nkind = \"http\"\n",
    "\nkind = \"wecom-callback\"\n",
    "\nrole = \"core\"\n",
    "\ntoken = \"hunter2\"\n",
    "\ncolour = 1\n",
    "a.b.c.d = 1\n",
    "{ env = \"SECRET\" }",
    "{ file = \"/no/such/file\" }",
    "{ file = \"/dev/null\" }",
    "\n#ORGBRIDGE__SINK__BATCH_SIZE=7\n",
    "\n#ORGBRIDGE__BROKER__LANES=a, b\n",
    "\n#ORGBRIDGE__DATABASE__URL={ env = \"SECRET\" }\n",
    "\n#ORGBRIDGE__=\n",
    "\n#SECRET=sqlite://secret.db\n",
    "1979-05-27T07:32:00Z",
    "07:32:00",
    "true",
    "\"postgres://u:hunter2@h/d\"",
    "\"https://h/\"",
    "\"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C\"",
];

#[test]
fn a_configuration_is_read_or_refused() {
    let mut made = made::toml("");
    made.push(SAMPLE.as_bytes().to_vec());
    fuzz(&Parser { name: "config", tokens: WORDS, limits: Limits::FILE, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    let text = String::from_utf8_lossy(input);
    let environment: Environment = text
        .lines()
        .filter_map(|line| line.strip_prefix('#')?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    match Config::from_text(&text, "orgbridge.toml", &environment) {
        Ok(config) => {
            assert!((1..=1024).contains(&config.broker.partitions) && !config.broker.lanes.is_empty());
            assert!(config.resolver.parking_grace_seconds <= config.resolver.parking_limit_seconds);
            assert_eq!(Config::from_text(&text, "orgbridge.toml", &environment), Ok(config.clone()));
            Came::taken(format!("{} lanes", config.broker.lanes.len()))
        }
        Err(problems) => Came::refused(sorts(&problems)),
    }
}
