//! Forms and their widgets (reference jiandaoyun 4 and 7).

use std::fmt;

/// Which form: ids of 24 hexadecimal digits. It shows as `app/entry`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormId {
    /// The application.
    pub app: String,
    /// The form in it.
    pub entry: String,
}

impl FormId {
    /// The form of those ids.
    #[must_use]
    pub fn new(app: &str, entry: &str) -> Self {
        Self { app: app.to_owned(), entry: entry.to_owned() }
    }
}

impl fmt::Display for FormId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.entry)
    }
}

/// What a widget holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the types of reference jiandaoyun 7 under their names")]
pub enum Kind {
    Text,
    Textarea,
    Number,
    Datetime,
    Radio,
    Combo,
    Checkboxes,
    ComboCheck,
    Address,
    Location,
    Phone,
    User,
    UserGroup,
    Dept,
    DeptGroup,
    Image,
    Upload,
    Signature,
    Subform,
    LinkData,
    Lookup,
    Sn,
    Aggregation,
    Richtext,
    /// A type that the reference does not describe.
    Other(&'static str),
}

impl Kind {
    /// The platform's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Textarea => "textarea",
            Self::Number => "number",
            Self::Datetime => "datetime",
            Self::Radio => "radiogroup",
            Self::Combo => "combo",
            Self::Checkboxes => "checkboxgroup",
            Self::ComboCheck => "combocheck",
            Self::Address => "address",
            Self::Location => "location",
            Self::Phone => "phone",
            Self::User => "user",
            Self::UserGroup => "usergroup",
            Self::Dept => "dept",
            Self::DeptGroup => "deptgroup",
            Self::Image => "image",
            Self::Upload => "upload",
            Self::Signature => "signature",
            Self::Subform => "subform",
            Self::LinkData => "linkdata",
            Self::Lookup => "lookup",
            Self::Sn => "sn",
            Self::Aggregation => "aggregation",
            Self::Richtext => "richtext",
            Self::Other(name) => name,
        }
    }
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widget {
    /// Its id, `_widget_` and digits, which never changes.
    pub id: String,
    /// The alias that the form's owner gave it: the id is not seen any more then.
    pub alias: Option<String>,
    /// What people see; may repeat.
    pub label: String,
    /// What it holds.
    pub kind: Kind,
    /// The fields of a sub-form.
    pub items: Vec<Widget>,
}

impl Widget {
    /// One without an alias.
    #[must_use]
    pub fn new(id: &str, kind: Kind, label: &str) -> Self {
        Self { id: id.to_owned(), alias: None, label: label.to_owned(), kind, items: Vec::new() }
    }

    /// The same with an alias.
    #[must_use]
    pub fn alias(self, alias: &str) -> Self {
        Self { alias: Some(alias.to_owned()), ..self }
    }

    /// The same with fields of a sub-form.
    #[must_use]
    pub fn items(self, items: Vec<Self>) -> Self {
        Self { items, ..self }
    }

    /// The key under which it is read, filtered and pushed.
    #[must_use]
    pub fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.id)
    }

    /// Whether somebody means it by that id or alias.
    pub(in crate::jiandaoyun) fn is_called(&self, name: &str) -> bool {
        self.id == name || self.alias.as_deref() == Some(name)
    }
}

/// A form that is to be.
#[derive(Clone, Debug)]
pub struct NewForm {
    /// Its ids.
    pub id: FormId,
    /// What people see.
    pub name: String,
    /// Whether records go through a workflow; else they have no flow state.
    pub workflow: bool,
    /// Whether what people do raises pushes.
    pub pushes: bool,
    /// Its fields.
    pub widgets: Vec<Widget>,
}

impl NewForm {
    /// One with a workflow and pushes.
    #[must_use]
    pub fn workflow(id: FormId, name: &str, widgets: Vec<Widget>) -> Self {
        Self { id, name: name.to_owned(), workflow: true, pushes: true, widgets }
    }
}
