//! What an identity sees of a company (reference wecom 3.4 and 3.7).

use super::options::{App, Era, Outside, Scope};
use super::refusal::Refusal;
use super::{ApiOptions, Identity, chance};
use crate::Member;
use crate::tree::Tree;

/// The eyes of one identity.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    app: Option<&'a App>,
    pub(super) options: &'a ApiOptions,
}

impl<'a> View<'a> {
    pub(super) fn of(identity: Identity, options: &'a ApiOptions) -> Self {
        let app = match identity {
            Identity::Contact => None,
            Identity::App(agent) => options.app(agent),
        };
        Self { app, options }
    }

    /// `None` where everything is seen.
    fn scope(self) -> Option<&'a Scope> {
        self.app.map(|app| &app.scope).filter(|scope| !scope.is_everything())
    }

    pub(super) fn sees_department(self, tree: &Tree, id: &str) -> bool {
        let Some(scope) = self.scope() else { return true };
        let mut current = Some(id);
        while let Some(id) = current {
            if scope.departments.contains(id) {
                return true;
            }
            current = tree.get(id).and_then(|department| department.parent.as_deref());
        }
        false
    }

    /// `key` is the member's folded id.
    pub(super) fn sees_member(self, tree: &Tree, key: &str, member: &Member) -> bool {
        let Some(scope) = self.scope() else { return true };
        scope.members.contains(key) || member.departments.iter().any(|id| self.sees_department(tree, id))
    }

    /// Whether mobile number, mail address, gender and the like are kept from it.
    pub(super) fn is_restricted(self) -> bool {
        self.app.is_some_and(|app| app.era == Era::New)
    }

    /// The refusal about a department that does not exist or is not seen.
    pub(super) fn no_department(self, id: &str) -> Refusal {
        self.nothing(60003, id)
    }

    /// The refusal about a member that does not exist or is not seen.
    pub(super) fn no_member(self, id: &str) -> Refusal {
        self.nothing(60111, id)
    }

    /// Who does not see everything may be told the same about what is outside as about what does not exist.
    fn nothing(self, not_found: i64, id: &str) -> Refusal {
        let hides = self.scope().is_some()
            && match self.options.outside {
                Outside::NoPrivilege => true,
                Outside::NotFound => false,
                Outside::Either => chance::hash(self.options.seed, id).is_multiple_of(2),
            };
        Refusal::of(if hides { 60011 } else { not_found })
    }
}
