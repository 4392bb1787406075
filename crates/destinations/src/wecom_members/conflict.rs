//! Members who are there already: who they are, and what is done about them.

use common::{Field, Fields};
use wecom::api::{Answer, ApiError, Code, Meaning, Member};

use super::{
    WecomMembers,
    failure::{Doing, failed, is_blind, said},
    request::Request,
};
use crate::{How, OnConflict, Written, Wrote};

impl WecomMembers {
    /// The platform says that somebody has the id that is asked for.
    pub(super) async fn id_is_taken(&self, request: &Request, may_be_there: bool) -> Wrote {
        match self.client.member(request.user_id()).await {
            Ok(found) => self.is_there(request, found, may_be_there).await,
            Err(error) if is_blind(&error) => self.is_there_unseen(request, may_be_there),
            Err(error) => unseen(&error),
        }
    }

    /// This member has the id that is asked for.
    pub(super) async fn is_there(&self, request: &Request, found: Answer<Member>, may_be_there: bool) -> Wrote {
        if !request.is_for(&found.value.fields) {
            return refused("userid", "somebody else has this id");
        }
        if may_be_there {
            return created_before(request, found);
        }
        self.take(request, found, Code::ID_TAKEN).await
    }

    /// Somebody has the id, and no app of ours sees who.
    fn is_there_unseen(&self, request: &Request, may_be_there: bool) -> Wrote {
        match self.on_conflict {
            OnConflict::Link => Wrote::There(Written {
                id: request.user_id().to_owned(),
                how: How::Linked,
                at: None,
                fields: Fields::new(),
                made_departments: Vec::new(),
            }),
            OnConflict::Update | OnConflict::Reject if may_be_there => refused(
                "userid",
                "somebody has this id, perhaps by an attempt that was not answered, and no app sees who",
            ),
            OnConflict::Update | OnConflict::Reject => refused("userid", "somebody has this id, and no app sees who"),
        }
    }

    /// The platform says that somebody has the number or the address that is asked for.
    pub(super) async fn contact_is_taken(&self, request: &Request, code: Code, may_be_there: bool) -> Wrote {
        if may_be_there {
            match self.client.member(request.user_id()).await {
                // Ours, which the platform found by the number first.
                Ok(found) if request.is_for(&found.value.fields) => return created_before(request, found),
                Err(error) if !is_blind(&error) => return unseen(&error),
                Ok(_) | Err(_) => {}
            }
        }
        let conflict = || Wrote::Rejected { field: code.field().unwrap_or_default(), reason: said(code) };
        if self.on_conflict == OnConflict::Reject {
            return conflict();
        }
        let holder = match self.holder(request, code).await {
            Ok(holder) => holder,
            Err(error) if may_pass(&error) => return unseen(&error),
            Err(_) => return conflict(),
        };
        match self.client.member(&holder).await {
            Ok(found) if request.has_name_of(&found.value.fields) => self.take(request, found, code).await,
            Err(error) if may_pass(&error) => unseen(&error),
            Ok(_) | Err(_) => conflict(),
        }
    }

    async fn holder(&self, request: &Request, code: Code) -> Result<String, ApiError> {
        let holder = if code == Code::MOBILE_TAKEN {
            self.client.holder_of_mobile(request.text("mobile")).await
        } else {
            self.client.holder_of_email(request.text("email")).await
        };
        holder.map(|answer| answer.value)
    }

    /// This member is the person who is asked for, and was not made by us. `code` is what the platform says of it.
    async fn take(&self, request: &Request, found: Answer<Member>, code: Code) -> Wrote {
        let Answer { asked_at, value: member } = found;
        match self.on_conflict {
            OnConflict::Link => Wrote::There(Written {
                id: member.id,
                how: How::Linked,
                at: Some(asked_at),
                fields: Fields::new(),
                made_departments: Vec::new(),
            }),
            OnConflict::Update => self.update(request, member.id).await,
            OnConflict::Reject => refused(code.field().unwrap_or_default(), &said(code)),
        }
    }

    async fn update(&self, request: &Request, id: String) -> Wrote {
        match self.client.update_member(&request.as_update_of(&id)).await {
            Ok(updated) => {
                let mut fields = request.shown();
                // Of a member who has activated the account neither changes, and the platform does not say so.
                fields.remove(Field::Mobile);
                fields.remove(Field::Status);
                let at = Some(updated.value);
                Wrote::There(Written { id, how: How::Updated, at, fields, made_departments: Vec::new() })
            }
            // Once more does no harm.
            Err(error) => failed(&error, Doing::Looking),
        }
    }
}

/// An earlier attempt of ours made it, and nobody heard the answer.
fn created_before(request: &Request, found: Answer<Member>) -> Wrote {
    let mut fields = request.shown();
    // What was changed since stays so.
    fields.merge(found.value.details());
    Wrote::There(Written {
        id: found.value.id,
        how: How::CreatedBefore,
        at: Some(found.asked_at),
        fields,
        made_departments: Vec::new(),
    })
}

/// Who is there already could not be looked at. That says nothing of others, who are created with another secret.
fn unseen(error: &ApiError) -> Wrote {
    match failed(error, Doing::Looking) {
        Wrote::Stopped { unavailable, needs_person: true } => {
            Wrote::Retry { reason: unavailable.reason, after: unavailable.after }
        }
        other => other,
    }
}

fn refused(field: &'static str, reason: &str) -> Wrote {
    Wrote::Rejected { field, reason: reason.to_owned() }
}

/// Whether the same look brings more in a moment. One that the platform blocks for a day does not: a person sees who it is.
fn may_pass(error: &ApiError) -> bool {
    matches!(error, ApiError::Transport { .. }) || error.meaning() == Some(Meaning::Retry)
}
