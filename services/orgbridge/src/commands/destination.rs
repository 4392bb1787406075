//! `destination pause | resume | reset`

use common::{DestinationId, TenantId};
use database::Connection;
use store::destinations::{self, State};

use super::{
    Desk, Done,
    lost::{self, Start, Wish},
};
use crate::{
    Output,
    arguments::{DestinationPlace, Printing},
    failure::Failure,
    texts,
};

/// Lets a destination collect, and deliver nothing, until it is resumed.
pub(super) async fn pause(desk: &Desk, place: DestinationPlace, output: &mut Output<'_>) -> Done {
    let (tenant, destination) = set(desk, place, State::Paused, output).await?;
    Ok(output.line(texts::delivery_paused(output.language, tenant, destination))?)
}

/// Lets what has collected be delivered, and whatever comes.
pub(super) async fn resume(desk: &Desk, place: DestinationPlace, output: &mut Output<'_>) -> Done {
    let (_, destination) = set(desk, place, State::Active, output).await?;
    Ok(output.line(texts::delivery_resumed(output.language, destination))?)
}

/// Asks for what a destination may have lost since a version to be sent to it again, and for what is gone to be removed there again;
/// everything when no version is given.
pub(super) async fn reset(
    desk: &Desk,
    place: DestinationPlace,
    from: Option<u64>,
    printing: Printing,
    output: &mut Output<'_>,
) -> Done {
    let DestinationPlace { tenant, destination } = place;
    let wish = Wish { tenant, destination, start: Start::new(from, None), is_in_doubt: true };
    lost::send_again(desk, wish, printing, output).await
}

/// What the destination does from now on; that it does so already is fine.
async fn set(
    desk: &Desk,
    place: DestinationPlace,
    state: State,
    output: &Output<'_>,
) -> Result<(TenantId, DestinationId), Failure> {
    let DestinationPlace { tenant, destination } = place;
    desk.expect_tenant(&tenant, output).await?;
    let (of, id) = (tenant.clone(), destination.clone());
    let write = move |conn: &mut Connection| -> database::Result<Option<State>> {
        destinations::set_state(conn, &of, &id, state)?;
        Ok(destinations::get(conn, &of, &id)?.map(|row| row.state))
    };
    match desk.database.write("destinations.state", write).await? {
        None => Err(Failure::say(texts::no_destination(output.language, tenant, destination))),
        // Only a first sync ends that: before it, what is delivered could make second rows of those that the product has.
        Some(State::Collecting) => Err(Failure::say(texts::destination_collects(output.language, tenant, destination))),
        Some(State::Active | State::Paused) => Ok((tenant, destination)),
    }
}
