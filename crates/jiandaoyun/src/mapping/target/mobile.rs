//! Mobile numbers (reference jiandaoyun 12.2).

use crate::mapping::plain::narrow;

/// Digits of a number with its country, as E.164 has it; the shortest is one of three and five.
const LEAST_DIGITS: usize = 7;
const MOST_DIGITS: usize = 15;

const CHINA: &str = "86";
const DIGITS_IN_CHINA: usize = 11;

/// A mobile number in its only spelling: `13800138000`, or `+85212345678` for one of another country. `None` when it is none.
pub(crate) fn normal_mobile(text: &str) -> Option<String> {
    let bare: String = narrow(text).chars().filter(|c| !is_between(*c)).collect();
    let (international, digits) = match (bare.strip_prefix('+'), bare.strip_prefix("00")) {
        (Some(digits), _) | (None, Some(digits)) => (true, digits),
        (None, None) => (false, &*bare),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let in_china = digits.strip_prefix(CHINA).filter(|rest| international || rest.len() == DIGITS_IN_CHINA);
    if let Some(rest) = in_china {
        return is_chinese(rest).then(|| rest.to_owned());
    }
    if !international {
        return is_chinese(digits).then(|| digits.to_owned());
    }
    let fits = (LEAST_DIGITS..=MOST_DIGITS).contains(&digits.len()) && !digits.starts_with('0');
    fits.then(|| format!("+{digits}"))
}

/// `^1[3-9][0-9]{9}$`, of digits.
fn is_chinese(digits: &str) -> bool {
    digits.len() == DIGITS_IN_CHINA && digits.starts_with('1') && digits.get(1..2).is_some_and(|second| second >= "3")
}

/// What people, phones and chats put between and around digits: blanks, dashes, brackets, and marks of direction that are not seen.
fn is_between(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '-' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling_whatever_it_was_written_like() {
        for text in [
            "13800138000",
            " 138 0013 8000 ",
            "138-0013-8000",
            "(138)00138000",
            "（138）0013–8000",
            "１３８００１３８０００",
            "+8613800138000",
            "+86 138 0013 8000",
            "＋86-13800138000",
            "008613800138000",
            "8613800138000",
            "\u{202d}13800138000\u{202c}",
            "\u{feff}138\u{a0}0013\u{3000}8000",
        ] {
            assert_eq!(normal_mobile(text).as_deref(), Some("13800138000"), "{text}");
        }
        for (text, number) in [
            ("+852 1234 5678", "+85212345678"),
            ("0085212345678", "+85212345678"),
            ("+1 (202) 555-0100", "+12025550100"),
        ] {
            assert_eq!(normal_mobile(text).as_deref(), Some(number), "{text}");
        }
    }

    #[test]
    fn landlines_short_long_and_lettered_ones_are_none() {
        for text in [
            "",
            "+",
            "12800138000",
            "1380013800",
            "138001380000",
            "013800138000",
            "021-66668888",
            "+86 021 66668888",
            "+8612800138000",
            "+0012345678",
            "+123456",
            "+1234567890123456",
            "1380013800O",
            "138.0013.8000",
            "13800138000/13900139000",
            "13800138000+",
            "٠١٣٨٠٠١٣٨٠٠٠",
        ] {
            assert_eq!(normal_mobile(text), None, "{text}");
        }
    }
}
