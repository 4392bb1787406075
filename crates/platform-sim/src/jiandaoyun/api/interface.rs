//! The interfaces that are served, and where they are (reference jiandaoyun 1).

use std::fmt;

use crate::jiandaoyun::FormId;

/// One interface of the data API. It shows as its path below `/api/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// Applications.
    AppList,
    /// Forms of an application.
    FormList,
    /// Fields of a form.
    WidgetList,
    /// Many records.
    DataList,
    /// One record.
    DataGet,
    /// Creates a record.
    DataCreate,
    /// Changes a record.
    DataUpdate,
    /// Deletes a record.
    DataDelete,
    /// Creates many records.
    DataBatchCreate,
    /// Changes many records.
    DataBatchUpdate,
    /// Deletes many records.
    DataBatchDelete,
    /// Many records by the old route with the ids in its path.
    OldDataList,
    /// One record by the old route.
    OldDataGet,
    /// Fields of a form by the old route.
    OldWidgetList,
}

/// Which limit an interface has (reference jiandaoyun 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    Read,
    Write,
    Batch,
    Old,
}

impl Interface {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::AppList,
        Self::FormList,
        Self::WidgetList,
        Self::DataList,
        Self::DataGet,
        Self::DataCreate,
        Self::DataUpdate,
        Self::DataDelete,
        Self::DataBatchCreate,
        Self::DataBatchUpdate,
        Self::DataBatchDelete,
        Self::OldDataList,
        Self::OldDataGet,
        Self::OldWidgetList,
    ];

    /// Its path below `/api/`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::AppList => "v5/app/list",
            Self::FormList => "v5/app/entry/list",
            Self::WidgetList => "v5/app/entry/widget/list",
            Self::DataList => "v5/app/entry/data/list",
            Self::DataGet => "v5/app/entry/data/get",
            Self::DataCreate => "v5/app/entry/data/create",
            Self::DataUpdate => "v5/app/entry/data/update",
            Self::DataDelete => "v5/app/entry/data/delete",
            Self::DataBatchCreate => "v5/app/entry/data/batch_create",
            Self::DataBatchUpdate => "v5/app/entry/data/batch_update",
            Self::DataBatchDelete => "v5/app/entry/data/batch_delete",
            Self::OldDataList => "{v1,v2,v4}/app/{app_id}/entry/{entry_id}/data",
            Self::OldDataGet => "{v1,v2,v4}/app/{app_id}/entry/{entry_id}/data_retrieve",
            Self::OldWidgetList => "{v1,v2,v4}/app/{app_id}/entry/{entry_id}/widgets",
        }
    }

    pub(super) const fn pace(self) -> Pace {
        match self {
            Self::AppList | Self::FormList | Self::WidgetList | Self::DataList | Self::DataGet => Pace::Read,
            Self::DataCreate | Self::DataUpdate | Self::DataDelete => Pace::Write,
            Self::DataBatchCreate | Self::DataBatchUpdate | Self::DataBatchDelete => Pace::Batch,
            Self::OldDataList | Self::OldDataGet | Self::OldWidgetList => Pace::Old,
        }
    }

    /// Whether it answers pages of records.
    pub(super) const fn is_paged(self) -> bool {
        matches!(self, Self::DataList | Self::OldDataList)
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) interface: Interface,
    /// The form, where the path names it.
    pub(super) form: Option<FormId>,
    /// Whether rows of sub-forms have ids: since version 2.
    pub(super) has_row_ids: bool,
}

impl Route {
    /// The route of a request. Everything is posted; what the real one says to another method is not known, and here
    /// there is nothing then.
    pub(super) fn find(method: &str, path: &str) -> Option<Self> {
        let path = path.strip_prefix("/api/").filter(|_path| method == "POST")?;
        if let Some(interface) = Interface::ALL.into_iter().find(|interface| interface.path() == path) {
            return Some(Self { interface, form: None, has_row_ids: true });
        }
        let parts: Vec<&str> = path.split('/').collect();
        let [version @ ("v1" | "v2" | "v4"), "app", app, "entry", entry, what] = parts.as_slice() else {
            return None;
        };
        let interface = match *what {
            "data" => Interface::OldDataList,
            "data_retrieve" => Interface::OldDataGet,
            "widgets" => Interface::OldWidgetList,
            _ => return None,
        };
        Some(Self { interface, form: Some(FormId::new(app, entry)), has_row_ids: *version != "v1" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_routed_by_path_and_only_if_they_are_posted() {
        let find = |method, path| Route::find(method, path).map(|route| route.interface);
        assert_eq!(find("POST", "/api/v5/app/entry/data/list"), Some(Interface::DataList));
        assert_eq!(find("GET", "/api/v5/app/entry/data/list"), None);
        assert_eq!(find("POST", "/v5/app/entry/data/list"), None);
        assert_eq!(find("POST", "/api/v5/app/entry/data/move"), None);
        let old = Route::find("POST", "/api/v2/app/a/entry/b/data").expect("a route");
        let expected =
            Route { interface: Interface::OldDataList, form: Some(FormId::new("a", "b")), has_row_ids: true };
        assert_eq!(old, expected);
        assert_eq!(find("POST", "/api/v1/app/a/entry/b/data_retrieve"), Some(Interface::OldDataGet));
        assert_eq!(find("POST", "/api/v3/app/a/entry/b/data"), None);
        assert_eq!(find("POST", "/api/v4/app/a/entry/b/data/c"), None);
    }
}
