//! The platform: pushes callbacks, and comes again until it hears `success`.

use std::{sync::Arc, time::Duration};

use callback_gateway::Outcome;
use platform_sim::{AgentId, Callback, Keys, Sealed, crypto::Moment};
use tokio::time::{sleep, timeout};

use crate::{
    clocks::START,
    dice::Dice,
    run::Scene,
    stores::{AES_KEY, CORP, TENANT, TOKEN},
};

/// As long as WeCom waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pauses between its tries, each twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(150);
const LONGEST_PAUSE: Duration = Duration::from_millis(1200);

/// Callbacks as they are sent, each always the same: encrypting takes its time.
pub(crate) fn seal(callbacks: &[Callback], dice: &mut Dice) -> Vec<Arc<Sealed>> {
    let keys = Keys::new(TOKEN, AES_KEY, CORP).unwrap();
    let timestamp = START.seconds().to_string();
    let seal = |callback: &Callback| {
        let nonce = dice.roll().to_string();
        let random16 = ((u128::from(dice.roll()) << 64) | u128::from(dice.roll())).to_be_bytes();
        let moment = Moment { timestamp: &timestamp, nonce: &nonce, random16 };
        Arc::new(keys.seal(&callback.plaintext, &AgentId::Absent, &moment, dice.roll() % 6))
    };
    callbacks.iter().map(seal).collect()
}

/// Pushes one callback, beginning at its time.
pub(crate) async fn push(scene: Scene, sealed: Arc<Sealed>, at: Duration) {
    sleep(at).await;
    let mut pause = FIRST_PAUSE;
    while !is_taken(&scene, &sealed).await {
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    scene.world.state().unaccepted -= 1;
}

/// Posts it once.
async fn is_taken(scene: &Scene, sealed: &Sealed) -> bool {
    let Some((intake, life)) = scene.front.listener() else {
        scene.world.note("platform", "post", "nobody listens");
        return false;
    };
    let answer = timeout(PATIENCE, intake.take(TENANT, &sealed.query, sealed.body.as_bytes(), None));
    tokio::select! {
        biased;
        () = life.over() => {
            scene.world.note("platform", "post", "the line is cut");
            false
        }
        answer = answer => {
            scene.world.note("platform", "post", answer.as_ref().map_or("no answer", Outcome::label));
            matches!(answer, Ok(Outcome::Accepted))
        }
    }
}
