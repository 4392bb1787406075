//! Values as callbacks write them.

use common::UnixMillis;

const LONGEST_NAME_BYTES: usize = 64;
const LONGEST_TIME_DIGITS: usize = 10;

/// A time in whole seconds. More digits are no such time: taken as seconds, milliseconds would lie so far ahead that no
/// later event could ever win against them.
pub(super) fn time(text: &str) -> Option<UnixMillis> {
    let digits = text.len() <= LONGEST_TIME_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = if digits { text.parse().ok()? } else { return None };
    (seconds > 0).then(|| UnixMillis::from_seconds(seconds))
}

/// The id of a department in its only spelling.
pub(super) fn department_id(text: &str) -> Option<String> {
    department_number(text).map(|id| id.to_string())
}

/// The number that the id of a department is; there is none below 1.
pub(super) fn department_number(text: &str) -> Option<u32> {
    let text = text.trim();
    let id: u32 = if text.starts_with('+') { return None } else { text.parse().ok()? };
    (id > 0).then_some(id)
}

/// A list separated by commas; blanks count for nothing.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// The name of a callback for people, out of what the platform calls it. It stands in logs and subjects, so it is
/// bounded.
pub(super) fn callback_name(event: Option<&str>, change: Option<&str>) -> String {
    let plain = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        (1..=LONGEST_NAME_BYTES).contains(&text.len()) && text.bytes().all(allowed)
    };
    match (event.filter(plain), change.filter(plain)) {
        (Some(event), Some(change)) => format!("{event}.{change}"),
        (Some(event), None) => event.to_owned(),
        (None, _) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_up_to_ten_digits() {
        assert_eq!(time("1767225600"), Some(UnixMillis(1_767_225_600_000)));
        for bad in ["", "0", "-1", "+1", "1.5", "abc", "1767225600000", "１"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn department_ids_are_positive_and_have_one_spelling() {
        assert_eq!(department_id(" 0042 ").as_deref(), Some("42"));
        assert_eq!(department_id("4294967295").as_deref(), Some("4294967295"));
        for bad in ["", "0", "-1", "+1", "4294967296", "x"] {
            assert_eq!(department_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(callback_name(Some("change_contact"), Some("update_tag")), "change_contact.update_tag");
        assert_eq!(callback_name(Some("batch_job_result"), None), "batch_job_result");
        assert_eq!(callback_name(Some("a\nb"), Some("c")), "unknown");
        assert_eq!(callback_name(Some("a"), Some(&"c".repeat(65))), "a");
        assert_eq!(callback_name(None, None), "unknown");
    }
}
