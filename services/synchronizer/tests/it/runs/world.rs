//! A tenant whose directory is in the mirror, and a product with rows of its own. The resolver's turns and a courier are called
//! directly, so that nothing happens by itself.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use broker::Lane;
use common::{
    DestinationId, EntityKey, EntityKind, Event, EventBody, EventKeys, Field, Fields, Observation, Platform, TenantId,
    UnixMillis, What,
};
use database::{Connection, Database, Options};
use destinations::{Batch, Links, TenantFacts, sql::SqlTables};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use outbound::Guard;
use resolver::{Rules, Turn};
use service::config::SynchronizerConfig;
use store::{
    destinations::{self as positions, Progress, State},
    links::{self, DecidedBy, Link},
    outbox,
    runs::{self, PlanItem, Run, Wanted, Wish},
};
use synchronizer::run::{MirrorOnly, Products, Runs, differences};
use test_kit::Stage;

/// When the stage's clock begins.
pub(super) const NOW: UnixMillis = UnixMillis::from_seconds(1_767_225_600);
const DEPARTMENTS: usize = 3;

pub(super) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(super) fn core() -> DestinationId {
    "core".parse().unwrap()
}

pub(super) struct World {
    pub(super) stage: Stage,
    product: Database,
    tables: SqlTables,
    runs: Runs,
    /// Platform seconds that were given out.
    seconds: AtomicI64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl World {
    /// A company of so many members in three departments; the product's tables are empty but for its own root.
    pub(super) async fn open(members: usize) -> Self {
        let world = Self::over(Stage::open().await).await;
        let rules = world.rules();
        world.write(move |conn| Turn::found(conn, &tenant(), &rules)).await;
        let mut events = Vec::new();
        for number in 1..=DEPARTMENTS {
            let fields = Fields::new().with(Field::Name, format!("Team {number}")).with(Field::Parent, "1");
            events.push(world.event(EntityKey::department(&format!("1{number}")), What::Created { fields }));
        }
        events.extend((0..members).map(|number| world.member(number, &format!("Name {number}"), number % DEPARTMENTS)));
        world.take(events).await;
        world
    }

    /// The parts over a stage.
    async fn over(stage: Stage) -> Self {
        let url = format!("sqlite://{}", stage.directory().join("core.db").display());
        stage
            .apply(&format!(
                "id = \"acme\"\nname = \"ACME\"\n[wecom]\ncorp_id = \"ww1\"\ncontact_secret = \"s\"\n\
                 callback_token = \"tok\"\ncallback_aes_key = \"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C\"\n\
                 [[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nrole = \"core\"\nurl = \"{url}\"\n"
            ))
            .await;
        let facts = TenantFacts { root_name: "ACME".to_owned(), ..TenantFacts::default() };
        let tables = SqlTables::in_file(url.clone(), tenant(), facts);
        // The product's own root is not the platform's.
        let root: Links = [(EntityKey::department("1"), "HQ".to_owned())].into_iter().collect();
        tables.prepare(&root).await.unwrap();
        let product = Database::open(&Options::new(url)).unwrap();
        let runs = runs_of(&stage);
        Self { stage, product, tables, runs, seconds: AtomicI64::new(NOW.seconds()) }
    }

    /// The product knows the departments and the first members, under ids of its own: some by former names. Others that it knows have left.
    pub(super) async fn product_knows(&self, members: usize, renamed: usize, gone: usize) {
        let mut sql = String::new();
        for number in 1..=DEPARTMENTS {
            sql.push_str(&format!(
                "INSERT INTO departments (tenant_id, id, parent_id, name, version, source_time)
                 VALUES ('acme', 'D-{number}', 'HQ', 'Team {number}', 0, 0);"
            ));
        }
        let known = (0..members).map(|number| {
            let name = if number < renamed { format!("Former {number}") } else { format!("Name {number}") };
            (format!("P-{number}"), name, format!("139{number:08}"), number % DEPARTMENTS)
        });
        let left =
            (0..gone).map(|number| (format!("G-{number}"), format!("Gone {number}"), format!("138{number:08}"), 0));
        for (id, name, mobile, department) in known.chain(left) {
            let department = format!("D-{}", department + 1);
            sql.push_str(&format!(
                "INSERT INTO members (tenant_id, id, name, mobile, gender, status, main_department_id, version, source_time)
                 VALUES ('acme', '{id}', '{name}', '{mobile}', 'unknown', 'active', '{department}', 0, 0);
                 INSERT INTO member_departments (tenant_id, member_id, department_id)
                 VALUES ('acme', '{id}', '{department}');"
            ));
        }
        self.execute(&sql).await;
        self.hold_back().await;
    }

    /// Destinations collect, as they do where a product holds rows before the first sync.
    async fn hold_back(&self) {
        self.write(|conn| runs::hold_back(conn, &tenant())).await;
        let row = self.read(|conn| positions::get(conn, &tenant(), &core())).await.unwrap();
        assert_eq!(row.state, State::Collecting);
    }

    /// Asks for a run and takes it as far as it goes.
    pub(super) async fn sync(&self, wanted: Wanted) -> Run {
        let now = self.stage.context.clock.now();
        let ask = move |conn: &mut Connection| runs::request(conn, &tenant(), Wish { wanted, key: None }, now);
        let run = self.write(ask).await.unwrap();
        self.finish(&run).await
    }

    /// Works on runs and delivers until one is over or waits for a person.
    pub(super) async fn finish(&self, run: &Run) -> Run {
        for _ in 0..200 {
            self.runs.look().await;
            self.deliver().await;
            let id = run.id.clone();
            let run = self.read(move |conn| runs::get(conn, &id)).await.unwrap();
            if !run.state.is_at_work() {
                return run;
            }
        }
        panic!("the run does not end: {run:?}")
    }

    /// What a courier does: everything after the position, in order, through the links.
    pub(super) async fn deliver(&self) {
        let now = self.stage.context.clock.now();
        let until = now.plus_seconds(60);
        let acquire = move |conn: &mut Connection| positions::acquire(conn, &tenant(), &core(), "courier", now, until);
        let Some(lease) = self.write(acquire).await else { return };
        let row = self.read(|conn| positions::get(conn, &tenant(), &core())).await.unwrap();
        let changes = self.read(move |conn| outbox::after(conn, &tenant(), row.position, 100_000)).await;
        let Some(last) = changes.last().map(|change| change.version) else { return };
        let ours: Vec<_> = changes.into_iter().filter(|change| change.is_for(&core())).collect();
        let needed = Links::needed_for(&ours);
        let found = self.read(move |conn| links::load(conn, &tenant(), &core(), &needed)).await;
        let links: Links = found.into_iter().map(|link| (link.entity, link.core_id)).collect();
        let outcomes = self.tables.apply(&ours, &links).await.unwrap();
        for (change, outcome) in ours.iter().zip(&outcomes) {
            assert_eq!(*outcome, destinations::Outcome::Applied, "{:?} {}", change.entity, change.version);
        }
        let progress = Progress { position: last, last_second: None, delivered_at: Some(now) };
        assert!(self.write(move |conn| positions::advance(conn, &lease, &progress)).await);
    }

    /// A callback about a member.
    pub(super) async fn tell(&self, number: usize, name: &str, department: usize) {
        let event = self.member(number, name, department);
        self.take(vec![event]).await;
    }

    /// A punch of a member, as an answer tells of it.
    pub(super) async fn punch(&self, number: usize) {
        let fields = Fields::new()
            .with(Field::Member, format!("m{number}"))
            .with(Field::WorkDate, "2026-11-29")
            .with(Field::RecordKind, "punch");
        let key = EntityKey::new(EntityKind::Attendance, &format!("m{number}/2026-11-29/punch/1"));
        let event = self.event(key, What::Updated { fields });
        self.take(vec![event]).await;
    }

    /// What a resolver does with what is to be sent again. Returns how many wishes there were.
    pub(super) async fn carry_out_wishes(&self) -> usize {
        let rules = self.rules();
        let replay = move |conn: &mut Connection| -> database::Result<usize> {
            let wishes = outbox::take_replays(conn, 1000)?;
            let count = wishes.len();
            let wishes = wishes.into_iter().map(|wish| (wish.entity, wish.destination)).collect();
            Turn::send_again(conn, &tenant(), wishes, &rules)?;
            Ok(count)
        };
        self.write(replay).await
    }

    fn member(&self, number: usize, name: &str, department: usize) -> Event {
        let departments = vec![format!("1{}", department + 1)];
        let fields = Fields::new()
            .with(Field::Name, name)
            .with(Field::Mobile, format!("139{number:08}"))
            .with(Field::Status, "active")
            .with(Field::Departments, departments);
        self.event(EntityKey::member(&format!("m{number}")), What::Created { fields })
    }

    fn event(&self, key: EntityKey, what: What) -> Event {
        let at = UnixMillis::from_seconds(self.seconds.fetch_add(1, Ordering::Relaxed));
        let content = EventKeys::content_hash("ww1", Some(&key), at, format!("{what:?}").as_bytes());
        Event {
            id: content.clone(),
            tenant: tenant(),
            platform: Platform::Wecom,
            received_at: NOW,
            keys: EventKeys { platform: None, content },
            traceparent: None,
            body: EventBody::Directory(Observation {
                kind: key.kind,
                id: key.id.to_string(),
                at,
                what,
                hint: false,
                answer: false,
            }),
        }
    }

    /// What a resolver does with events.
    async fn take(&self, events: Vec<Event>) {
        let rules = self.rules();
        self.write(move |conn| Turn::events(conn, &events, &rules)).await;
        loop {
            let rules = self.rules();
            let turn = self.write(move |conn| Turn::released(conn, &tenant(), 1000, &rules)).await;
            if turn.released.is_empty() {
                return;
            }
        }
    }

    fn rules(&self) -> Rules {
        Rules { now: NOW, horizon: UnixMillis(0), tenants: self.stage.context.tenants.snapshot() }
    }

    /// A person says who is who.
    pub(super) async fn link(&self, entity: &EntityKey, core_id: &str) {
        let link =
            Link { entity: entity.clone(), core_id: core_id.to_owned(), decided_by: DecidedBy::Person, since: NOW };
        self.write(move |conn| links::set(conn, &tenant(), &core(), &[link])).await;
    }

    /// What differs now, as text.
    pub(super) async fn differences(&self) -> Vec<String> {
        let file = self.stage.context.tenants.get(&tenant()).unwrap();
        let (database, config) = (&self.stage.context.database, SynchronizerConfig::default());
        let found = differences(database, &file.file, &products(), &config, NOW).await.unwrap();
        found.iter().map(|one| format!("{} {}: {}", one.kind.as_str(), one.id, one.field)).collect()
    }

    pub(super) async fn items(&self, run: &Run) -> Vec<PlanItem> {
        let id = run.id.clone();
        self.read(move |conn| runs::items(conn, &id, 0, 100_000)).await
    }

    /// The product's members: id, name, mobile, status.
    pub(super) async fn members(&self) -> Vec<String> {
        self.lines(
            "SELECT id || '|' || name || '|' || coalesce(mobile, '-') || '|' || status AS line FROM members ORDER BY id",
        )
        .await
    }

    /// The product's attendance: record and member.
    pub(super) async fn attendance(&self) -> Vec<String> {
        self.lines("SELECT record_id || '|' || member_id AS line FROM attendance ORDER BY record_id").await
    }

    async fn lines(&self, sql: &'static str) -> Vec<String> {
        let lines: Vec<Line> = self
            .product
            .read("test", move |conn| Ok::<_, database::Error>(sql_query(sql).load(conn.sqlite()?)?))
            .await
            .unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }

    /// All that the product's rows say, but for who wrote them.
    pub(super) async fn everything(&self) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::from([("members".to_owned(), self.members().await)]);
        for (table, line) in [
            ("departments", "id || '|' || coalesce(parent_id, '-') || '|' || name || '|' || (deleted_at IS NULL)"),
            ("member_departments", "member_id || '|' || department_id || '|' || position"),
        ] {
            let sql = format!("SELECT {line} AS line FROM {table} ORDER BY 1");
            let read = move |conn: &mut Connection| Ok::<_, database::Error>(sql_query(sql).load(conn.sqlite()?)?);
            let lines: Vec<Line> = self.product.read("test", read).await.unwrap();
            all.insert(table.to_owned(), lines.into_iter().map(|line| line.line).collect());
        }
        all
    }

    pub(super) async fn execute(&self, sql: &str) {
        let sql = sql.to_owned();
        let run = move |conn: &mut Connection| Ok::<_, database::Error>(conn.sqlite()?.batch_execute(&sql)?);
        self.product.write("test", run).await.unwrap();
    }

    /// Runs from now on go through this database, which may be one that fails.
    pub(super) fn through(&mut self, database: Database) {
        self.runs = runs_on(&self.stage, database);
    }

    pub(super) async fn look(&self) {
        self.runs.look().await;
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.stage.context.database.read("test", work).await.unwrap()
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.stage.context.database.write("test", work).await.unwrap()
    }
}

fn runs_of(stage: &Stage) -> Runs {
    runs_on(stage, stage.context.database.clone())
}

fn runs_on(stage: &Stage, database: Database) -> Runs {
    let mut context = stage.context.clone();
    context.database = database;
    let source = Arc::new(MirrorOnly { is_complete: true });
    Runs::new(SynchronizerConfig::default(), vec![Lane::shared()], context, Arc::new(products()), source)
}

fn products() -> Products {
    let http = outbound::Client::new(Guard::new(Vec::new()), std::time::Duration::from_secs(1)).unwrap();
    Products::new(http)
}
