//! Ids of attendance. A day of a member is asked about as a whole, and its records are named after it, so that an answer that is told
//! twice is the same record twice. A member's id has no slash at any platform; it is folded as in the key of a member.

use crate::EntityKey;

/// What was told of a day last ([`Field::Status`](crate::Field::Status)): somebody corrected it, or something that was approved applies to
/// it, so that only a look at all of it shows what is different.
pub const AMENDED: &str = "amended";
/// The same: the platform reckoned it anew, which need not make a difference.
pub const REFRESHED: &str = "refreshed";
/// The same: all of it was looked at since.
pub const WHOLE: &str = "whole";

/// What the last look at a day came to ([`Field::Outcome`](crate::Field::Outcome)): nothing was new, though something was to be expected. The
/// platform may be behind.
pub const BEHIND: &str = "behind";
/// The same, of a look at all of it: what somebody corrected or approved does not show yet.
pub const AWAITED: &str = "awaited";
/// The same: what was to be expected was there.
pub const SEEN: &str = "seen";

/// The id of a member's day, `{member}/{yyyy-MM-dd}`: what questions about attendance are about.
pub fn day_id(member: &str, date: &str) -> String {
    format!("{}/{date}", EntityKey::member(member).id)
}

/// The member and the date of a day's id; `None` where it is no such id.
pub fn split_day(id: &str) -> Option<(&str, &str)> {
    id.split_once('/').filter(|(member, date)| !member.is_empty() && !date.is_empty() && !date.contains('/'))
}

/// The id of an attendance record, `{member}/{yyyy-MM-dd}/{kind}/{key}`. `kind` is `result`, `punch`, `leave`, `overtime`, `trip`,
/// `outing` or `makeup`; `key` is what tells it apart on that day: the id of its plan (its check type where there is no plan), of the
/// punch, or of the approval that it comes from.
pub fn record_id(member: &str, date: &str, kind: &str, key: &str) -> String {
    format!("{}/{kind}/{key}", day_id(member, date))
}

/// The id of the day that a record is of; `None` where it is no id of a record.
pub fn day_of_record(id: &str) -> Option<&str> {
    let (end, _) = id.match_indices('/').nth(1)?;
    id.get(..end).filter(|day| split_day(day).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_after_its_member_however_that_is_spelled() {
        assert_eq!(day_id("ZhangSan", "2026-11-29"), "zhangsan/2026-11-29");
        assert_eq!(split_day("zhangsan/2026-11-29"), Some(("zhangsan", "2026-11-29")));
        for id in ["zhangsan", "zhangsan/", "/2026-11-29", "zhangsan/2026-11-29/punch/1", ""] {
            assert_eq!(split_day(id), None, "{id}");
        }
    }

    #[test]
    fn a_record_belongs_to_its_day() {
        let id = record_id("ZhangSan", "2026-11-29", "leave", "a/b");
        assert_eq!(id, "zhangsan/2026-11-29/leave/a/b");
        assert_eq!(day_of_record(&id), Some("zhangsan/2026-11-29"));
        for id in ["zhangsan/2026-11-29", "/2026-11-29/leave/1", "zhangsan//leave/1", "x", ""] {
            assert_eq!(day_of_record(id), None, "{id}");
        }
    }
}
