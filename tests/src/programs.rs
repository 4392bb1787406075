//! The programs that are tested.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const PROGRAMS: [&str; 4] = ["orgbridge", "callback-gateway", "resolver", "sink"];
/// Says `built` when all programs were built just before; see `scripts/test`.
const STATE: &str = "ORGBRIDGE_TEST_PROGRAMS";

/// Where a program is. All of them are built by one call, once per test binary, with the profile of the tests.
pub(crate) fn path(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(directory).join(name)
}

fn directory() -> PathBuf {
    let tests = env::current_exe().expect("the path of this test");
    let profile = tests.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let is_built = env::var_os(STATE).is_some_and(|state| state == "built");
    if !is_built {
        build(profile);
    }
    profile.to_owned()
}

fn build(profile: &Path) {
    let packages = PROGRAMS.into_iter().flat_map(|program| ["--package", program]);
    let release = profile.ends_with("release").then_some("--release");
    let cargo = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--bins"])
        .args(packages)
        .args(release)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo runs");
    assert!(cargo.success(), "the programs do not build");
}
