//! `tenants_dir`: files in it are applied at start and when they change.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::ApplyError;
use crate::{Context, Environment, TenantFile};
use futures::future::BoxFuture;

/// How often the directory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one state of a file from another.
type Fingerprint = (Option<SystemTime>, u64);

/// A directory of tenant files that is watched.
pub struct TenantsDirectory {
    ctx: Context,
    path: PathBuf,
    environment: Environment,
    seen: BTreeMap<PathBuf, Fingerprint>,
}

impl TenantsDirectory {
    /// Nothing is read yet.
    pub fn new(ctx: Context, path: PathBuf, environment: Environment) -> Self {
        Self { ctx, path, environment, seen: BTreeMap::new() }
    }

    /// Applies what is there, then watches in the background. To be called before any service starts: the first callback is to
    /// find its tenant.
    ///
    /// # Errors
    /// When the tenants cannot be read back.
    pub fn start(ctx: &Context, path: PathBuf, environment: Environment) -> BoxFuture<'_, database::Result<()>> {
        Box::pin(async move {
            let mut directory = Self::new(ctx.clone(), path, environment);
            directory.apply().await;
            ctx.tenants.refresh().await?;
            ctx.spawn("tenants_dir", directory.watch());
            Ok(())
        })
    }

    /// Applies the `*.toml` that are new or have changed. A file that is refused is logged and left until it changes: it
    /// must not hold up the other tenants. A file that disappears removes nothing.
    pub async fn apply(&mut self) {
        let files = match look(&self.path) {
            Ok(files) => files,
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "cannot read tenants_dir");
                return;
            }
        };
        self.seen.retain(|path, _| files.contains_key(path));
        for (path, fingerprint) in files {
            if self.seen.get(&path) != Some(&fingerprint) && apply_file(&self.ctx, &self.environment, &path).await {
                self.seen.insert(path, fingerprint);
            }
        }
    }

    /// Applies what changes until the process is told to stop.
    pub async fn watch(mut self) {
        let stop = self.ctx.stop.clone();
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            self.apply().await;
        }
    }
}

fn look(directory: &Path) -> io::Result<BTreeMap<PathBuf, Fingerprint>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        // Asked of the path, not of the entry: mounted configuration is made of symbolic links.
        if path.extension().is_some_and(|extension| extension == "toml")
            && let Ok(metadata) = std::fs::metadata(&path)
        {
            files.insert(path, (metadata.modified().ok(), metadata.len()));
        }
    }
    Ok(files)
}

/// Whether the file is dealt with for good; `false` when it is worth another try.
async fn apply_file(ctx: &Context, environment: &Environment, path: &Path) -> bool {
    let file = match TenantFile::read(path, environment) {
        Ok(file) => file,
        Err(problems) => {
            for problem in problems {
                tracing::error!(%problem, "a tenant file is refused");
            }
            return true;
        }
    };
    match super::apply(&ctx.database, &ctx.sealer, &file, ctx.clock.now()).await {
        Ok(applied) => {
            if applied.changed {
                tracing::info!(tenant.id = %file.id, created = applied.created, "applied a tenant");
                for warning in file.warnings() {
                    tracing::warn!(tenant.id = %file.id, "{warning}");
                }
            }
            true
        }
        // Said once: only another file changes that.
        Err(error @ ApplyError::ClientIdTaken { .. }) => {
            tracing::error!(tenant.id = %file.id, %error, "a tenant file is refused");
            true
        }
        Err(error) => {
            tracing::error!(tenant.id = %file.id, error = %format!("{:#}", anyhow::Error::new(error)), "cannot apply");
            false
        }
    }
}
