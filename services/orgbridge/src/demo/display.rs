//! The demo's screen: a moving line on a terminal, plain lines everywhere else.

use std::{
    io::{self, IsTerminal, Result},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{Language, Output};

/// Shows stages: a title, something that moves, a result.
pub(super) struct Display<'a, 'o> {
    output: &'a mut Output<'o>,
    /// Results go to stderr, since the other stream is for a program.
    aside: bool,
    moving: Option<ProgressBar>,
}

impl<'a, 'o> Display<'a, 'o> {
    pub(super) fn new(output: &'a mut Output<'o>, aside: bool) -> Self {
        Self { output, aside, moving: None }
    }

    pub(super) fn language(&self) -> Language {
        self.output.language
    }

    /// Lines that stay.
    pub(super) fn line(&mut self, text: impl std::fmt::Display) -> Result<()> {
        let stream = if self.aside { self.output.err() } else { self.output.out() };
        writeln!(stream, "{text}")?;
        stream.flush()
    }

    /// A stage begins.
    pub(super) fn begin(&mut self, title: impl std::fmt::Display) -> Result<()> {
        self.line(title)?;
        if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("      {spinner} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let moving = ProgressBar::new_spinner().with_style(style);
            moving.enable_steady_tick(Duration::from_millis(100));
            self.moving = Some(moving);
        }
        Ok(())
    }

    /// How the stage stands; seen on a terminal only.
    pub(super) fn update(&self, text: String) {
        if let Some(moving) = &self.moving {
            moving.set_message(text);
        }
    }

    /// The stage's result.
    pub(super) fn end(&mut self, result: impl std::fmt::Display) -> Result<()> {
        self.abandon();
        self.line(result)
    }

    /// Nothing moves any more.
    pub(super) fn abandon(&mut self) {
        if let Some(moving) = self.moving.take() {
            moving.finish_and_clear();
        }
    }
}
