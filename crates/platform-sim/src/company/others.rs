//! Callbacks that are not about departments or members.

use rand::RngExt;

use super::{Callback, Company, Document};
use crate::xml::Element;
use crate::{Act, Subject};

impl Company {
    /// The `update_tag` callback of a change of a tag; lists of user ids and department ids may be empty.
    pub fn update_tag(&mut self, tag_id: u64, added: (&[&str], &[&str]), removed: (&[&str], &[&str])) -> Callback {
        let elements = vec![
            Element::number("TagId", tag_id),
            Element::text("AddUserItems", added.0.join(",")),
            Element::text("DelUserItems", removed.0.join(",")),
            Element::text("AddPartyItems", added.1.join(",")),
            Element::text("DelPartyItems", removed.1.join(",")),
        ];
        self.other(Document::contact("update_tag", elements))
    }

    /// The `batch_job_result` callback at the end of an import.
    pub fn batch_job_result(&mut self, job_id: &str, job_type: &str, error_code: i64) -> Callback {
        let message = if error_code == 0 { "ok" } else { "failed" };
        let job = vec![
            Element::text("JobId", job_id),
            Element::text("JobType", job_type),
            Element::number("ErrCode", error_code),
            Element::text("ErrMsg", message),
        ];
        self.other(Document { event: "batch_job_result", elements: vec![Element::nested("BatchJob", job)] })
    }

    /// One of the two with content drawn at random.
    pub(super) fn some_other(&mut self) -> Callback {
        let number = self.random.random_range(1..1_000_000_u64);
        if self.random.random_bool(0.5) {
            return self.batch_job_result(&format!("J0bDemo_{number:x}"), "sync_user", 0);
        }
        let member = self.member_pool.draw(&mut self.random).unwrap_or_default();
        let department = self.department_pool.draw(&mut self.random).unwrap_or_default();
        self.update_tag(number, (&[&member], &[&department]), (&[], &[]))
    }

    fn other(&mut self, document: Document) -> Callback {
        let at_seconds = self.tick(&[], &[]);
        self.callback(at_seconds, Subject::Other, Act::Other, 0, document)
    }
}
