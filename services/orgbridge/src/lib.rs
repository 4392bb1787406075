#![doc = include_str!("../README.md")]

pub mod all_in_one;

mod arguments;
mod commands;
mod demo;
mod failure;
mod help;
mod language;
mod moment;
mod output;
mod texts;

use std::{ffi::OsString, process::ExitCode};

use clap::{FromArgMatches, error::ErrorKind};
use service::Environment;

pub use all_in_one::{AllInOne, Listening, Service, serve};
pub use language::Language;
pub use output::Output;

use crate::{arguments::Arguments, failure::Failure};

/// The whole command: reads the arguments, does what they say, and tells how it went. 0 fine, 1 failed, 2 wrong usage or
/// configuration; errors are one line each.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
    output: &mut Output<'_>,
) -> ExitCode {
    let parsed = help::command(output.language)
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let result = match parsed {
        Ok(arguments) => commands::execute(arguments, environment, output),
        Err(error) => refuse(&error, output),
    };
    let (code, lines) = match result {
        Ok(()) | Err(Failure::Unread) => return ExitCode::SUCCESS,
        Err(Failure::Silent) => return ExitCode::FAILURE,
        Err(Failure::Wrong(lines)) => (2, lines),
        Err(Failure::Failed(error)) => (1, vec![format!("{error:#}")]),
    };
    for line in lines {
        // Nothing is left to tell a failure of this to.
        output.aside(line).unwrap_or_default();
    }
    ExitCode::from(code)
}

/// What clap says, on one line; help and version as they are.
fn refuse(error: &clap::Error, output: &mut Output<'_>) -> Result<(), Failure> {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(write!(output.out(), "{text}")?),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            write!(output.err(), "{text}")?;
            Err(Failure::Wrong(Vec::new()))
        }
        _ => {
            let usage = text.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or("orgbridge");
            let words = usage.split(' ').take_while(|word| !word.starts_with(['[', '<', '-']));
            let help = texts::see_help(output.language, words.collect::<Vec<_>>().join(" "));
            let said = text.lines().take_while(|line| !line.starts_with("Usage: ") && !line.starts_with("For more"));
            let said = said.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
            Err(Failure::Wrong(vec![format!("{}; {help}", said.strip_prefix("error: ").unwrap_or(&said))]))
        }
    }
}
