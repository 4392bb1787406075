//! Where commands write to.

use std::{
    fmt::Display,
    io::{Result, Write},
};

use serde::Serialize;

use crate::Language;

/// The two streams of a command, and the language of who reads them.
pub struct Output<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    /// What people read.
    pub language: Language,
}

impl<'a> Output<'a> {
    /// Writes results to `out`, and warnings and errors to `err`.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write, language: Language) -> Self {
        Self { out, err, language }
    }

    pub(crate) fn out(&mut self) -> &mut dyn Write {
        self.out
    }

    pub(crate) fn err(&mut self) -> &mut dyn Write {
        self.err
    }

    /// A line of the result.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// A line beside the result: a warning, an error.
    pub(crate) fn aside(&mut self, text: impl Display) -> Result<()> {
        let text = text.to_string();
        writeln!(self.err, "{}", one_line(&text))?;
        self.err.flush()
    }

    /// An object or a list, for programs.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer_pretty(&mut *self.out, value)?;
        writeln!(self.out)?;
        self.out.flush()
    }

    /// Rows under a head, in columns. What may hold wide letters belongs into the last column.
    pub(crate) fn table<const N: usize>(&mut self, head: [&str; N], rows: &[[String; N]]) -> Result<()> {
        let head = head.map(str::to_owned);
        let lines = || std::iter::once(&head).chain(rows);
        let mut widths = [0; N];
        for line in lines() {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in lines() {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(self.out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        self.out.flush()
    }
}

/// Keeps a message on one line, whatever it was made of.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_messages_stay_on_one_line() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut out, &mut err, Language::English);
        output.table(["ID", "NAME"], &[["acme".into(), "示例".into()], ["b".into(), "".into()]]).unwrap();
        output.aside("a\n  b\n\nc").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "ID    NAME\nacme  示例\nb\n");
        assert_eq!(String::from_utf8(err).unwrap(), "a b c\n");
    }
}
