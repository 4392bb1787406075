//! Order does not matter.
#[cfg(test)]
mod bugs;
#[cfg(test)]
mod destination;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod model;
#[cfg(test)]
mod random;
#[cfg(test)]
mod run;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod shrink;

#[test]
fn million() {
    std::thread::scope(|scope| {
        for thread in 0..2 {
            scope.spawn(move || {
                for seed in 0..200_000u64 {
                    if let Err(reason) = random::run_seed(seed * 2 + thread, None) {
                        panic!("seed {}\n{reason}", seed * 2 + thread);
                    }
                }
            });
        }
    });
}
