//! What was agreed to is corrected by another instance (reference dingtalk 4.6).

use super::super::events::Event;
use super::{BizAction, Company, Illegal, Matter};

impl Company {
    /// Asks for what was agreed to to be taken back. The new instance has to be decided like any other.
    ///
    /// # Errors
    /// [`Illegal`] if it does not exist or was not agreed to.
    pub fn revoke(&mut self, id: &str) -> Result<(String, Vec<Event>), Illegal> {
        let (main, originator, matter) = self.agreed(id)?;
        self.start(&originator, matter, Some((BizAction::Revoke, main)))
    }

    /// Asks for something else in place of what was agreed to. The new instance has to be decided like any other.
    ///
    /// # Errors
    /// [`Illegal`] if it does not exist or was not agreed to, or for the reasons of a new one.
    pub fn modify(&mut self, id: &str, matter: Matter) -> Result<(String, Vec<Event>), Illegal> {
        let (main, originator, _matter) = self.agreed(id)?;
        self.start(&originator, matter, Some((BizAction::Modify, main)))
    }

    /// The main instance of one that was agreed to, who started it, and its matter.
    fn agreed(&mut self, id: &str) -> Result<(String, String, Matter), Illegal> {
        let instance = self.known(id)?;
        if !instance.is_agreed() {
            return Err(Illegal::NotAgreed(id.to_owned()));
        }
        let main = instance.main.clone().unwrap_or_else(|| id.to_owned());
        Ok((main, instance.originator.clone(), instance.matter.clone()))
    }
}
