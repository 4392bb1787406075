//! Writes XML in the different shapes in which WeCom has been seen to send the same thing.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// One element of a message.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    name: &'static str,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    /// Mostly CDATA.
    Text(String),
    /// Mostly plain.
    Number(String),
    Nested(Vec<Element>),
}

impl Element {
    pub(crate) fn text(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: Value::Text(value.into()) }
    }

    pub(crate) fn number(name: &'static str, value: impl ToString) -> Self {
        Self { name, value: Value::Number(value.to_string()) }
    }

    pub(crate) fn nested(name: &'static str, children: Vec<Element>) -> Self {
        Self { name, value: Value::Nested(children) }
    }
}

/// Chooses among the shapes, by seed.
#[derive(Debug)]
pub(crate) struct Ink {
    random: StdRng,
    varied: bool,
}

impl Ink {
    /// `varied = false` always writes the form of the official samples.
    pub(crate) fn new(seed: u64, varied: bool) -> Self {
        Self { random: StdRng::seed_from_u64(seed), varied }
    }

    /// True with that probability, never when nothing varies.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.varied && self.random.random_bool(probability)
    }

    /// The document: header elements first, then the others, mostly.
    pub(crate) fn document(&mut self, header: Vec<Element>, mut body: Vec<Element>) -> String {
        let pretty = self.chance(0.4);
        if self.chance(0.3) {
            body.shuffle(&mut self.random);
        }
        let mut elements = header;
        elements.append(&mut body);
        if self.chance(0.1) {
            elements.shuffle(&mut self.random);
        }
        let mut out = String::with_capacity(512);
        out.push_str("<xml>");
        self.write_all(&mut out, &elements, if pretty { Some(1) } else { None });
        out.push_str("</xml>");
        out
    }

    fn write_all(&mut self, out: &mut String, elements: &[Element], indent: Option<usize>) {
        for element in elements {
            line(out, indent);
            self.write(out, element, indent);
        }
        line(out, indent.map(|depth| depth.saturating_sub(1)));
    }

    fn write(&mut self, out: &mut String, element: &Element, indent: Option<usize>) {
        let name = element.name;
        out.push_str(&format!("<{name}>"));
        match &element.value {
            Value::Text(text) if self.chance(0.2) => escape(out, text),
            Value::Number(text) if self.chance(0.2) => cdata(out, text),
            Value::Text(text) => cdata(out, text),
            Value::Number(text) => escape(out, text),
            Value::Nested(children) => self.write_all(out, children, indent.map(|depth| depth + 1)),
        }
        out.push_str(&format!("</{name}>"));
    }
}

fn line(out: &mut String, indent: Option<usize>) {
    if let Some(depth) = indent {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

fn cdata(out: &mut String, text: &str) {
    out.push_str("<![CDATA[");
    out.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
    out.push_str("]]>");
}

fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}
