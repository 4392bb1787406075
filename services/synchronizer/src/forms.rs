//! Forms in which people ask for members: polled, read again where somebody hints at one, and told what became of each.
//!
//! A poll misses nothing and repeats nothing. It begins where the one before began, less an overlap, since a record may be committed late or
//! changed behind the poll's back; and the place up to which it got moves only when all before it is durable. Once a day all records are
//! read, whenever they were changed: whether an approval moves that time is not documented (reference jiandaoyun 12.1). The platform ignores a
//! filter that it does not understand, so that every record is looked at again here.
//!
//! A request that waits is looked at again with each poll: nobody is created whose approval was taken back meanwhile (`waiting`).
//!
//! A record is one fact by the content that was mapped out of it (`judge`): what else is changed in it, by our own answer above all, makes no
//! new one. What is learnt is published as events; the ledger of records is written afterwards.

mod answers;
mod bind;
mod hints;
mod judge;
mod poll;
mod source;
mod take;
mod trouble;
mod waiting;
mod watch;

pub(crate) use self::{
    source::Sources,
    watch::{begin, once, watch},
};
