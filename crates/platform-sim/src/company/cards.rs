//! What the API tells of members and departments and no callback of this simulator does (reference wecom 3.3 and 3.4).

use std::collections::BTreeMap;

use super::Company;
use crate::fold;

/// What the API keeps of a member beside [`crate::Member`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) alias: String,
    pub(crate) telephone: String,
    pub(crate) address: String,
    pub(crate) biz_mail: String,
    /// The member's sort value in each department where it is not 0.
    pub(crate) orders: BTreeMap<String, u64>,
}

impl Company {
    pub(crate) fn card(&self, member: &str) -> Option<&Card> {
        self.cards.get(&fold(member))
    }

    /// A member's card; an empty one where there was none.
    pub(crate) fn card_mut(&mut self, member: &str) -> &mut Card {
        self.cards.entry(fold(member)).or_default()
    }

    /// The folded id of the member with that business mail address.
    pub(crate) fn holder_of_biz_mail(&self, address: &str) -> Option<&str> {
        let mut cards = self.cards.iter();
        cards.find(|(_id, card)| card.biz_mail.eq_ignore_ascii_case(address)).map(|(id, _card)| id.as_str())
    }

    /// Gives a card to the member's new id, or away.
    pub(super) fn hand_card_over(&mut self, member: &str, new_id: Option<&str>) {
        let card = self.cards.remove(&fold(member));
        if let (Some(card), Some(new_id)) = (card, new_id) {
            self.cards.insert(fold(new_id), card);
        }
    }

    /// A department's English name, empty if it has none.
    pub(crate) fn name_en(&self, department: &str) -> &str {
        self.names_en.get(department).map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn set_name_en(&mut self, department: &str, name: &str) {
        self.names_en.insert(department.to_owned(), name.to_owned());
    }
}
