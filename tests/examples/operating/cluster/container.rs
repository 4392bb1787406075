//! A container without an engine: the file system, user and rights that a manifest asks for, around a program of this machine.
//!
//! What differs from a cluster: the network is this machine's, so each pod has an address of its own within 127.0.0.0/8, and listens at
//! that instead of at all of them; what stands for destinations and platforms is on loopback, and allowed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv4Addr,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use super::manifests::{EnvValue, Files, Mount, PodSpec, Source};

const ENTER: &str = include_str!("container.sh");
/// As images have it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where the image has our programs.
const PROGRAMS: &str = "/usr/local/bin";
/// What every container has of the machine.
const OF_THE_MACHINE: [(&str, &str); 7] = [
    ("ro", "/usr"),
    ("ro", "/etc/ssl"),
    ("ro", "/etc/hosts"),
    ("ro", "/etc/resolv.conf"),
    ("rw", "/proc"),
    ("rw", "/dev/null"),
    ("rw", "/dev/urandom"),
];
/// The networks of what this machine has instead of the world.
const NETWORKS: &str = "127.0.0.0/8";

/// The Secrets by name. The name in a manifest may have a hash behind it.
pub(super) type Secrets = BTreeMap<String, Files>;

/// What one pod's container is made of.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) spec: Arc<PodSpec>,
    pod: String,
    address: Ipv4Addr,
    programs: PathBuf,
    root: PathBuf,
    /// Each mount and where its files are.
    volumes: Vec<(PathBuf, String, bool)>,
}

impl Container {
    /// Puts its files into `directory`, and what outlives it into `claims`.
    pub(super) fn prepare(
        spec: &Arc<PodSpec>,
        (pod, address): (&str, Ipv4Addr),
        programs: &Path,
        (directory, claims): (&Path, &Path),
        secrets: &Secrets,
    ) -> Self {
        let root = directory.join("root");
        fs::create_dir_all(&root).expect("a directory");
        let volume = |mount: &Mount| {
            let place = match mount.source {
                Source::Claim => claims.join(format!("{}-{pod}", mount.volume)),
                _ => directory.join(&mount.volume),
            };
            fill(&place, mount, spec, secrets);
            (place, mount.path.clone(), mount.is_read_only)
        };
        Self {
            spec: Arc::clone(spec),
            pod: pod.to_owned(),
            address,
            programs: programs.to_owned(),
            volumes: spec.mounts.iter().map(volume).collect(),
            root,
        }
    }

    /// A command in it that does not run yet: the specification's own, or one as by `kubectl exec`. The process has the id of the
    /// program itself, and ends with the thread that starts it.
    pub(super) fn command(&self, words: &[String]) -> Command {
        let mode = |is_read_only: bool| if is_read_only { "ro" } else { "rw" };
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "/bin/sh", "-c", ENTER, "container"]);
        command.arg(&self.root).arg(mode(self.spec.has_read_only_root)).arg(&self.spec.working_directory);
        for (mode, path) in OF_THE_MACHINE {
            command.args([mode, path, path]);
        }
        command.arg("ro").arg(&self.programs).arg(PROGRAMS);
        for (place, path, is_read_only) in &self.volumes {
            command.arg(mode(*is_read_only)).arg(place).arg(path);
        }
        command.arg("--").args(self.switch()).args(words);
        command.env_clear().env("PATH", PATH).envs(self.env()).stdin(Stdio::null());
        command
    }

    /// Becomes its user, with the rights that the manifest leaves it.
    fn switch(&self) -> Vec<String> {
        let PodSpec { user, group, volume_group, drops_capabilities, may_gain_privileges, .. } = &*self.spec;
        let mut words = vec![
            "setpriv".to_owned(),
            format!("--reuid={user}"),
            format!("--regid={group}"),
            format!("--groups={volume_group}"),
            "--pdeathsig=KILL".to_owned(),
        ];
        if *drops_capabilities {
            words.extend(["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"].map(str::to_owned));
        }
        if !may_gain_privileges {
            words.push("--no-new-privs".to_owned());
        }
        words
    }

    fn env(&self) -> Vec<(String, String)> {
        let value = |value: &EnvValue| match value {
            EnvValue::Text(text) => text.clone(),
            EnvValue::PodName => self.pod.clone(),
            EnvValue::PodAddress => self.address.to_string(),
        };
        let mut env: Vec<(String, String)> =
            self.spec.env.iter().map(|(name, told)| (name.clone(), value(told))).collect();
        for (port, section) in [("http", "CALLBACK_GATEWAY"), ("admin", "ADMIN")] {
            if let Some(port) = self.spec.ports.get(port) {
                env.push((format!("ORGBRIDGE__{section}__LISTEN"), format!("{}:{port}", self.address)));
            }
        }
        for section in ["SINK", "SYNCHRONIZER"] {
            env.push((format!("ORGBRIDGE__{section}__ALLOWED_NETWORKS"), NETWORKS.to_owned()));
        }
        env
    }
}

/// Makes a volume's files as kubelet does: readable by the group that the manifest gives volumes to.
fn fill(place: &Path, mount: &Mount, spec: &PodSpec, secrets: &Secrets) {
    let (files, mode) = match &mount.source {
        Source::Config { files, mode } => (files.clone(), *mode),
        Source::Secret { name, only, mode } => (chosen(secrets, name, only.as_ref()), *mode),
        Source::Claim | Source::Scratch => (Files::new(), 0),
    };
    fs::create_dir_all(place).expect("a volume");
    let is_writable = matches!(mount.source, Source::Claim | Source::Scratch);
    give(place, spec.volume_group, if is_writable { 0o2770 } else { 0o755 });
    for (name, content) in files {
        let file = place.join(name);
        fs::write(&file, content).expect("a file of a volume");
        give(&file, spec.volume_group, mode);
    }
}

/// The longest name that fits: one Secret's name may begin like another one's.
fn chosen(secrets: &Secrets, name: &str, only: Option<&BTreeSet<String>>) -> Files {
    let fitting = secrets.iter().filter(|(known, _)| name.starts_with(known.as_str()));
    let (_, files) = fitting.max_by_key(|(known, _)| known.len()).unwrap_or_else(|| panic!("no Secret {name}"));
    let is_wanted = |file: &String| only.is_none_or(|only| only.contains(file));
    files.iter().filter(|(file, _)| is_wanted(file)).map(|(file, content)| (file.clone(), content.clone())).collect()
}

fn give(path: &Path, group: u32, mode: u32) {
    chown(path, Some(0), Some(group)).expect("root gives files away");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
}
