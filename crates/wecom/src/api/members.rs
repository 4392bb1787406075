//! Reading members (reference wecom 3.4).

use common::EntityKey;
use serde::Deserialize;

use super::{
    Answer, ApiError, Client, Rows,
    answer::RawRows,
    call::Call,
    client::Identity,
    member::{Member, Told},
};

impl Client {
    /// One member in full (`user/get`), with those of its departments that the app sees: see [`Member::details`].
    ///
    /// # Errors
    /// [`ApiError::Unreadable`] without the secret of an app; [`Kind::NotFound`](super::Kind::NotFound) when there is
    /// no such member or the app does not see it; see [`ApiError`].
    pub async fn member(&self, id: &str) -> Result<Answer<Member>, ApiError> {
        let received = self.read(Identity::Agent, Call::one("user/get").with("userid", id)).await?;
        let answer = received.content::<Told>()?.map(Told::into_member);
        // An answer is about who was asked for, and never about its successor.
        let is_meant = |member: &Member| EntityKey::member(&member.id) == EntityKey::member(id);
        let member = answer.value.filter(is_meant).ok_or_else(|| received.incomplete())?;
        Ok(Answer { asked_at: answer.asked_at, value: member })
    }

    /// The members that are in this department itself, in full (`user/list`). Of a department with very many the answer
    /// may be too large: [`Kind::TooLarge`](super::Kind::TooLarge).
    ///
    /// # Errors
    /// [`ApiError::Unreadable`] without the secret of an app; see [`ApiError`].
    pub async fn members(&self, department: &str) -> Result<Answer<Rows<Member>>, ApiError> {
        self.list_members("user/list", department).await
    }

    /// The members that are in this department itself, with their names (`user/simplelist`).
    ///
    /// # Errors
    /// [`ApiError::Unreadable`] without the secret of an app; see [`ApiError`].
    pub async fn member_names(&self, department: &str) -> Result<Answer<Rows<Member>>, ApiError> {
        self.list_members("user/simplelist", department).await
    }

    async fn list_members(&self, api: &'static str, department: &str) -> Result<Answer<Rows<Member>>, ApiError> {
        let received = self.read(Identity::Agent, Call::list(api).with("department_id", department)).await?;
        Ok(received.content::<List>()?.map(|told| Rows::read(told.userlist, Told::into_member)))
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    userlist: RawRows,
}
