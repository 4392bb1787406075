//! The fuzzer itself: what is wrong with a parser is found, kept, and tried first from then on.

use std::{
    cell::RefCell,
    fs,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::fuzzer::{Came, Corpus, Effort, Limits, Parser, run};

const WORDS: &[&str] = &["<a>", "</a>", "<!--", "-->"];
const EFFORT: Effort = Effort { time: Duration::ZERO, inputs: 5_000, seed: 1 };

/// A corpus of these files, in a directory of its own.
fn corpus(files: &[(&str, &str)]) -> (TempDir, Corpus) {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("corpus");
    fs::create_dir(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    let corpus = Corpus::at(folder, directory.path().join("in-hand"));
    (directory, corpus)
}

fn parser<'a>(parse: &'a dyn Fn(&[u8]) -> Came, time: Duration) -> Parser<'a> {
    Parser { name: "planted", tokens: WORDS, limits: Limits { bytes: 1024, time }, made: Vec::new(), parse }
}

fn holds(input: &[u8], word: &str) -> bool {
    input.windows(word.len()).any(|window| window == word.as_bytes())
}

#[test]
fn a_panic_is_found_and_its_input_is_tried_first_from_then_on() {
    let (directory, corpus) = corpus(&[("good-one", "<a>1</a>")]);
    let tried = RefCell::new(0);
    let parse = |input: &[u8]| {
        *tried.borrow_mut() += 1;
        assert!(!holds(input, "<!--") || !holds(input, "</a>"), "a planted bug");
        Came::taken("one")
    };
    let parser = parser(&parse, Duration::from_secs(1));
    let failure = run(&parser, &corpus, &EFFORT).unwrap_err();
    assert!(failure.to_string().contains("a planted bug"), "{failure}");
    let kept = fs::read(&failure.kept).unwrap();
    assert!(holds(&kept, "<!--") && holds(&kept, "</a>"));

    *tried.borrow_mut() = 0;
    let again = run(&parser, &corpus, &EFFORT).unwrap_err();
    assert_eq!((&again.kept, *tried.borrow()), (&failure.kept, 1));
    assert_eq!(fs::read_dir(directory.path().join("corpus")).unwrap().count(), 2, "it is kept once");
    assert!(!directory.path().join("in-hand").exists());
}

#[test]
fn what_takes_too_long_is_found() {
    let (_directory, corpus) = corpus(&[("good-one", "<a>1</a>")]);
    let parse = |input: &[u8]| {
        let began = Instant::now();
        while holds(input, "-->") && began.elapsed() < Duration::from_millis(300) {
            std::hint::spin_loop();
        }
        Came::taken("one")
    };
    let failure = run(&parser(&parse, Duration::from_millis(100)), &corpus, &EFFORT).unwrap_err();
    assert!(failure.to_string().contains("may take 100ms"), "{failure}");
    assert!(holds(&fs::read(&failure.kept).unwrap(), "-->"));
}

#[test]
fn a_file_must_come_to_what_its_name_says() {
    for (name, taken) in [("good-one", false), ("bad-one", true)] {
        let (_directory, corpus) = corpus(&[(name, "<a>1</a>")]);
        let parse = |_: &[u8]| if taken { Came::taken("one") } else { Came::refused("one") };
        let failure = run(&parser(&parse, Duration::from_secs(1)), &corpus, &EFFORT).unwrap_err();
        assert!(failure.to_string().contains(name), "{failure}");
        assert_eq!(failure.kept.file_name().unwrap(), name);
    }
}

#[test]
fn what_was_in_hand_when_a_process_died_is_tried_first() {
    let (directory, corpus) = corpus(&[("good-one", "<a>1</a>")]);
    fs::write(directory.path().join("in-hand"), "<!-- the last one").unwrap();
    let first = RefCell::new(None);
    let parse = |input: &[u8]| {
        first.borrow_mut().get_or_insert_with(|| input.to_vec());
        Came::taken("one")
    };
    run(&parser(&parse, Duration::from_secs(1)), &corpus, &EFFORT).unwrap();
    assert_eq!(first.into_inner().unwrap(), b"<!-- the last one");
}

#[test]
fn a_seed_tries_the_same_again() {
    let (_directory, corpus) = corpus(&[("good-one", "<a>1</a>"), ("good-two", "12")]);
    let tries = |seed| {
        let inputs = RefCell::new(Vec::new());
        let parse = |input: &[u8]| {
            inputs.borrow_mut().push(input.to_vec());
            Came::taken(format!("{} tags", input.iter().filter(|byte| **byte == b'<').count()))
        };
        let effort = Effort { inputs: 500, seed, ..EFFORT };
        let tried = run(&parser(&parse, Duration::from_secs(1)), &corpus, &effort).unwrap();
        assert_eq!((tried.inputs, tried.taken), (502, 502));
        inputs.into_inner()
    };
    let one = tries(1);
    assert_eq!(one, tries(1));
    assert_ne!(one, tries(2));
}
