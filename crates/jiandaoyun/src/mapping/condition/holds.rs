//! Whether a record fits a condition.

use serde_json::Value;

use super::{Compared, Condition, is_day, number};
use crate::{
    api::{Method, Record},
    mapping::{
        Zone,
        moment::{self, Written},
        plain,
        word::is_blank,
    },
};

impl Condition {
    /// Whether a record fits.
    pub(crate) fn holds(&self, record: &Record, zone: &Zone) -> bool {
        let value = match &*self.field {
            "_id" | "data_id" => Some(Value::from(record.id.as_str())),
            field => {
                let found = record.values.get(field).or_else(|| record.values.get(self.other.as_deref()?));
                found.cloned()
            }
        };
        let value = value.unwrap_or_default();
        match self.method {
            Method::Empty => is_empty(&value),
            Method::NotEmpty => !is_empty(&value),
            Method::Verified => is_verified(&value) == Some(true),
            Method::Unverified => is_verified(&value) == Some(false),
            Method::Range | Method::Gt | Method::Lt => self.is_between(&value, zone),
            Method::Eq | Method::In => self.any(&value, zone),
            Method::Ne | Method::Nin => !self.any(&value, zone),
            Method::All => {
                let told = texts(&value);
                self.values.iter().all(|wanted| told.iter().any(|one| self.equal(one, wanted, zone)))
            }
            Method::Like => {
                let wanted = self.values.first().map(texts).unwrap_or_default();
                texts(&value).iter().any(|one| wanted.iter().any(|wanted| one.contains(wanted)))
            }
        }
    }

    /// Whether a value, or one of a list, is one of the condition's.
    fn any(&self, value: &Value, zone: &Zone) -> bool {
        texts(value).iter().any(|one| self.values.iter().any(|wanted| self.equal(one, wanted, zone)))
    }

    fn equal(&self, told: &str, wanted: &Value, zone: &Zone) -> bool {
        let value = Value::from(told);
        match self.compared() {
            Compared::Texts => texts(wanted).iter().any(|wanted| wanted == told),
            Compared::Numbers => number(&value).is_some_and(|one| number(wanted) == Some(one)),
            Compared::Moments => {
                let (told, meant) = (moment::moment(&value, zone), moment::moment(wanted, zone));
                let day = |at| moment::write(at, Written::Date, zone);
                match (told, meant) {
                    (Some(told), Some(meant)) if is_day(wanted) => day(told) == day(meant),
                    (Some(told), Some(meant)) => told == meant,
                    _ => false,
                }
            }
        }
    }

    /// Whether a value lies between the condition's, both included, or beyond the one it has.
    fn is_between(&self, value: &Value, zone: &Zone) -> bool {
        let size = |value: &Value| match self.compared() {
            Compared::Moments => moment::moment(value, zone).map(|at| at.as_millisecond() as f64),
            _ => number(value),
        };
        let Some(told) = texts(value).first().and_then(|one| size(&Value::from(one.as_str()))) else { return false };
        let end = |place: usize| self.values.get(place).filter(|end| !is_blank(end)).map(size);
        match (self.method, end(0), end(1)) {
            (Method::Gt, Some(Some(from)), _) => told > from,
            (Method::Lt, Some(Some(until)), _) => told < until,
            (Method::Range, from, until) => {
                from.is_none_or(|from| from.is_some_and(|from| told >= from))
                    && until.is_none_or(|until| until.is_some_and(|until| told <= until))
            }
            _ => false,
        }
    }
}

/// The texts of a value by which it is compared: of a person the username, of a department its number (reference jiandaoyun 6).
/// What has no text is compared with nothing.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value.get("dept_no") {
        Some(number) => plain::text(number),
        None => plain::id(value),
    };
    let texts: Vec<String> = match value {
        Value::Array(items) => items.iter().filter_map(|item| text(item).ok()).collect(),
        one => text(one).ok().into_iter().collect(),
    };
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

fn is_empty(value: &Value) -> bool {
    is_blank(value) || (texts(value).is_empty() && value.get("phone").is_some_and(is_blank))
}

fn is_verified(value: &Value) -> Option<bool> {
    value.get("verified").and_then(Value::as_bool)
}
