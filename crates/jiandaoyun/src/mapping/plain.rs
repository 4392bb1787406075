//! The text of a value of a record, whatever kind of field it is of (reference jiandaoyun 7).

use serde_json::{Map, Value};

use super::reason::Reason;
use crate::api::as_number;

/// The parts of an address, in the order in which people write them.
const ADDRESS: [&str; 4] = ["province", "city", "district", "detail"];

/// The text of a value: of a person and a department the name, of a phone the number, of an address its parts, of a list
/// the texts in it.
///
/// # Errors
/// [`Reason::NotUsable`] for what has no text: rows of a sub-form, files, links, rich text.
pub(crate) fn text(value: &Value) -> Result<String, Reason> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        // 12.0 is 12: fractions of nothing are a matter of who wrote it.
        Value::Number(number) => Ok(as_number(value).map_or_else(|| number.to_string(), |whole| whole.to_string())),
        Value::Array(items) => list(items, text),
        Value::Object(map) if map.is_empty() => Ok(String::new()),
        Value::Object(map) => of_object(map, "name"),
    }
}

/// The same where a person is meant by an id: of a person the username.
pub(crate) fn id(value: &Value) -> Result<String, Reason> {
    match value {
        Value::Array(items) => list(items, id),
        Value::Object(map) if map.contains_key("username") => of_object(map, "username"),
        other => text(other),
    }
}

fn list(items: &[Value], text: fn(&Value) -> Result<String, Reason>) -> Result<String, Reason> {
    let texts: Vec<String> = items.iter().map(text).collect::<Result<_, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.trim().is_empty()).collect();
    Ok(texts.join(","))
}

fn of_object(map: &Map<String, Value>, of_person: &str) -> Result<String, Reason> {
    if map.contains_key("username") {
        return scalar(map.get(of_person).unwrap_or(&Value::Null));
    }
    // Fields of a sub-form's row may have any names.
    if map.contains_key("_id") {
        return Err(Reason::NotUsable);
    }
    if let Some(phone) = map.get("phone") {
        return scalar(phone);
    }
    if map.contains_key("dept_no") {
        return scalar(map.get("name").unwrap_or(&Value::Null));
    }
    if ADDRESS.iter().any(|part| map.contains_key(*part)) {
        return ADDRESS.iter().filter_map(|part| map.get(*part)).map(scalar).collect();
    }
    Err(Reason::NotUsable)
}

fn scalar(value: &Value) -> Result<String, Reason> {
    match value {
        Value::Array(_) | Value::Object(_) => Err(Reason::NotUsable),
        scalar => text(scalar),
    }
}

/// The single texts of a value: those of a list, or one. Without those that are blank.
pub(crate) fn texts(value: &Value, text: fn(&Value) -> Result<String, Reason>) -> Result<Vec<String>, Reason> {
    let texts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(text).collect::<Result<_, _>>()?,
        one => vec![text(one)?],
    };
    Ok(texts.into_iter().filter(|text| !text.trim().is_empty()).collect())
}

/// The same text with the full-width letters, digits and signs of input methods as ASCII.
pub(crate) fn narrow(text: &str) -> String {
    text.chars().map(narrow_character).collect()
}

fn narrow_character(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        // The same signs in the same order, so far further on.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_field_with_a_text_has_it() {
        let person = json!({"name": "小简", "username": "xiaojian", "status": 1, "departments": [1, 3]});
        let department = json!({"name": "研发部", "dept_no": 12, "integrate_id": 12});
        for (value, shown) in [
            (json!("张三 😀"), "张三 😀"),
            (json!(100), "100"),
            (json!(12.0), "12"),
            (json!(1.5), "1.5"),
            (json!(true), "true"),
            (json!(null), ""),
            (json!({}), ""),
            (json!([]), ""),
            (json!({"phone": "13800000000", "verified": true}), "13800000000"),
            (person.clone(), "小简"),
            (department.clone(), "研发部"),
            (json!([department, ""]), "研发部"),
            (json!(["a", null, 2]), "a,2"),
            (json!({"province": "江苏省", "city": "无锡市", "district": "", "detail": "1 号"}), "江苏省无锡市1 号"),
            (json!({"province": "江苏省", "lnglatXY": [1.0, 2.0]}), "江苏省"),
        ] {
            assert_eq!(text(&value), Ok(shown.to_owned()), "{value}");
        }
        assert_eq!((id(&person), id(&json!([person]))), (Ok("xiaojian".to_owned()), Ok("xiaojian".to_owned())));
        assert_eq!(id(&json!({"username": "a", "_id": "5"})), Ok("a".to_owned()), "as pushes have it");
    }

    #[test]
    fn files_rows_links_and_what_is_not_known_have_none() {
        for odd in [
            json!([{"name": "a.pdf", "size": 1, "mime": "x", "url": "https://x"}]),
            json!({"name": "sign.png", "size": 1, "url": "https://x"}),
            json!([{"_id": "604ed0298e2ade077c7245f1", "_widget_1": "x"}]),
            json!([{"_id": "604ed0298e2ade077c7245f1", "city": "x", "phone": "1"}]),
            json!({"id": "66e1"}),
            json!({"html": "<p>x</p>", "attachments": []}),
            json!({"phone": {"x": 1}}),
            json!([[{"x": 1}]]),
        ] {
            assert_eq!(text(&odd), Err(Reason::NotUsable), "{odd}");
        }
    }

    #[test]
    fn full_width_signs_become_narrow_and_nothing_else_does() {
        assert_eq!(narrow("１３８\u{3000}＋（Ａｚ）"), "138 +(Az)");
        assert_eq!(narrow("张三😀é。"), "张三😀é。");
    }
}
