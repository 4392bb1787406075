#![doc = include_str!("../README.md")]

pub mod attendance;
mod change;
mod entity_map;
mod event;
mod fields;
mod ids;
mod loose_json;
pub mod onboarding;
mod partition;
mod reason;
mod retry;
mod secret;
mod time;
mod zone;

pub use change::{Action, Change, Entity, Told};
pub use entity_map::{EntityMap, EntitySet};
pub use event::{Callback, Event, EventBody, EventKeys, MalformedEvent, Observation, What};
pub use fields::{Field, Fields, NAMED_ATTRIBUTES, Value};
pub use ids::{DestinationId, EntityKey, EntityKind, InvalidId, Platform, ROOT_DEPARTMENT, TenantId};
pub use loose_json::{LooseJson, UnreadableJson};
pub use partition::{Hop, partition_of};
pub use reason::Reason;
pub use retry::{Backoff, Disposition, jitter_of};
pub use secret::Secret;
pub use time::{Clock, UnixMillis};
pub use zone::Zone;
