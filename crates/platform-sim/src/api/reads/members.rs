//! Members (reference wecom 3.4), with the fields that an identity may see (3.7).

use serde::Serialize;

use super::{departments, number};
use crate::api::refusal::Refusal;
use crate::api::reply::good;
use crate::api::request::Input;
use crate::api::view::View;
use crate::{Company, Member, fold};

#[derive(Serialize)]
struct Row<'a> {
    userid: &'a str,
    name: &'a str,
    department: Vec<u64>,
    order: Vec<u64>,
    position: &'a str,
    is_leader_in_dept: Vec<u8>,
    direct_leader: Vec<&'a str>,
    telephone: &'a str,
    alias: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    main_department: Option<u64>,
    extattr: Attributes<'a>,
    status: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<String>,
    #[serde(flatten)]
    personal: Option<Personal<'a>>,
}

/// What apps of today do not get.
#[derive(Serialize)]
struct Personal<'a> {
    mobile: &'a str,
    email: &'a str,
    biz_mail: &'a str,
    address: &'a str,
    avatar: &'a str,
    thumb_avatar: &'a str,
    qr_code: &'a str,
}

#[derive(Serialize)]
struct Attributes<'a> {
    attrs: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
struct Attribute<'a> {
    #[serde(rename = "type")]
    kind: u8,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web: Option<Web<'a>>,
}

#[derive(Serialize)]
struct Text<'a> {
    value: &'a str,
}

#[derive(Serialize)]
struct Web<'a> {
    url: &'a str,
    title: &'a str,
}

#[derive(Serialize)]
struct SimpleRow<'a> {
    userid: &'a str,
    name: &'a str,
    department: Vec<u64>,
}

#[derive(Serialize)]
struct Members<T> {
    userlist: Vec<T>,
}

/// Whose a mobile number or an address is, by the field that it is asked for with.
pub(in crate::api) fn holder(
    company: &mut Company,
    view: View<'_>,
    input: &Input<'_>,
    field: &str,
) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct Holder<'a> {
        userid: &'a str,
    }
    let contact = input.body()?.text(field)?.ok_or_else(|| Refusal::of(40063))?;
    let holder = company.holder_of(contact).cloned().ok_or_else(|| Refusal::of(46004))?;
    if !view.sees_member(company.tree(), &fold(&holder.id), &holder) {
        return Err(view.no_member(&holder.id));
    }
    good("ok", Holder { userid: &holder.id })
}

pub(in crate::api) fn get(company: &Company, view: View<'_>, input: &Input<'_>) -> Result<Vec<u8>, Refusal> {
    let id = input.parameter("userid").ok_or_else(|| Refusal::of(41009))?;
    let seen = |member: &&Member| view.sees_member(company.tree(), &fold(&id), member);
    let member = company.member(&id).filter(seen).ok_or_else(|| view.no_member(&id))?;
    good("ok", row(company, view, member))
}

pub(in crate::api) fn list(company: &Company, view: View<'_>, input: &Input<'_>) -> Result<Vec<u8>, Refusal> {
    let members = within(company, view, input)?;
    let userlist: Vec<Row<'_>> = members.into_iter().map(|member| row(company, view, member)).collect();
    let body = good("ok", Members { userlist })?;
    let is_too_large = view.options.list_bytes.is_some_and(|most| body.len() > most);
    if is_too_large { Err(Refusal::of(45029)) } else { Ok(body) }
}

pub(in crate::api) fn simple_list(company: &Company, view: View<'_>, input: &Input<'_>) -> Result<Vec<u8>, Refusal> {
    let members = within(company, view, input)?;
    let userlist: Vec<SimpleRow<'_>> = members.into_iter().map(|member| simple_row(company, view, member)).collect();
    good("ok", Members { userlist })
}

/// The direct members of the department that is asked about. Those below it never come along, whatever `fetch_child`
/// says.
fn within<'a>(company: &'a Company, view: View<'_>, input: &Input<'_>) -> Result<Vec<&'a Member>, Refusal> {
    let id = input.parameter("department_id").ok_or_else(|| Refusal::of(41019))?;
    let department = departments::visible(company, view, &id)?;
    Ok(company.roster().members_of(&department.id).iter().filter_map(|member| company.member(member)).collect())
}

/// The departments of a member that are seen, as numbers and as ids.
fn placement<'a>(company: &Company, view: View<'_>, member: &'a Member) -> (Vec<u64>, Vec<&'a String>) {
    let seen = member.departments.iter().filter(|id| view.sees_department(company.tree(), id));
    let ids: Vec<&String> = seen.collect();
    (ids.iter().map(|id| number(id)).collect(), ids)
}

fn simple_row<'a>(company: &Company, view: View<'_>, member: &'a Member) -> SimpleRow<'a> {
    let (department, _ids) = placement(company, view, member);
    SimpleRow { userid: &member.id, name: &member.name, department }
}

fn row<'a>(company: &'a Company, view: View<'_>, member: &'a Member) -> Row<'a> {
    let (department, ids) = placement(company, view, member);
    let card = company.card(&member.id);
    let leaders = member
        .leaders
        .iter()
        .filter(|id| company.member(id).is_some_and(|leader| view.sees_member(company.tree(), &fold(id), leader)));
    let restricted = view.is_restricted();
    let gender = if restricted { view.options.hidden_gender_as_zero.then_some(0) } else { Some(member.gender.code()) };
    Row {
        userid: &member.id,
        name: &member.name,
        department,
        order: ids.iter().map(|id| card.and_then(|card| card.orders.get(*id)).copied().unwrap_or_default()).collect(),
        position: &member.title,
        is_leader_in_dept: ids.iter().map(|id| u8::from(member.leads.contains(id))).collect(),
        direct_leader: leaders.map(String::as_str).collect(),
        telephone: card.map(|card| card.telephone.as_str()).unwrap_or_default(),
        alias: card.map(|card| card.alias.as_str()).unwrap_or_default(),
        main_department: member.main_department.as_deref().map(number),
        extattr: Attributes { attrs: member.attributes.iter().map(attribute).collect() },
        status: member.status.code(),
        gender: gender.map(|code| code.to_string()),
        personal: (!restricted).then(|| Personal {
            mobile: &member.mobile,
            email: &member.email,
            biz_mail: card.map(|card| card.biz_mail.as_str()).unwrap_or_default(),
            address: card.map(|card| card.address.as_str()).unwrap_or_default(),
            avatar: "",
            thumb_avatar: "",
            qr_code: "",
        }),
    }
}

/// An address of the web is told as one, without a title.
fn attribute<'a>((name, value): (&'a String, &'a String)) -> Attribute<'a> {
    let is_web = value.starts_with("http://") || value.starts_with("https://");
    Attribute {
        kind: u8::from(is_web),
        name,
        text: (!is_web).then_some(Text { value }),
        web: is_web.then_some(Web { url: value, title: "" }),
    }
}
