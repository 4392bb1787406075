//! The programs that are tested.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const PROGRAMS: [&str; 5] = ["orgbridge", "callback-gateway", "resolver", "sink", "synchronizer"];
/// Says `built` when all programs were built just before; see `scripts/test`.
const STATE: &str = "ORGBRIDGE_TEST_PROGRAMS";

/// Where a program is.
pub(crate) fn path(name: &str) -> PathBuf {
    programs().join(name)
}

/// Where the programs are. All of them are built by one call, once per process, with the profile of who asks.
///
/// # Panics
/// When they do not build.
pub fn programs() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(directory)
}

fn directory() -> PathBuf {
    let this = env::current_exe().expect("the path of this program");
    let directory = this.parent().expect("target/PROFILE, or a directory in it");
    // Tests and examples have directories of their own there.
    let nested = directory.ends_with("deps") || directory.ends_with("examples");
    let profile = if nested { directory.parent().expect("target/PROFILE") } else { directory };
    let is_built = env::var_os(STATE).is_some_and(|state| state == "built");
    if !is_built {
        build(profile, directory.ends_with("deps"));
    }
    profile.to_owned()
}

/// For tests with crash points, as they are when cargo builds all of the workspace for tests; what is measured is what is shipped.
fn build(profile: &Path, for_tests: bool) {
    let packages = PROGRAMS.into_iter().flat_map(|program| ["--package", program]);
    let features = for_tests.then_some("--features=crash-points");
    let release = profile.ends_with("release").then_some("--release");
    let cargo = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--bins"])
        .args(packages)
        .args(features)
        .args(release)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo runs");
    assert!(cargo.success(), "the programs do not build");
}
