//! Why a value cannot be sent.

use serde::{Serialize, Serializer};

/// Why a field of a record is not what the platform takes (reference jiandaoyun 12.2, wecom 3.4). It never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// There is no value, and one is needed.
    #[error("there is no value")]
    Missing,
    /// Not a mobile number.
    #[error("this is no mobile number")]
    NoMobile,
    /// Not an e-mail address.
    #[error("this is no e-mail address")]
    NoEmail,
    /// Not a user id.
    #[error("this is no user id: letters, digits, _ - @ . and the first a letter or digit, at most 64")]
    NoUserid,
    /// Not the id of a department.
    #[error("this is no id of a department; names need a lookup")]
    NoDepartment,
    /// The main department is none of the member's.
    #[error("the main department is none of the departments")]
    NotInDepartments,
    /// A list that needs one value for each department has another length.
    #[error("there must be as many as there are departments")]
    NotAsManyAsDepartments,
    /// Not a gender.
    #[error("this is no gender")]
    NoGender,
    /// Not a telephone number.
    #[error("this is no telephone number: digits, - + and commas, at most 32")]
    NoTelephone,
    /// Neither yes nor no.
    #[error("this is neither yes nor no")]
    NoFlag,
    /// Not a whole number.
    #[error("this is no whole number")]
    NoNumber,
    /// Not a date.
    #[error("this is no date")]
    NoDate,
    /// Not an extended attribute.
    #[error("this is no list of extended attributes")]
    NoAttributes,
    /// A text that is too short or too long.
    #[error("must have {least} to {most} {unit}")]
    Length {
        /// The least length.
        least: usize,
        /// The greatest length.
        most: usize,
        /// What is counted: `characters` or `bytes`.
        unit: &'static str,
    },
    /// Too many values.
    #[error("there may be {most} at most")]
    TooMany {
        /// So many are taken.
        most: usize,
    },
    /// Not one of the values that the mapping allows.
    #[error("this is none of the allowed values")]
    NotOneOf,
    /// Not in the mapping's table.
    #[error("this is not in the lookup table")]
    NotInTable,
    /// A kind of value that cannot be sent: a file, a row of a sub-form, a link.
    #[error("a value of this kind cannot be sent")]
    NotUsable,
    /// The platform takes nobody without both.
    #[error("there is neither a mobile number nor an e-mail address")]
    NeitherMobileNorEmail,
}

impl Reason {
    /// The word in tables and lists.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NoMobile => "no_mobile",
            Self::NoEmail => "no_email",
            Self::NoUserid => "no_userid",
            Self::NoDepartment => "no_department",
            Self::NotInDepartments => "not_in_departments",
            Self::NotAsManyAsDepartments => "not_as_many_as_departments",
            Self::NoGender => "no_gender",
            Self::NoTelephone => "no_telephone",
            Self::NoFlag => "no_flag",
            Self::NoNumber => "no_number",
            Self::NoDate => "no_date",
            Self::NoAttributes => "no_attributes",
            Self::Length { .. } => "length",
            Self::TooMany { .. } => "too_many",
            Self::NotOneOf => "not_one_of",
            Self::NotInTable => "not_in_table",
            Self::NotUsable => "not_usable",
            Self::NeitherMobileNorEmail => "neither_mobile_nor_email",
        }
    }
}

/// As its word.
impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
