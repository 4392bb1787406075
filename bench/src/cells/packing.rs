//! Which tenant lives in which cell: the one that needs most first.

use anyhow::{Result, ensure};

use super::{World, need::Sums, population::Tenant};

/// Into which of the cells that have room for it a tenant goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// The one that is emptiest with it; of as few cells as all of them together would fill
    Balanced,
    /// The first one
    FirstFit,
}

/// The tenants of a cell, by their places in the list of all.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub(super) tenants: Vec<usize>,
    pub(super) sums: Sums,
}

/// A tenant on its way into a cell.
struct Item {
    place: usize,
    sums: Sums,
    weight: f64,
}

/// Puts every tenant into a cell.
///
/// # Errors
/// When one tenant alone is too much for a cell.
pub(super) fn pack(tenants: &[Tenant], world: World<'_>, way: Way) -> Result<Vec<Cell>> {
    let mut items: Vec<Item> = Vec::with_capacity(tenants.len());
    for (place, tenant) in tenants.iter().enumerate() {
        let sums = Sums::of(tenant, world);
        let most = sums.fullest(world);
        ensure!(
            most.ratio() <= 1.0,
            "a tenant of {} members is too much for a cell: {} {} of {}",
            tenant.members,
            most.value,
            most.of,
            most.limit
        );
        items.push(Item { place, sums, weight: most.ratio() });
    }
    items.sort_by(|one, other| other.weight.total_cmp(&one.weight).then(one.place.cmp(&other.place)));
    let mut cells: Vec<Cell> = match way {
        Way::Balanced => vec![Cell::default(); at_least(&items, world)],
        Way::FirstFit => Vec::new(),
    };
    for item in items {
        let with = |cell: &Cell| (cell.sums + item.sums).fullest(world).ratio();
        let mut fitting = cells.iter_mut().map(|cell| (with(cell), cell)).filter(|(full, _)| *full <= 1.0);
        let chosen = match way {
            Way::FirstFit => fitting.next(),
            Way::Balanced => fitting.min_by(|(one, _), (other, _)| one.total_cmp(other)),
        };
        match chosen {
            Some((_, cell)) => cell.add(&item),
            None => {
                let mut cell = Cell::default();
                cell.add(&item);
                cells.push(cell);
            }
        }
    }
    Ok(cells)
}

/// Fewer cells than this cannot have room for all.
pub(super) fn fewest(tenants: &[Tenant], world: World<'_>) -> usize {
    let all = tenants.iter().map(|tenant| Sums::of(tenant, world)).fold(Sums::default(), |all, one| all + one);
    cells_for(all, world)
}

fn at_least(items: &[Item], world: World<'_>) -> usize {
    cells_for(items.iter().fold(Sums::default(), |all, item| all + item.sums), world)
}

fn cells_for(all: Sums, world: World<'_>) -> usize {
    (all.fullest(world).ratio().ceil() as usize).max(1)
}

impl Cell {
    fn add(&mut self, item: &Item) {
        self.tenants.push(item.place);
        self.sums = self.sums + item.sums;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::{population::draw, tests::options};

    #[test]
    fn every_tenant_lives_in_one_cell_and_no_cell_is_too_full() {
        for way in [Way::Balanced, Way::FirstFit] {
            let options = options(&["--tenants", "3000", "--members", "3000000", "--tenants-per-cell", "700"]);
            let (tenants, world) = (draw(&options.assumed, 3), options.world());
            let cells = pack(&tenants, world, way).unwrap();
            let mut places: Vec<usize> = cells.iter().flat_map(|cell| cell.tenants.iter().copied()).collect();
            places.sort_unstable();
            assert_eq!(places, (0..3_000).collect::<Vec<_>>(), "{way:?}");
            assert!(cells.len() >= fewest(&tenants, world), "{way:?}");
            for cell in &cells {
                assert!(cell.sums.needs(world).iter().all(|need| need.ratio() <= 1.0), "{way:?}: {:?}", cell.sums);
                let members: u64 = cell.tenants.iter().map(|place| tenants[*place].members).sum();
                assert_eq!(members, cell.sums.members, "{way:?}");
            }
        }
    }

    #[test]
    fn one_that_fits_nowhere_is_refused() {
        let options = options(&["--tenants", "1", "--members", "1000", "--members-per-cell", "900"]);
        let refused = pack(&draw(&options.assumed, 1), options.world(), Way::Balanced).unwrap_err().to_string();
        assert!(refused.contains("1000 members"), "{refused}");
    }

    #[test]
    fn the_balanced_way_needs_no_more_cells_here() {
        let options = options(&[]);
        let (tenants, world) = (draw(&options.assumed, 1), options.world());
        let cells = |way| pack(&tenants, world, way).unwrap().len();
        assert!(cells(Way::Balanced) <= cells(Way::FirstFit));
    }
}
