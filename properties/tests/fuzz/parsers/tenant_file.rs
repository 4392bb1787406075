//! A tenant's file.

use std::path::Path;

use service::TenantFile;
use store::Sealer;

use super::sorts;
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

const BEGIN: &str = "id = \"acme\"\n";

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
fn a_tenants_file_can_be_stored_or_is_refused() {
    let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
    let data_key = sealer.new_data_key().unwrap();
    let parse = |input: &[u8]| match TenantFile::parse(&String::from_utf8_lossy(input), Path::new("")) {
        Ok(file) => {
            check_stored(&file, &sealer, &data_key);
            let kinds: Vec<&str> = file.destinations.iter().map(|destination| destination.kind().as_str()).collect();
            Came::taken(format!("{:?} {kinds:?}", file.directory))
        }
        Err(problems) => Came::refused(sorts(&problems)),
    };
    fuzz(&Parser { name: "tenant_file", tokens: WORDS, limits: Limits::FILE, made: made(), parse: &parse });
}

/// What was accepted is read from the database as it was, or services would go on without it.
fn check_stored(file: &TenantFile, sealer: &Sealer, data_key: &str) {
    let document = file.to_document(sealer, data_key).unwrap_or_else(|error| panic!("it cannot be stored: {error}"));
    let text = document.to_string();
    let back = TenantFile::from_document(&file.id, document, sealer, data_key);
    let back = back.unwrap_or_else(|error| panic!("what is stored cannot be read: {error}"));
    assert!(back == *file, "what is stored is not what was accepted: {back:?}");
    if let Err(error) = serde_json::from_str::<serde_json::Value>(&text) {
        panic!("what is stored is no JSON that can be read: {error}");
    }
    // Neither of these may stumble over it.
    drop((file.redacted().to_string(), file.warnings()));
}

/// Many destinations, all of them wrong, and one with a free form that goes deep.
fn made() -> Vec<Vec<u8>> {
    let destination = |nth: usize| format!("[[destinations]]\nid = \"d{nth}\"\nkind = \"wecom-callback\"\n");
    let many: String = (0..1_000).map(destination).collect();
    let deep = ["t"; 78].join(".");
    let free = "[[destinations]]\nid = \"h\"\nkind = \"http\"\nurl = \"https://h/\"\n";
    let mut made = vec![
        format!("{BEGIN}{many}").into_bytes(),
        format!("{BEGIN}{free}[destinations.{deep}]\n{deep} = 1\n").into_bytes(),
    ];
    made.extend(made::toml(BEGIN));
    made
}
