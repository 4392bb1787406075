//! Departments and members as DingTalk keeps them (reference dingtalk 4.4 and 4.5).

use std::collections::BTreeMap;

/// A department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// Its id; the root's is 1.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The one above it; `None` for the root.
    pub parent: Option<i64>,
    /// Its place among its siblings; larger than 2^53.
    pub order: i64,
    /// User ids of its managers.
    pub managers: Vec<String>,
    /// Whether it is hidden from members (`hide_dept`); the API tells of it all the same.
    pub hidden: bool,
    /// Whether it is in the app's contact scope; else details are refused with 50004.
    pub in_scope: bool,
    /// From when the API knows it, Unix ms: an event may come before.
    pub readable_from_ms: i64,
}

/// A member's place in a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The department.
    pub department: i64,
    /// The place in its list; larger than 2^53.
    pub order: i64,
    /// Whether the member leads it.
    pub leader: bool,
}

/// A member. An empty text is a field without a value, which the API leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user id, unique in the company.
    pub userid: String,
    /// The id across companies.
    pub unionid: String,
    /// The name.
    pub name: String,
    /// The mobile number.
    pub mobile: String,
    /// The employee number.
    pub job_number: String,
    /// The position.
    pub title: String,
    /// The private mail address.
    pub email: String,
    /// The company's mail address.
    pub org_email: String,
    /// The extension.
    pub telephone: String,
    /// Where the member works.
    pub work_place: String,
    /// The remark.
    pub remark: String,
    /// The portrait's address.
    pub avatar: String,
    /// The direct superior; empty without one.
    pub manager: String,
    /// The departments, at least one; the order has no meaning.
    pub posts: Vec<Post>,
    /// Fields that the company defined: name and value.
    pub extension: BTreeMap<String, String>,
    /// When the member was hired, Unix ms.
    pub hired_ms: i64,
    /// Whether the member has joined.
    pub active: bool,
    /// Whether the member is an administrator.
    pub admin: bool,
    /// Whether the member is in the app's contact scope; else details are refused with 50002.
    pub in_scope: bool,
    /// From when the API knows the member, Unix ms: an event may come before.
    pub readable_from_ms: i64,
}

impl Member {
    /// The ids of the departments, in the order of the posts.
    pub fn departments(&self) -> impl Iterator<Item = i64> + '_ {
        self.posts.iter().map(|post| post.department)
    }
}
