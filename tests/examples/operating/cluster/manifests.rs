//! What the manifests say of each process, read as kubelet and controllers read it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

const RENDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/operating/cluster/render.py");
/// What Kubernetes takes where a manifest does not say.
const USUAL_SHARE: &str = "25%";
const USUAL_GRACE_SECONDS: u64 = 30;
const USUAL_PERIOD_SECONDS: u64 = 10;
const USUAL_TIMEOUT_SECONDS: u64 = 1;
const USUAL_FAILURES: u64 = 3;
const USUAL_MODE: u64 = 0o644;

/// Files by name.
pub(super) type Files = BTreeMap<String, String>;

/// All objects of an overlay.
pub(super) struct Manifests(Vec<Value>);

/// A StatefulSet or a Deployment.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) rollout: Rollout,
    /// How long a pod must have been ready until it counts as available.
    pub(super) min_ready: Duration,
    pub(super) pod: Arc<PodSpec>,
}

/// How pods are replaced by newer ones.
#[derive(Debug)]
pub(super) enum Rollout {
    /// The one of the highest number first, each under its own name and on its own volume.
    OneByOne,
    /// With so many more for a while, and so many fewer.
    Surging { surge: Share, unavailable: Share },
    /// All go before the first one comes.
    Recreate,
}

/// A part of the replicas.
#[derive(Debug)]
pub(super) enum Share {
    Count(usize),
    Percent(usize),
}

/// A pod with one container.
#[derive(Debug)]
pub(super) struct PodSpec {
    pub(super) command: Vec<String>,
    pub(super) working_directory: String,
    pub(super) env: Vec<(String, EnvValue)>,
    pub(super) ports: BTreeMap<String, u16>,
    pub(super) user: u32,
    pub(super) group: u32,
    /// Who owns what is in volumes.
    pub(super) volume_group: u32,
    pub(super) has_read_only_root: bool,
    pub(super) drops_capabilities: bool,
    pub(super) may_gain_privileges: bool,
    /// What comes before SIGTERM, and counts as a part of the grace.
    pub(super) pre_stop: Duration,
    pub(super) grace: Duration,
    pub(super) startup: Option<Probe>,
    pub(super) readiness: Option<Probe>,
    pub(super) liveness: Option<Probe>,
    pub(super) mounts: Vec<Mount>,
}

#[derive(Debug)]
pub(super) enum EnvValue {
    Text(String),
    PodName,
    PodAddress,
}

/// A question over HTTP.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) path: String,
    pub(super) port: u16,
    pub(super) delay: Duration,
    pub(super) period: Duration,
    pub(super) timeout: Duration,
    /// So many bad answers in a row count.
    pub(super) failures: u64,
}

#[derive(Debug)]
pub(super) struct Mount {
    pub(super) path: String,
    pub(super) is_read_only: bool,
    pub(super) volume: String,
    pub(super) source: Source,
}

/// What is in a volume.
#[derive(Debug)]
pub(super) enum Source {
    Config {
        files: Files,
        mode: u32,
    },
    /// Files of the Secret of that name, which is not among the manifests; all of them, or those that are listed.
    Secret {
        name: String,
        only: Option<BTreeSet<String>>,
        mode: u32,
    },
    /// Outlives the pod, and is the next one's of the same name.
    Claim,
    /// Goes with the pod.
    Scratch,
}

impl Manifests {
    /// Of an overlay, such as `k8s/overlays/small`, or of a file with rendered manifests.
    pub(super) fn render(overlay: &Path) -> Self {
        let rendered = Command::new("python3").arg(RENDER).arg(overlay).output().expect("python3 runs");
        assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
        Self(serde_json::from_slice(&rendered.stdout).expect("a list of objects"))
    }

    pub(super) fn workload(&self, name: &str) -> Workload {
        let is_it = |object: &&Value| {
            matches!(object["kind"].as_str(), Some("StatefulSet" | "Deployment")) && object["metadata"]["name"] == name
        };
        let object = self.0.iter().find(is_it).unwrap_or_else(|| panic!("no workload {name} in the manifests"));
        let spec = &object["spec"];
        Workload {
            rollout: rollout(object),
            min_ready: seconds(&spec["minReadySeconds"], 0),
            pod: Arc::new(self.pod(&spec["template"]["spec"], &spec["volumeClaimTemplates"])),
        }
    }

    /// The Job that brings the database up to date.
    pub(super) fn migration(&self) -> PodSpec {
        let mut jobs = self.0.iter().filter(|object| object["kind"] == "Job");
        let pod_of = |job: &Value| self.pod(&job["spec"]["template"]["spec"], &Value::Null);
        jobs.find_map(|job| Some(pod_of(job)).filter(|pod| pod.command.iter().any(|word| word == "migrate")))
            .expect("a Job that migrates, in the manifests")
    }

    fn pod(&self, pod: &Value, claims: &Value) -> PodSpec {
        let [container] = list(&pod["containers"]) else { panic!("not one container: {}", pod["containers"]) };
        for unknown in [&pod["initContainers"], &container["envFrom"], &container["lifecycle"]["preStop"]["exec"]] {
            assert!(unknown.is_null(), "that is not understood here: {unknown}");
        }
        let (of_pod, own) = (&pod["securityContext"], &container["securityContext"]);
        let id = |name: &str| {
            let id = own[name].as_u64().or(of_pod[name].as_u64());
            u32::try_from(id.unwrap_or_else(|| panic!("no {name}"))).expect("an id")
        };
        let ports = ports(container);
        let probe = |name: &str| Probe::read(&container[name], &ports);
        let volume_group = of_pod["fsGroup"].as_u64().map(|group| u32::try_from(group).expect("an id"));
        PodSpec {
            command: list(&container["command"]).iter().chain(list(&container["args"])).map(text).collect(),
            working_directory: container["workingDir"].as_str().unwrap_or("/").to_owned(),
            env: list(&container["env"]).iter().map(env_value).collect(),
            user: id("runAsUser"),
            group: id("runAsGroup"),
            volume_group: volume_group.unwrap_or_else(|| id("runAsGroup")),
            has_read_only_root: own["readOnlyRootFilesystem"] == true,
            drops_capabilities: list(&own["capabilities"]["drop"]).iter().any(|dropped| dropped == "ALL"),
            may_gain_privileges: own["allowPrivilegeEscalation"] != false,
            pre_stop: seconds(&container["lifecycle"]["preStop"]["sleep"]["seconds"], 0),
            grace: seconds(&pod["terminationGracePeriodSeconds"], USUAL_GRACE_SECONDS),
            startup: probe("startupProbe"),
            readiness: probe("readinessProbe"),
            liveness: probe("livenessProbe"),
            mounts: list(&container["volumeMounts"]).iter().map(|mount| self.mount(mount, pod, claims)).collect(),
            ports,
        }
    }

    fn mount(&self, mount: &Value, pod: &Value, claims: &Value) -> Mount {
        let name = text(&mount["name"]);
        assert!(mount["subPath"].is_null(), "a part of the volume {name} is not understood here");
        let volume = list(&pod["volumes"]).iter().find(|volume| volume["name"] == name.as_str());
        let is_claimed = list(claims).iter().any(|claim| claim["metadata"]["name"] == name.as_str());
        let source = match volume {
            None if is_claimed => Source::Claim,
            Some(volume) if volume["configMap"].is_object() => self.config(&volume["configMap"]),
            Some(volume) if volume["secret"].is_object() => secret(&volume["secret"]),
            Some(volume) if volume["emptyDir"].is_object() => Source::Scratch,
            other => panic!("the volume {name} is not understood here: {other:?}"),
        };
        Mount { path: text(&mount["mountPath"]), is_read_only: mount["readOnly"] == true, volume: name, source }
    }

    fn config(&self, volume: &Value) -> Source {
        let named = |object: &&Value| object["kind"] == "ConfigMap" && object["metadata"]["name"] == volume["name"];
        let map = self.0.iter().find(named).unwrap_or_else(|| panic!("no ConfigMap {}", volume["name"]));
        let files = map["data"].as_object().into_iter().flatten().map(|(name, content)| (name.clone(), text(content)));
        Source::Config { files: files.collect(), mode: mode(volume) }
    }
}

impl Share {
    fn read(value: &Value) -> Self {
        let share = value.as_u64().map_or_else(|| value.as_str().unwrap_or(USUAL_SHARE).to_owned(), |n| n.to_string());
        match share.strip_suffix('%') {
            Some(percent) => Self::Percent(percent.parse().expect("a percentage")),
            None => Self::Count(share.parse().expect("a count")),
        }
    }

    /// Of so many replicas: a surge is rounded up.
    pub(super) fn surge(&self, replicas: usize) -> usize {
        match self {
            Self::Count(count) => *count,
            Self::Percent(percent) => (replicas * percent).div_ceil(100),
        }
    }

    /// And what may be missing is rounded down.
    pub(super) fn unavailable(&self, replicas: usize) -> usize {
        match self {
            Self::Count(count) => *count,
            Self::Percent(percent) => replicas * percent / 100,
        }
    }
}

impl Probe {
    fn read(probe: &Value, ports: &BTreeMap<String, u16>) -> Option<Self> {
        if probe.is_null() {
            return None;
        }
        let get = &probe["httpGet"];
        assert!(get.is_object(), "a probe that is not over HTTP: {probe}");
        let port = get["port"].as_str().map_or_else(
            || get["port"].as_u64().and_then(|port| u16::try_from(port).ok()),
            |name| ports.get(name).copied(),
        );
        Some(Self {
            path: get["path"].as_str().unwrap_or("/").to_owned(),
            port: port.unwrap_or_else(|| panic!("a probe of no port: {probe}")),
            delay: seconds(&probe["initialDelaySeconds"], 0),
            period: seconds(&probe["periodSeconds"], USUAL_PERIOD_SECONDS),
            timeout: seconds(&probe["timeoutSeconds"], USUAL_TIMEOUT_SECONDS),
            failures: probe["failureThreshold"].as_u64().unwrap_or(USUAL_FAILURES),
        })
    }
}

fn rollout(object: &Value) -> Rollout {
    let strategy = &object["spec"]["strategy"];
    if object["kind"] == "StatefulSet" {
        return Rollout::OneByOne;
    }
    if strategy["type"] == "Recreate" {
        return Rollout::Recreate;
    }
    let rolling = &strategy["rollingUpdate"];
    Rollout::Surging { surge: Share::read(&rolling["maxSurge"]), unavailable: Share::read(&rolling["maxUnavailable"]) }
}

fn ports(container: &Value) -> BTreeMap<String, u16> {
    let number = |port: &Value| u16::try_from(port["containerPort"].as_u64().expect("a port")).expect("a port");
    list(&container["ports"]).iter().map(|port| (text(&port["name"]), number(port))).collect()
}

fn env_value(variable: &Value) -> (String, EnvValue) {
    let from = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str();
    let value = match (variable["value"].as_str(), from) {
        (Some(value), _) => EnvValue::Text(value.to_owned()),
        (None, Some("metadata.name")) => EnvValue::PodName,
        (None, Some("status.podIP")) => EnvValue::PodAddress,
        _ => panic!("where that comes from is not understood here: {variable}"),
    };
    (text(&variable["name"]), value)
}

fn secret(volume: &Value) -> Source {
    let items = volume["items"].as_array();
    let only = items.map(|items| {
        let same = |item: &Value| item["key"] == item["path"];
        assert!(items.iter().all(same), "a secret's file of another name is not understood here: {volume}");
        items.iter().map(|item| text(&item["key"])).collect()
    });
    Source::Secret { name: text(&volume["secretName"]), only, mode: mode(volume) }
}

fn mode(volume: &Value) -> u32 {
    u32::try_from(volume["defaultMode"].as_u64().unwrap_or(USUAL_MODE)).expect("a file mode")
}

fn seconds(value: &Value, usual: u64) -> Duration {
    Duration::from_secs(value.as_u64().unwrap_or(usual))
}

/// Nothing is an empty list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}
