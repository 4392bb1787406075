//! The mapping and the form that it is for: its names and types, and which of our filters the platform honours there.

use std::sync::Arc;

use common::UnixMillis;
use jiandaoyun::{
    api::ApiError,
    mapping::{Honoured, Mapping, Probed},
};

use super::{
    source::Source,
    trouble::{Trouble, is_of_one, told_something},
};
use crate::desk::Desk;

/// A mapping that fits its form.
pub(crate) struct Bound {
    pub(crate) mapping: Mapping,
    pub(crate) honoured: Honoured,
}

/// The mapping as it fits the form now, and the platform's time at which the form was asked about. `again` is for probing the filters once
/// more: as long as a form has no records they all seem honoured.
///
/// # Errors
/// See [`Trouble`].
pub(crate) async fn bind(desk: &Desk, source: &Source, again: bool) -> Result<(Arc<Bound>, UnixMillis), Trouble> {
    let told = source.client.widgets(source.form()).await?;
    told_something(source);
    // Whether a field that gets another name counts as a change of the form is not documented: it costs nothing to compare them.
    let (mapping, warnings) = source.mapping.bind(&told.value).map_err(Trouble::Mapping)?;
    let known = source.memory().bound.clone();
    if let Some(known) = known.filter(|known| !again && known.mapping == mapping) {
        return Ok((known, told.asked_at));
    }
    for warning in warnings {
        tracing::debug!(tenant.id = %source.tenant, %warning, "something about the mapping is odd");
    }
    let honoured = probe(desk, source, &mapping).await?;
    let bound = Arc::new(Bound { mapping, honoured });
    source.memory().bound = Some(Arc::clone(&bound));
    Ok((bound, told.asked_at))
}

/// A condition that is not honoured is left out: what it is for is looked at here anyway, and with it the platform may answer anything.
async fn probe(desk: &Desk, source: &Source, mapping: &Mapping) -> Result<Honoured, ApiError> {
    let mut honoured = Honoured::default();
    for probe in mapping.probes(desk.now()) {
        let is_honoured = match source.client.honours(source.form(), &probe.filter).await {
            Ok(answer) => answer.value,
            Err(error) if is_of_one(&error) => false,
            Err(error) => return Err(error),
        };
        if !is_honoured {
            tracing::warn!(tenant.id = %source.tenant, filter = ?probe.what, "the platform ignores a filter: records are sorted out here");
        }
        match probe.what {
            Probed::Time => honoured.time = is_honoured,
            Probed::Flow => honoured.flow = is_honoured,
        }
    }
    Ok(honoured)
}
