//! The command `orgbridge`.

use std::{io, process::ExitCode};

use orgbridge::{Language, Output, run};

fn main() -> ExitCode {
    let environment = service::process::environment();
    let language = Language::of(&environment);
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    run(std::env::args_os(), environment, &mut Output::new(&mut out, &mut err, language))
}
