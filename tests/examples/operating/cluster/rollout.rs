//! How controllers replace, add and take away pods.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    Cluster, Exit, Pod, Release,
    manifests::{Rollout, Workload},
};

const TICK: Duration = Duration::from_millis(50);
/// How long one step may take; a Deployment gives up after 600 s.
const PROGRESS: Duration = Duration::from_secs(180);

/// Waits, and not for ever.
struct Patience(Instant);

impl Patience {
    fn new() -> Self {
        Self(Instant::now() + PROGRESS)
    }

    async fn wait(&self, pod: &Pod) {
        let is_late = Instant::now() > self.0;
        assert!(!is_late, "{} did not get available within {PROGRESS:?}; {}", pod.name, pod.last_words());
        sleep(TICK).await;
    }
}

impl Cluster {
    /// Replaces all pods of a service, as `kubectl rollout restart`; all of them are available, and the others gone, when this returns.
    pub(crate) async fn roll(&self, service: &'static str, release: &Release) -> Vec<Exit> {
        let workload = release.workload(service);
        let mut pods = self.pods_of(service);
        match &workload.rollout {
            Rollout::OneByOne => {
                pods.sort_by(|one, other| one.name.cmp(&other.name));
                let mut exits = Vec::new();
                for pod in pods.iter().rev() {
                    exits.push(self.replace(pod, release).await);
                }
                exits
            }
            Rollout::Recreate => {
                let exits = delete(pods.clone()).join_all().await;
                let new: Vec<_> = pods.iter().map(|_| self.add(release, service, None)).collect();
                self.become_available(&new, release).await;
                exits
            }
            Rollout::Surging { surge, unavailable } => {
                let (surge, unavailable) = (surge.surge(pods.len()), unavailable.unavailable(pods.len()));
                // Kubernetes does the same where both are 0 by rounding.
                let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
                self.surge(service, release, pods, (surge, unavailable)).await
            }
        }
    }

    /// Replaces one pod: that of a StatefulSet goes before the next one of its name comes, any other one the other way round.
    pub(crate) async fn replace(&self, pod: &Arc<Pod>, release: &Release) -> Exit {
        match release.workload(pod.service).rollout {
            Rollout::OneByOne => {
                let exit = pod.delete().await;
                let next = self.start_pod(release, pod.service, pod.name.clone(), self.next_address());
                self.becomes_available(&next, release).await;
                exit
            }
            Rollout::Recreate => {
                let exit = pod.delete().await;
                self.becomes_available(&self.add(release, pod.service, None), release).await;
                exit
            }
            Rollout::Surging { .. } => {
                self.becomes_available(&self.add(release, pod.service, None), release).await;
                pod.delete().await
            }
        }
    }

    /// So many pods more of a service, under names that none had before. They may not be available yet.
    pub(crate) fn scale_up(&self, service: &'static str, more: usize, release: &Release) -> Vec<Arc<Pod>> {
        let all = self.pods();
        let names: BTreeSet<&str> =
            all.iter().filter(|pod| pod.service == service).map(|pod| pod.name.as_str()).collect();
        let first = names.len();
        (first..first + more).map(|ordinal| self.add(release, service, Some(ordinal))).collect()
    }

    /// Waits until all of them count as available.
    pub(crate) async fn become_available(&self, pods: &[Arc<Pod>], release: &Release) {
        for pod in pods {
            self.becomes_available(pod, release).await;
        }
    }

    async fn becomes_available(&self, pod: &Pod, release: &Release) {
        let patience = Patience::new();
        while !pod.is_ready_for(release.workload(pod.service).min_ready) {
            patience.wait(pod).await;
        }
    }

    /// So many pods less of a service: the newest go.
    pub(crate) async fn scale_down(&self, service: &'static str, fewer: usize) -> Vec<Exit> {
        let pods = self.pods_of(service);
        delete(pods.into_iter().rev().take(fewer)).join_all().await
    }

    async fn surge(
        &self,
        service: &'static str,
        release: &Release,
        old: Vec<Arc<Pod>>,
        (surge, unavailable): (usize, usize),
    ) -> Vec<Exit> {
        let Workload { min_ready, .. } = release.workload(service);
        let is_available = |pod: &Arc<Pod>| pod.is_ready_for(*min_ready);
        let replicas = old.len();
        let (most, least) = (replicas + surge, replicas - unavailable.min(replicas));
        let mut old = VecDeque::from(old);
        let (mut new, mut leaving) = (Vec::new(), JoinSet::new());
        let mut patience = Patience::new();
        loop {
            while new.len() < replicas && old.len() + new.len() < most {
                new.push(self.add(release, service, None));
            }
            let available = old.iter().chain(&new).filter(|pod| is_available(pod)).count();
            // One that serves nobody may always go, any other one only while enough of them serve.
            let goes = old.iter().position(|pod| !is_available(pod)).or_else(|| (available > least).then_some(0));
            if let Some(pod) = goes.and_then(|place| old.remove(place)) {
                leaving.spawn(async move { pod.delete().await });
                patience = Patience::new();
                continue;
            }
            if old.is_empty() && new.len() == replicas && available == replicas {
                return leaving.join_all().await;
            }
            if let Some(newest) = new.last() {
                patience.wait(newest).await;
            }
        }
    }
}

fn delete(pods: impl IntoIterator<Item = Arc<Pod>>) -> JoinSet<Exit> {
    pods.into_iter().map(|pod| async move { pod.delete().await }).collect()
}
