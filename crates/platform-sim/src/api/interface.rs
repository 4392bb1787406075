//! The interfaces of the API, and who may call which.

use std::fmt;

/// One interface of the API. It shows as its path below `/cgi-bin/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// A token for a secret.
    GetToken,
    /// Every member with each of its departments, as ids, in pages.
    UserListId,
    /// One member in full.
    UserGet,
    /// The members of a department by name.
    UserSimpleList,
    /// The members of a department in full.
    UserList,
    /// Whose a mobile number is.
    UserGetUserId,
    /// Whose an address is.
    UserIdByEmail,
    /// Departments as ids.
    DepartmentSimpleList,
    /// Departments in full.
    DepartmentList,
    /// One department in full.
    DepartmentGet,
    /// Creates a member.
    UserCreate,
    /// Changes a member.
    UserUpdate,
    /// Deletes a member.
    UserDelete,
    /// Creates a department.
    DepartmentCreate,
    /// Changes a department.
    DepartmentUpdate,
    /// Deletes a department.
    DepartmentDelete,
    /// The addresses that callbacks come from.
    GetCallbackIp,
    /// The addresses of the API.
    GetApiDomainIp,
}

/// What it takes to call an interface (reference wecom 0 and 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// A secret.
    Secret,
    /// Any token.
    AnyToken,
    /// The contact-sync secret.
    ContactOnly,
    /// An app, or the contact-sync secret from an address that it used of old.
    Details,
    /// The contact-sync secret, if it may write.
    Write,
}

impl Interface {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::GetToken,
        Self::UserListId,
        Self::UserGet,
        Self::UserSimpleList,
        Self::UserList,
        Self::UserGetUserId,
        Self::UserIdByEmail,
        Self::DepartmentSimpleList,
        Self::DepartmentList,
        Self::DepartmentGet,
        Self::UserCreate,
        Self::UserUpdate,
        Self::UserDelete,
        Self::DepartmentCreate,
        Self::DepartmentUpdate,
        Self::DepartmentDelete,
        Self::GetCallbackIp,
        Self::GetApiDomainIp,
    ];

    /// Its path below `/cgi-bin/`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::GetToken => "gettoken",
            Self::UserListId => "user/list_id",
            Self::UserGet => "user/get",
            Self::UserSimpleList => "user/simplelist",
            Self::UserList => "user/list",
            Self::UserGetUserId => "user/getuserid",
            Self::UserIdByEmail => "user/get_userid_by_email",
            Self::DepartmentSimpleList => "department/simplelist",
            Self::DepartmentList => "department/list",
            Self::DepartmentGet => "department/get",
            Self::UserCreate => "user/create",
            Self::UserUpdate => "user/update",
            Self::UserDelete => "user/delete",
            Self::DepartmentCreate => "department/create",
            Self::DepartmentUpdate => "department/update",
            Self::DepartmentDelete => "department/delete",
            Self::GetCallbackIp => "getcallbackip",
            Self::GetApiDomainIp => "get_api_domain_ip",
        }
    }

    /// The method that it is called with; deletions are GET (reference wecom 3.1).
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::UserListId
            | Self::UserGetUserId
            | Self::UserIdByEmail
            | Self::UserCreate
            | Self::UserUpdate
            | Self::DepartmentCreate
            | Self::DepartmentUpdate => "POST",
            _ => "GET",
        }
    }

    /// The interface of a request. What the real one does about a wrong method is not known; here there is nothing
    /// under that address then.
    pub(super) fn find(method: &str, path: &str) -> Option<Self> {
        let path = path.strip_prefix("/cgi-bin/")?;
        Self::ALL.into_iter().find(|interface| interface.path() == path && interface.method() == method)
    }

    pub(super) const fn access(self) -> Access {
        match self {
            Self::GetToken => Access::Secret,
            Self::GetCallbackIp | Self::GetApiDomainIp | Self::DepartmentSimpleList => Access::AnyToken,
            Self::UserListId => Access::ContactOnly,
            Self::UserGet
            | Self::UserSimpleList
            | Self::UserList
            | Self::UserGetUserId
            | Self::UserIdByEmail
            | Self::DepartmentList
            | Self::DepartmentGet => Access::Details,
            Self::UserCreate
            | Self::UserUpdate
            | Self::UserDelete
            | Self::DepartmentCreate
            | Self::DepartmentUpdate
            | Self::DepartmentDelete => Access::Write,
        }
    }

    /// The array that a failure carries too, empty (reference wecom 3.1 and 5.2).
    pub(super) const fn array(self) -> Option<&'static str> {
        match self {
            Self::UserListId => Some("dept_user"),
            Self::UserSimpleList | Self::UserList => Some("userlist"),
            Self::DepartmentSimpleList => Some("department_id"),
            Self::DepartmentList => Some("department"),
            Self::GetCallbackIp | Self::GetApiDomainIp => Some("ip_list"),
            _ => None,
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}
