//! What is asked for, and what WeCom will show of it (reference wecom 2.2 and 3.4).

use std::collections::BTreeSet;

use common::{Action, Change, Field, Fields, onboarding};
use serde_json::{Map, Value};

/// The fields of a request that are one text, and what they are called in callbacks. Extended attributes are not among them: those that the
/// company does not know are ignored without a word.
const TEXTS: [(&str, Field); 7] = [
    ("name", Field::Name),
    ("position", Field::Title),
    ("email", Field::Email),
    ("biz_mail", Field::BizMail),
    ("alias", Field::Alias),
    ("telephone", Field::Telephone),
    ("address", Field::Address),
];

/// A request: the fields of `user/create`.
pub(super) struct Request(Map<String, Value>);

impl Request {
    /// That of a change; `None` where it cannot be read or names no user id.
    pub(super) fn of(change: &Change) -> Option<Self> {
        let Action::Upsert { entity, .. } = &change.action else { return None };
        let request = Self(serde_json::from_str(onboarding::request(&entity.fields)?).ok()?);
        (!request.user_id().is_empty()).then_some(request)
    }

    pub(super) const fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The same for a member who is there under this id. Nobody is invited by a change.
    pub(super) fn as_update_of(&self, id: &str) -> Map<String, Value> {
        let mut fields = self.0.clone();
        fields.remove("to_invite");
        fields.insert("userid".to_owned(), Value::from(id));
        fields
    }

    pub(super) fn user_id(&self) -> &str {
        self.text("userid")
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether a member is the person who is asked for: by the number, else by the address, else by the name.
    pub(super) fn is_for(&self, member: &Fields) -> bool {
        let shown = |field| member.text(field).unwrap_or_default();
        let (number, other) = (plain_number(self.text("mobile")), plain_number(shown(Field::Mobile)));
        if !number.is_empty() && !other.is_empty() {
            // How a number from abroad is shown is not documented.
            return number.trim_start_matches('+') == other.trim_start_matches('+');
        }
        let (address, other) = (self.text("email").trim(), shown(Field::Email).trim());
        if !address.is_empty() && !other.is_empty() {
            return address.eq_ignore_ascii_case(other);
        }
        self.has_name_of(member)
    }

    /// Whether a member has the name of the person who is asked for.
    pub(super) fn has_name_of(&self, member: &Fields) -> bool {
        let name = self.text("name").trim();
        !name.is_empty() && member.text(Field::Name).is_some_and(|other| other.trim() == name)
    }

    /// The member as it is once it was created.
    pub(super) fn shown(&self) -> Fields {
        let mut fields = Fields::new();
        for (name, field) in TEXTS {
            let text = self.text(name);
            if !text.is_empty() {
                fields.set(field, text);
            }
        }
        let number = plain_number(self.text("mobile"));
        if !number.is_empty() {
            fields.set(Field::Mobile, number);
        }
        match self.text("gender") {
            "1" => fields.set(Field::Gender, "male"),
            "2" => fields.set(Field::Gender, "female"),
            _ => {}
        }
        let leaders = self.texts("direct_leader");
        if !leaders.is_empty() {
            fields.set(Field::Leaders, leaders);
        }
        let is_disabled = self.0.get("enable").and_then(Value::as_i64) == Some(0);
        fields.set(Field::Status, if is_disabled { "disabled" } else { "inactive" });
        self.show_departments(&mut fields);
        fields
    }

    /// Where none is named, the platform chooses one.
    fn show_departments(&self, fields: &mut Fields) {
        let departments = self.texts("department");
        let mut seen = BTreeSet::new();
        let places: Vec<(usize, &String)> =
            departments.iter().enumerate().filter(|(_, id)| *id != "0" && seen.insert(id.as_str())).collect();
        if places.is_empty() {
            return;
        }
        let leads = self.texts("is_leader_in_dept");
        if leads.len() == departments.len() {
            let is_led = |place: usize| leads.get(place).is_some_and(|flag| flag == "1");
            let led: Vec<String> =
                places.iter().filter(|(place, _)| is_led(*place)).map(|(_, id)| (*id).clone()).collect();
            fields.set(Field::Leads, led);
        }
        let ids: Vec<String> = places.into_iter().map(|(_, id)| id.clone()).collect();
        let main = self.0.get("main_department").and_then(plain).filter(|main| ids.contains(main));
        match (main, ids.as_slice()) {
            (Some(main), _) => fields.set(Field::MainDepartment, main),
            (None, [only]) => fields.set(Field::MainDepartment, only.as_str()),
            // Which one it is, is the platform's choice.
            (None, _) => {}
        }
        fields.set(Field::Departments, ids);
    }

    /// A list of texts or numbers, as texts.
    fn texts(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(plain).filter(|text| !text.is_empty()).collect()
    }
}

/// The text of a text or a whole number.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// A number as WeCom shows it: without blanks, and one of the mainland without its prefix.
fn plain_number(text: &str) -> String {
    let number: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    number.strip_prefix("+86").map(str::to_owned).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(fields: Value) -> Request {
        Request(fields.as_object().unwrap().clone())
    }

    #[test]
    fn a_request_is_shown_in_the_spelling_of_callbacks() {
        let all = request(json!({
            "userid": "zhangsan", "name": "张三·𠮷", "mobile": "+86 138-0013-8000", "position": "工程师", "gender": "2",
            "department": [3, 17, 3], "is_leader_in_dept": [0, 1, 0], "main_department": 17, "direct_leader": ["boss"],
            "alias": "", "email": "z@corp.example", "to_invite": false,
        }));
        let shown = Fields::new()
            .with(Field::Name, "张三·𠮷")
            .with(Field::Mobile, "13800138000")
            .with(Field::Title, "工程师")
            .with(Field::Gender, "female")
            .with(Field::Departments, ["3", "17"].as_slice())
            .with(Field::Leads, ["17"].as_slice())
            .with(Field::MainDepartment, "17")
            .with(Field::Leaders, ["boss"].as_slice())
            .with(Field::Email, "z@corp.example")
            .with(Field::Status, "inactive");
        assert_eq!(all.shown(), shown);
    }

    #[test]
    fn nothing_is_said_of_what_the_platform_chooses() {
        let shown = |fields| request(fields).shown();
        for nowhere in [json!({"name": "x"}), json!({"department": [0]}), json!({"department": 0})] {
            let fields = shown(nowhere);
            assert!(!fields.has(Field::Departments) && !fields.has(Field::MainDepartment));
        }
        assert!(!shown(json!({"department": [2, 3]})).has(Field::MainDepartment));
        assert_eq!(shown(json!({"department": [2]})).text(Field::MainDepartment), Some("2"));
        assert_eq!(shown(json!({"enable": 0})).text(Field::Status), Some("disabled"));
        let attributes = json!({"extattr": {"attrs": [{"type": 0, "name": "n", "text": {"value": "v"}}]}});
        assert!(!shown(attributes).has(Field::Attributes));
    }

    #[test]
    fn who_somebody_is_is_told_by_the_number_then_the_address_then_the_name() {
        let asked = request(json!({"name": " 张三 ", "mobile": "13800138000", "email": "Z@corp.example"}));
        let member = |told: &[(Field, &str)]| -> Fields {
            told.iter().map(|(field, text)| (*field, common::Value::from(*text))).collect()
        };
        assert!(asked.is_for(&member(&[(Field::Mobile, "+86 13800138000"), (Field::Name, "李四")])));
        let abroad = request(json!({"name": "Ann", "mobile": "+852 6123 4567"}));
        assert!(abroad.is_for(&member(&[(Field::Mobile, "85261234567")])));
        assert!(!asked.is_for(&member(&[(Field::Mobile, "13800138001"), (Field::Name, "张三")])));
        assert!(asked.is_for(&member(&[(Field::Email, "z@corp.example"), (Field::Name, "李四")])));
        assert!(!asked.is_for(&member(&[(Field::Email, "y@corp.example"), (Field::Name, "张三")])));
        assert!(asked.is_for(&member(&[(Field::Name, "张三")])), "the app sees no more");
        assert!(!asked.is_for(&member(&[(Field::Name, "李四")])) && !asked.is_for(&member(&[])));
        assert!(!request(json!({})).is_for(&member(&[(Field::Name, "")])));
    }
}
