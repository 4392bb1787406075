//! Processes: started, killed, started again.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::Lane;
use callback_gateway::Intake;
use common::Backoff;
use service::{
    Context, Parts,
    config::{GatewayConfig, ResolverConfig, SinkConfig},
};
use sink::{Sink, Timing};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    doors::{BrokerDoor, StoreDoor},
    life::{Life, Role},
    receivers::{Builder, REQUEST_TIMEOUT},
    run::Scene,
    world::Violation,
};

/// How long it takes until somebody starts a process again.
const REST_MILLIS: (usize, usize) = (50, 800);

/// Where the platform's requests go.
#[derive(Default)]
pub(crate) struct Front(Mutex<Option<(Intake, Arc<Life>)>>);

impl Front {
    fn open(&self, intake: Intake, life: Arc<Life>) {
        *self.0.lock().unwrap() = Some((intake, life));
    }

    /// Who listens at the moment.
    pub(crate) fn listener(&self) -> Option<(Intake, Arc<Life>)> {
        self.0.lock().unwrap().clone().filter(|(_, life)| !life.is_over())
    }
}

/// Sees to it that there is a process at this place.
pub(crate) async fn keep_running(scene: Scene, slot: usize) {
    loop {
        let life = scene.world.begin_life(slot);
        tokio::spawn(Box::pin(live(scene.clone(), slot, Arc::clone(&life))));
        life.over().await;
        let rest = scene.world.state().dice.between(REST_MILLIS.0, REST_MILLIS.1);
        sleep(Duration::from_millis(rest as u64)).await;
    }
}

/// One process. When it is killed this hangs wherever it is.
async fn live(scene: Scene, slot: usize, life: Arc<Life>) {
    let ended_well = match assemble(&scene, slot, &life).await {
        Some(context) => serve(&scene, &life, context).await,
        None => false,
    };
    if ended_well {
        // Nobody asked it to: a task of it panicked.
        scene.world.violated(Violation::Wrong(format!("{} ended by itself", life.name)));
    }
    scene.world.note(&life.name, "ends", "");
    life.end();
}

/// What a process opens when it starts; `None` when it cannot.
async fn assemble(scene: &Scene, slot: usize, life: &Arc<Life>) -> Option<Context> {
    let Scene { world, site, .. } = scene;
    let parts = Parts {
        database: world.tables.clone().with_faults(Arc::new(StoreDoor::new(world, life))),
        broker: Arc::new(BrokerDoor::new(world, site, life)),
        clock: world.clocks.of(slot),
        sealer: world.sealer.clone(),
        stop: CancellationToken::new(),
        instance: life.name.clone(),
        needs_database: life.role != Role::Gateway,
    };
    Context::assemble(parts).await.ok()
}

/// The service; `true` when it came to an end without a reason.
async fn serve(scene: &Scene, life: &Arc<Life>, context: Context) -> bool {
    let lanes = vec![Lane::shared()];
    let habits = &scene.world.habits;
    match life.role {
        Role::Gateway => {
            scene.front.open(Intake::start(GatewayConfig::default(), &context), Arc::clone(life));
            context.stop.cancelled().await;
            true
        }
        Role::Resolver => {
            let config = ResolverConfig {
                batch_size: habits.resolver_batch,
                parking_grace_seconds: habits.grace_seconds,
                ..ResolverConfig::default()
            };
            Box::pin(resolver::run(config, lanes, context)).await.is_ok()
        }
        Role::Sink => {
            let config = SinkConfig { batch_size: habits.sink_batch, ..SinkConfig::default() };
            let build = Arc::new(Builder::new(&scene.world, life));
            let sink = Sink::new(config, lanes, context, build).with_timing(timing());
            Box::pin(sink.run()).await.is_ok()
        }
    }
}

/// As in the real world, only shorter.
fn timing() -> Timing {
    let waits =
        |first, longest| Backoff { first: Duration::from_millis(first), longest: Duration::from_millis(longest) };
    Timing {
        backoff: waits(50, 400),
        held_backoff: waits(100, 800),
        watch_every: Duration::from_millis(400),
        clean_every: Duration::from_secs(5),
        request_timeout: REQUEST_TIMEOUT,
        lease: Duration::from_secs(3),
        ..Timing::default()
    }
}
