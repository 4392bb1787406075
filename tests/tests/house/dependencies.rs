//! The table "who may know whom" of ARCHITECTURE.md, checked against the workspace's metadata.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Which of our crates each may know.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("common", &[]),
    ("directory", &["common"]),
    ("outbound", &["common"]),
    ("database", &["common"]),
    ("callback-crypto", &["common"]),
    ("platform-sim", &[]),
    ("wecom", &["common", "outbound", "callback-crypto"]),
    ("dingtalk", &["common", "outbound", "callback-crypto"]),
    ("jiandaoyun", &["common", "outbound", "callback-crypto"]),
    ("store", &["common", "database", "directory"]),
    ("broker", &["common", "database"]),
    ("destinations", &["common", "outbound", "database", "wecom", "dingtalk"]),
    ("service", &["common", "outbound", "database", "store", "broker"]),
    ("callback-gateway", CRATES),
    ("resolver", CRATES),
    ("sink", CRATES),
    ("synchronizer", CRATES),
];

/// What services may know: crates, never each other.
const CRATES: &[&str] = &[
    "common",
    "directory",
    "outbound",
    "database",
    "wecom",
    "dingtalk",
    "jiandaoyun",
    "store",
    "broker",
    "destinations",
    "service",
];

/// Know everyone, and nobody knows them except each other and as a dev-dependency.
const TESTS_ONLY: &[&str] = &["test-kit", "properties", "tests", "bench"];

/// Nothing like this may be in reach of the pure crates.
const IMPURE: &[&str] =
    &["tokio", "async-trait", "futures", "mio", "reqwest", "hyper", "actix-web", "diesel", "rand", "socket2"];

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).exec().unwrap()
}

#[test]
fn nobody_knows_whom_it_may_not_know() {
    let metadata = metadata();
    let ours: BTreeSet<String> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    let table: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let mut forbidden = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        if TESTS_ONLY.contains(&name) {
            continue;
        }
        for dependency in package.dependencies.iter().filter(|dependency| ours.contains(&dependency.name)) {
            let is_dev = dependency.kind == DependencyKind::Development;
            let may = match table.get(name) {
                _ if is_dev => true,
                Some(allowed) => allowed.contains(&dependency.name.as_str()),
                None => name == "orgbridge" && !TESTS_ONLY.contains(&dependency.name.as_str()),
            };
            if !may {
                forbidden.push(format!("{name} -> {}", dependency.name));
            }
        }
    }
    assert!(forbidden.is_empty(), "edges that ARCHITECTURE.md does not allow: {forbidden:?}");
}

#[test]
fn every_crate_is_in_the_table() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let known =
            MAY_KNOW.iter().any(|(known, _)| *known == name) || TESTS_ONLY.contains(&name) || name == "orgbridge";
        assert!(known, "{name} is not in the table of who may know whom");
    }
}

#[test]
fn nothing_but_tests_switches_crash_points_on() {
    let switches = |feature: &String| feature.ends_with("crash-points") || feature.ends_with("failpoints");
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let by_feature = package.features.iter().filter(|(name, _)| *name != "crash-points");
        let for_good = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        let mut switched = by_feature.flat_map(|(_, features)| features);
        assert!(!switched.any(switches), "a feature of {} switches crash points on", package.name);
        let mut switched = for_good.flat_map(|dependency| &dependency.features);
        assert!(!switched.any(switches), "a dependency of {} switches crash points on", package.name);
    }
    let image = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/Dockerfile");
    let image = std::fs::read_to_string(image).unwrap();
    assert!(!image.contains("crash-points") && !image.contains("all-features"), "the image has crash points");
}

#[test]
fn the_pure_crates_reach_nothing_async_networked_or_clocked() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().unwrap();
    let names: BTreeMap<_, _> = metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
    for pure in ["common", "directory"] {
        let mut reached = BTreeSet::new();
        let mut open: Vec<_> =
            resolve.nodes.iter().filter(|node| names[&node.id] == pure).map(|node| &node.id).collect();
        while let Some(id) = open.pop() {
            let node = resolve.nodes.iter().find(|node| &node.id == id).unwrap();
            for dependency in &node.deps {
                let is_normal = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
                if is_normal && reached.insert(&dependency.pkg) {
                    open.push(&dependency.pkg);
                }
            }
        }
        let impure: Vec<&str> = reached.iter().map(|id| names[*id]).filter(|name| IMPURE.contains(name)).collect();
        assert!(impure.is_empty(), "{pure} reaches {impure:?}");
    }
}

#[test]
fn jiff_reads_no_clock_in_the_pure_crates() {
    let metadata = metadata();
    let jiff = metadata.packages.iter().find(|package| package.name.as_str() == "common").unwrap();
    let dependency = jiff.dependencies.iter().find(|dependency| dependency.name == "jiff").unwrap();
    assert!(!dependency.uses_default_features, "jiff's default features read the system's clock and time zones");
    assert_eq!(dependency.features, ["alloc"]);
}
