//! The interfaces that are served, and how each is spoken to (reference dingtalk 4).

use std::fmt;

/// One interface of the API. It shows as its path without the leading slash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// A token by the old API.
    GetToken,
    /// A token by the new API.
    AccessToken,
    /// A token by the unified API, which names the organisation.
    UnifiedToken,
    /// The departments one level below a department.
    DepartmentListSub,
    /// Their ids.
    DepartmentListSubId,
    /// One department.
    DepartmentGet,
    /// A department and those above it.
    DepartmentListParentByDept,
    /// The same for each department of a member.
    DepartmentListParentByUser,
    /// One member.
    UserGet,
    /// The members directly in a department.
    UserList,
    /// Their ids.
    UserListId,
    /// The member who has a mobile number.
    UserGetByMobile,
    /// One member's day.
    AttendanceDay,
    /// Results of planned check points.
    AttendanceResults,
    /// Raw punches.
    AttendancePunches,
    /// The columns of the attendance report.
    AttendanceColumns,
    /// Values of columns of the attendance report.
    AttendanceColumnValues,
    /// Values of leave columns, which have no ids.
    LeaveTimes,
    /// Who is on leave when.
    LeaveStatus,
    /// The planned check points of a day.
    AttendanceSchedule,
    /// One approval by the old API.
    OldApproval,
    /// Ids of approvals by the old API.
    OldApprovalIds,
    /// One approval.
    Approval,
    /// Ids of approvals.
    ApprovalIds,
    /// Pushes that failed; a read removes what it returns.
    FailedPushes,
}

/// How an interface spells success and failure (reference dingtalk 4.1 and 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Old, below `/topapi/`: refusals of the platform's gate come wrapped as 88.
    Topapi,
    /// Old, elsewhere: codes are bare.
    Plain,
    /// New: HTTP statuses and words.
    New,
}

impl Interface {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::GetToken,
        Self::AccessToken,
        Self::UnifiedToken,
        Self::DepartmentListSub,
        Self::DepartmentListSubId,
        Self::DepartmentGet,
        Self::DepartmentListParentByDept,
        Self::DepartmentListParentByUser,
        Self::UserGet,
        Self::UserList,
        Self::UserListId,
        Self::UserGetByMobile,
        Self::AttendanceDay,
        Self::AttendanceResults,
        Self::AttendancePunches,
        Self::AttendanceColumns,
        Self::AttendanceColumnValues,
        Self::LeaveTimes,
        Self::LeaveStatus,
        Self::AttendanceSchedule,
        Self::OldApproval,
        Self::OldApprovalIds,
        Self::Approval,
        Self::ApprovalIds,
        Self::FailedPushes,
    ];

    /// Its path without the leading slash.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::GetToken => "gettoken",
            Self::AccessToken => "v1.0/oauth2/accessToken",
            Self::UnifiedToken => "v1.0/oauth2/{corpId}/token",
            Self::DepartmentListSub => "topapi/v2/department/listsub",
            Self::DepartmentListSubId => "topapi/v2/department/listsubid",
            Self::DepartmentGet => "topapi/v2/department/get",
            Self::DepartmentListParentByDept => "topapi/v2/department/listparentbydept",
            Self::DepartmentListParentByUser => "topapi/v2/department/listparentbyuser",
            Self::UserGet => "topapi/v2/user/get",
            Self::UserList => "topapi/v2/user/list",
            Self::UserListId => "topapi/user/listid",
            Self::UserGetByMobile => "topapi/v2/user/getbymobile",
            Self::AttendanceDay => "topapi/attendance/getupdatedata",
            Self::AttendanceResults => "attendance/list",
            Self::AttendancePunches => "attendance/listRecord",
            Self::AttendanceColumns => "topapi/attendance/getattcolumns",
            Self::AttendanceColumnValues => "topapi/attendance/getcolumnval",
            Self::LeaveTimes => "topapi/attendance/getleavetimebynames",
            Self::LeaveStatus => "topapi/attendance/getleavestatus",
            Self::AttendanceSchedule => "topapi/attendance/listschedule",
            Self::OldApproval => "topapi/processinstance/get",
            Self::OldApprovalIds => "topapi/processinstance/listids",
            Self::Approval => "v1.0/workflow/processInstances",
            Self::ApprovalIds => "v1.0/workflow/processes/instanceIds/query",
            Self::FailedPushes => "call_back/get_call_back_failed_result",
        }
    }

    /// The method that it is called with.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::GetToken | Self::Approval | Self::FailedPushes => "GET",
            _ => "POST",
        }
    }

    /// Whether its calls count towards the month's quota (reference dingtalk 5.1).
    #[must_use]
    pub const fn is_counted(self) -> bool {
        matches!(
            self,
            Self::AttendanceDay
                | Self::AttendanceResults
                | Self::AttendancePunches
                | Self::AttendanceColumns
                | Self::AttendanceColumnValues
                | Self::LeaveTimes
                | Self::LeaveStatus
                | Self::AttendanceSchedule
                | Self::OldApproval
                | Self::OldApprovalIds
                | Self::Approval
                | Self::ApprovalIds
        )
    }

    /// The interface of a request. A known path with another method is an unknown one.
    pub(super) fn find(method: &str, path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if method == "POST" && unified_corp(path).is_some() {
            return Some(Self::UnifiedToken);
        }
        Self::ALL.into_iter().find(|interface| interface.path() == path && interface.method() == method)
    }

    pub(super) fn style(self) -> Style {
        match self.path().split('/').next() {
            Some("topapi") => Style::Topapi,
            Some("v1.0") => Style::New,
            _ => Style::Plain,
        }
    }

    /// Whether it gives tokens, and so asks for none.
    pub(super) const fn is_token(self) -> bool {
        matches!(self, Self::GetToken | Self::AccessToken | Self::UnifiedToken)
    }

    /// The permission that an app needs for it, as refusals name it. Only that of approvals is from the reference.
    pub(super) const fn scope(self) -> &'static str {
        match self {
            Self::GetToken | Self::AccessToken | Self::UnifiedToken | Self::FailedPushes => "",
            Self::DepartmentListSub
            | Self::DepartmentListSubId
            | Self::DepartmentGet
            | Self::DepartmentListParentByDept
            | Self::DepartmentListParentByUser => "qyapi_get_department_list",
            Self::UserGet => "qyapi_get_member",
            Self::UserList | Self::UserListId => "qyapi_get_department_member",
            Self::UserGetByMobile => "qyapi_get_member_by_mobile",
            Self::AttendanceDay
            | Self::AttendanceResults
            | Self::AttendancePunches
            | Self::AttendanceColumns
            | Self::AttendanceColumnValues
            | Self::LeaveTimes
            | Self::LeaveStatus
            | Self::AttendanceSchedule => "qyapi_attendance_read",
            Self::OldApproval | Self::OldApprovalIds => "qyapi_aflow",
            Self::Approval | Self::ApprovalIds => "Workflow.Instance.Read",
        }
    }
}

/// The organisation that a path of the unified token API names.
pub(super) fn unified_corp(path: &str) -> Option<&str> {
    let corp = path.trim_start_matches('/').strip_prefix("v1.0/oauth2/")?.strip_suffix("/token")?;
    (!corp.is_empty() && !corp.contains('/')).then_some(corp)
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}
