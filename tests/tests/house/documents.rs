//! Documents name what the code has.

use std::{fs, path::PathBuf};

use common::Reason;

fn read(path: &str) -> String {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_reason_of_a_dead_letter_is_explained() {
    let page = read("docs/errors.md");
    for reason in Reason::ALL {
        assert!(
            page.contains(&format!("## {}\n", reason.as_str())),
            "docs/errors.md says nothing of {}",
            reason.as_str()
        );
    }
}

#[test]
fn both_readmes_show_the_two_commands() {
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = read(readme);
        for command in ["cargo run --release -- demo", "./scripts/test"] {
            assert!(text.contains(command), "{readme} does not show `{command}`");
        }
    }
}

#[test]
fn the_architecture_names_every_crate_and_service() {
    let text = read("ARCHITECTURE.md");
    for folder in ["crates", "services"] {
        let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(folder);
        for entry in fs::read_dir(root).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(text.contains(&format!("`{name}`")), "ARCHITECTURE.md does not name `{name}`");
        }
    }
}
