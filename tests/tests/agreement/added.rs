//! An OA that comes later.

use platform_sim::compare;
use store::runs::{RunState, Wanted};

use crate::scene::{Scene, company, nothing_of, oa};

#[tokio::test]
async fn an_oa_that_is_added_in_the_middle_of_things_gets_everything_parents_first() {
    let mut company = company(71);
    company.populate(200, 25, 5);
    let mut scene = Scene::over(company).await;
    scene.start().await;
    scene.known().await;
    scene.agrees().await;
    let oa = oa();
    for round in 0..12 {
        let callbacks = scene.happens(|company| company.live(15));
        scene.tell(&callbacks).await;
        if round == 4 {
            scene.add(&oa).await;
        }
    }
    scene.settled().await;
    // Names and the like change without a callback.
    let run = scene.sync(Wanted::Apply).await;
    assert_eq!(run.state, RunState::Finished, "{:?}", run.why);
    scene.agrees().await;
    let truth = scene.api.company().snapshot();
    nothing_of(&oa.violations());
    nothing_of(&compare(&truth, &oa.snapshot()));
    assert_eq!(oa.repeats().all, 0);
    scene.end().await;
}
