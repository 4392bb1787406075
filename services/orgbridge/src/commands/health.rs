//! `health`: whether the process that serves by this configuration is ready, for where nobody else can ask, as in an image without a shell.

use std::time::Duration;

use anyhow::Context as _;
use outbound::{Client, Guard, Request};

use super::{Done, Source};
use crate::{Output, all_in_one, failure::Failure, texts};

/// It is on this machine, or it is not there.
const TIMEOUT: Duration = Duration::from_secs(3);
const READY: u16 = 200;

/// Asks the process on this machine whether it is ready.
pub(super) fn health(source: &Source, output: &mut Output<'_>) -> Done {
    let config = source.config()?;
    let admin = all_in_one::admin_here(&config);
    let http = Client::new(Guard::new(vec![admin.ip().into()]), TIMEOUT).context("making the HTTP client")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let answer = runtime.block_on(http.send(Request::get(format!("http://{admin}/readyz"))));
    let said = match answer {
        Ok(answer) if answer.status == READY => return Ok(output.line(texts::is_ready(output.language))?),
        Ok(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
        Err(error) => error.to_string(),
    };
    Err(Failure::say(texts::is_not_ready(output.language, admin, said)))
}
