//! WeCom itself, for new hires: each onboarding request makes one member (reference wecom 3.4; jiandaoyun 12.3 and 12.4).
//!
//! The platform has the last word on whether an id, a number or an address is free. Where it is not, who has it is looked at, and nobody is
//! taken for somebody else. WeCom tells nobody of what we write there: that is left to the caller, who gets what the member is now.

mod conflict;
mod failure;
mod request;

use async_trait::async_trait;
use common::{Action, Change, EntityKind};
use wecom::api::{ApiError, Client, Code};

use crate::{How, Members, OnConflict, Unavailable, Written, Wrote};
use failure::{Doing, failed, is_blind, unavailable};
use request::Request;

/// Writes members with a tenant's contact-sync secret, and looks at those who are there already with the secret of its app.
pub struct WecomMembers {
    client: Client,
    on_conflict: OnConflict,
    checks_ids: bool,
}

impl WecomMembers {
    /// With the client of the tenant's company. `checks_ids`: whoever is there already is looked for before anybody is written.
    pub const fn new(client: Client, on_conflict: OnConflict, checks_ids: bool) -> Self {
        Self { client, on_conflict, checks_ids }
    }

    async fn create(&self, request: &Request, may_be_there: bool) -> Wrote {
        match self.client.create_member(request.fields()).await {
            Ok(created) => Wrote::There(Written {
                id: request.user_id().to_owned(),
                how: How::Created,
                at: Some(created.value.answered_at),
                fields: request.shown(),
                made_departments: created.value.made_departments.rows,
            }),
            Err(ApiError::Answered { code: Code::ID_TAKEN, .. }) => self.id_is_taken(request, may_be_there).await,
            Err(ApiError::Answered { code: code @ (Code::MOBILE_TAKEN | Code::EMAIL_TAKEN), .. }) => {
                self.contact_is_taken(request, code, may_be_there).await
            }
            Err(error) => failed(&error, Doing::Writing),
        }
    }
}

#[async_trait]
impl Members for WecomMembers {
    fn takes(&self, change: &Change) -> bool {
        change.kind() == EntityKind::Onboarding && matches!(change.action, Action::Upsert { .. })
    }

    async fn write(&self, change: &Change, may_be_there: bool) -> Wrote {
        let Some(request) = Request::of(change) else {
            return Wrote::Rejected { field: "", reason: "the request cannot be read, or names no user id".to_owned() };
        };
        if self.checks_ids {
            match self.client.member(request.user_id()).await {
                Ok(found) => return self.is_there(&request, found, may_be_there).await,
                // Nobody has the id, or whoever has it cannot be seen: the creation tells.
                Err(error) if is_blind(&error) => {}
                Err(error) => return failed(&error, Doing::Looking),
            }
        }
        self.create(&request, may_be_there).await
    }

    /// Asks for something that every token may read.
    async fn probe(&self) -> Result<(), Unavailable> {
        match self.client.callback_addresses().await {
            Ok(_) | Err(ApiError::Incomplete { .. }) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }
}
