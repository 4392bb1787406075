//! Bugs under the tables.

use common::{EntityKey, EntityKind};
use database::Connection;
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Text},
};
use directory::Told;
use store::{outbox, records};

use super::{Bug, at_once, execute};
use crate::{stores::tenant, world::World};

impl Bug {
    /// What does it by itself from within the database.
    pub(crate) const fn trigger(self) -> Option<&'static str> {
        match self {
            Self::LostWaitingRow => Some(
                "CREATE TRIGGER bug AFTER INSERT ON waiting \
                 WHEN (unicode(substr(NEW.id, -1)) + unicode(substr(NEW.on_id, -1))) % 4 = 0 \
                 BEGIN DELETE FROM waiting WHERE tenant = NEW.tenant AND on_kind = NEW.on_kind AND on_id = NEW.on_id \
                 AND kind = NEW.kind AND id = NEW.id AND why = NEW.why; END",
            ),
            Self::LostRelease => Some(
                "CREATE TRIGGER bug AFTER INSERT ON releases WHEN unicode(substr(NEW.id, -1)) % 4 = 0 \
                 BEGIN DELETE FROM releases WHERE tenant = NEW.tenant AND kind = NEW.kind AND id = NEW.id; END",
            ),
            Self::NoLock => Some(
                "CREATE TRIGGER bug AFTER UPDATE ON records WHEN NEW.body <> OLD.body AND length(NEW.body) % 7 = 0 \
                 BEGIN UPDATE records SET body = OLD.body, inside = OLD.inside, parked_since = OLD.parked_since \
                 WHERE tenant = NEW.tenant AND kind = NEW.kind AND id = NEW.id; END",
            ),
            _ => None,
        }
    }

    /// Before something is done to our database.
    pub(crate) fn before(self, world: &World, what: &str) {
        let sql = match (self, what) {
            (Self::NoPositionCheck, "sink.open") => "UPDATE destinations SET position = max(0, position - 3)",
            (Self::GapIsSkipped, "sink.open") => {
                "UPDATE destinations SET position = position + 1 \
                 WHERE position > 5 AND position < (SELECT min(last_version) FROM tenants)"
            }
            (Self::ExceptionsForgotten, "sink.open") => "DELETE FROM held",
            (Self::SealedAnew, "sink.open") => "DELETE FROM messages",
            (Self::TwoSenders, "sink.open") => "UPDATE destinations SET lease_until = 0",
            _ => return,
        };
        execute(&world.tables, sql);
    }

    /// After something was committed there.
    pub(crate) fn after(self, world: &World, what: &str) {
        match (self, what) {
            (Self::PositionBeforeDelivery, "sink.messages") => execute(
                &world.tables,
                "UPDATE destinations SET position = (SELECT max(version) FROM messages WHERE destination = destinations.id) \
                 WHERE id IN (SELECT destination FROM messages)",
            ),
            (Self::InheritedAcrossRemoval, "resolver.events" | "resolver.release") => {
                at_once(&world.tables, forget_removals);
            }
            (Self::NumberedById, "resolver.events" | "resolver.release" | "resolver.found" | "resolver.ask") => {
                number_by_id(world);
            }
            _ => {}
        }
    }
}

#[derive(QueryableByName)]
struct Entity {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    id: String,
}

fn forget_removals(conn: &mut Connection) -> database::Result<()> {
    let gone: Vec<Entity> = sql_query("SELECT kind, id FROM records WHERE inside IS NULL").load(conn.sqlite()?)?;
    let key = |entity: &Entity| EntityKey::new(entity.kind.parse::<EntityKind>().unwrap(), &entity.id);
    let keys: Vec<EntityKey> = gone.iter().map(key).collect();
    let mut rows = records::load(conn, &tenant(), &keys)?;
    rows.retain(|(_, row)| row.record.facts.iter().any(|fact| fact.told == Told::Removed));
    for (_, row) in &mut rows {
        row.record.facts.retain(|fact| fact.told != Told::Removed);
    }
    records::save(conn, &tenant(), &rows)
}

fn number_by_id(world: &World) {
    let before = world.state().numbered;
    let number = move |conn: &mut Connection| -> database::Result<u64> {
        let mut changes = outbox::after(conn, &tenant(), before, 100_000)?;
        changes.sort_by(|one, other| one.entity.cmp(&other.entity));
        for (version, change) in (before + 1..).zip(&mut changes) {
            change.version = version;
            let body = String::from_utf8(change.to_json()).unwrap();
            sql_query("UPDATE outbox SET body = ? WHERE version = ?")
                .bind::<Text, _>(body)
                .bind::<BigInt, _>(i64::try_from(version).unwrap())
                .execute(conn.sqlite()?)?;
        }
        Ok(before + changes.len() as u64)
    };
    let numbered = at_once(&world.tables, number);
    world.state().numbered = numbered;
}
