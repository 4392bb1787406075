//! What was sent with a request, and how it is read (reference dingtalk 4.1).

use serde_json::{Map, Value};

use super::interface::Style;
use super::refusal::Refusal;
use super::{About, Interface};
use crate::dingtalk::{Call, time};
use crate::query;

const TOKEN_HEADER: &str = "x-acs-dingtalk-access-token";
const TOKEN_PARAMETER: &str = "access_token";

/// What was sent with a request.
pub(super) struct Input<'a> {
    call: Call<'a>,
    /// `None` where it is no object.
    body: Option<Map<String, Value>>,
    form: bool,
}

impl<'a> Input<'a> {
    pub(super) fn read(call: &Call<'a>) -> Self {
        let form =
            call.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let body = if form { Some(form_fields(call.body)) } else { object(call.body) };
        Self { call: *call, body, form }
    }

    /// A parameter of the query; an empty one is none.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        query::parameter(self.call.query, name).filter(|value| !value.is_empty())
    }

    /// The token, from where the style expects it: below `/topapi/` a form body is such a place too.
    pub(super) fn token(&self, style: Style) -> Option<String> {
        match style {
            Style::New => self.call.header(TOKEN_HEADER).filter(|token| !token.is_empty()).map(str::to_owned),
            Style::Plain => self.parameter(TOKEN_PARAMETER),
            Style::Topapi => self.parameter(TOKEN_PARAMETER).or_else(|| {
                let fields = self.form.then(|| self.fields()).flatten()?;
                fields.text(TOKEN_PARAMETER).map(str::to_owned)
            }),
        }
    }

    /// What was posted; `None` where it is neither an object nor nothing.
    pub(super) fn fields(&self) -> Option<Fields<'_>> {
        self.body.as_ref().map(Fields)
    }

    /// Whether the body came as a form, which new interfaces do not read.
    pub(super) fn is_form(&self) -> bool {
        self.form
    }

    /// The path.
    pub(super) fn path(&self) -> &str {
        self.call.path
    }

    /// What it is about, where that can be read.
    pub(super) fn about(&self, interface: Interface) -> Option<About> {
        if interface == Interface::Approval {
            return self.parameter("processInstanceId").map(About::Approval);
        }
        let fields = self.fields()?;
        let text = |name: &str| fields.text(name).map(str::to_owned);
        match interface {
            Interface::DepartmentListSub
            | Interface::DepartmentListSubId
            | Interface::DepartmentGet
            | Interface::DepartmentListParentByDept
            | Interface::UserList
            | Interface::UserListId => {
                let id = fields.whole("dept_id", Refusal::INVALID).ok()?;
                Some(About::Department(id.unwrap_or(crate::dingtalk::ROOT)))
            }
            Interface::DepartmentListParentByUser
            | Interface::UserGet
            | Interface::AttendanceColumnValues
            | Interface::LeaveTimes => text("userid").map(About::Member),
            Interface::AttendanceDay => Some(About::Day { member: text("userid")?, date: fields.date("work_date")? }),
            Interface::AttendanceResults => fields.members(fields.list("userIdList")?, "workDateFrom", "workDateTo"),
            Interface::AttendancePunches => fields.members(fields.list("userIds")?, "checkDateFrom", "checkDateTo"),
            Interface::LeaveStatus => {
                let date = |name: &str| fields.whole(name, Refusal::INVALID).ok().flatten().map(time::date);
                let members = fields.split("userid_list")?;
                Some(About::Members { members, from: date("start_time")?, to: date("end_time")? })
            }
            Interface::OldApproval => text("process_instance_id").map(About::Approval),
            Interface::OldApprovalIds => text("process_code").map(About::Template),
            Interface::ApprovalIds => text("processCode").map(About::Template),
            _ => None,
        }
    }
}

/// The members of a posted object.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// A text that is not empty.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A whole number, perhaps written as a text; `None` where there is nothing.
    pub(super) fn whole(self, name: &str, otherwise: Refusal) -> Result<Option<i64>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => number.as_i64().map(Some).ok_or(otherwise),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_error| otherwise),
            Some(_) => Err(otherwise),
        }
    }

    /// A whole number that has to be there.
    pub(super) fn needed(self, name: &str, otherwise: Refusal) -> Result<i64, Refusal> {
        self.whole(name, otherwise)?.ok_or(otherwise)
    }

    /// A whole number from 0 up to a limit that has to be there.
    pub(super) fn up_to(self, name: &str, most: usize, otherwise: Refusal) -> Result<usize, Refusal> {
        let number = self.needed(name, otherwise)?;
        usize::try_from(number).ok().filter(|number| *number <= most).ok_or(otherwise)
    }

    /// A date, perhaps with a time behind it: `yyyy-MM-dd`.
    pub(super) fn date(self, name: &str) -> Option<String> {
        self.moment(name).map(time::date)
    }

    /// A date with or without a time, Unix ms.
    pub(super) fn moment(self, name: &str) -> Option<i64> {
        self.text(name).and_then(time::parse)
    }

    /// A list of texts.
    pub(super) fn list(self, name: &str) -> Option<Vec<String>> {
        let Value::Array(texts) = self.0.get(name)? else { return None };
        texts.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// Texts with commas between them.
    pub(super) fn split(self, name: &str) -> Option<Vec<String>> {
        self.text(name).map(|text| text.split(',').map(str::to_owned).collect())
    }

    pub(super) fn flag(self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Bool(true))) || self.text(name) == Some("true")
    }

    fn members(self, members: Vec<String>, from: &str, to: &str) -> Option<About> {
        Some(About::Members { members, from: self.date(from)?, to: self.date(to)? })
    }
}

/// A posted object; nothing is an empty one.
fn object(body: &[u8]) -> Option<Map<String, Value>> {
    if body.is_empty() {
        return Some(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn form_fields(body: &[u8]) -> Map<String, Value> {
    let text = String::from_utf8_lossy(body).replace('+', "%20");
    let names = text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _value)| name);
    names.filter_map(|name| Some((name.to_owned(), Value::from(query::parameter(&text, name)?)))).collect()
}
