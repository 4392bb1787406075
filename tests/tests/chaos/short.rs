//! Whatever happens to whom within a minute.

use tests::chaos::Chaos;

/// Another one is tried as well where the environment names it.
const SEED: u64 = 1;
const ANOTHER: &str = "ORGBRIDGE_CHAOS_SEED";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_whatever_is_killed_stopped_or_cut() {
    let another = std::env::var_os(ANOTHER).map(|seed| seed.to_str().unwrap().parse().unwrap());
    for seed in [SEED].into_iter().chain(another) {
        let chaos = Chaos::short(seed);
        println!("{}", chaos.plan());
        let ledger = chaos.run().await;
        println!("{}", ledger.to_json());
        let complaints = ledger.complaints();
        assert!(complaints.is_empty(), "{complaints:#?}\n{}", ledger.details());
    }
}
