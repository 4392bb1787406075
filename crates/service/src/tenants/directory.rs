//! `tenants_dir`: files in it are applied at start and when they change.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{Context, Environment, TenantFile};

/// How often the directory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one state of a file from another.
type Fingerprint = (Option<SystemTime>, u64);

/// Applies `*.toml` of a directory, and again whenever one of them changes, until told to stop. A file that is refused is
/// logged and left until it changes: it must not hold up the other tenants. A file that disappears removes nothing.
pub async fn watch_directory(ctx: Context, directory: PathBuf, environment: Environment) {
    let mut seen = BTreeMap::new();
    loop {
        match look(&directory) {
            Ok(files) => apply_changed(&ctx, &environment, &mut seen, files).await,
            Err(error) => tracing::warn!(path = %directory.display(), %error, "cannot read tenants_dir"),
        }
        if ctx.stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
            return;
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

async fn apply_changed(
    ctx: &Context,
    environment: &Environment,
    seen: &mut BTreeMap<PathBuf, Fingerprint>,
    files: BTreeMap<PathBuf, Fingerprint>,
) {
    seen.retain(|path, _| files.contains_key(path));
    for (path, fingerprint) in files {
        if seen.get(&path) != Some(&fingerprint) && apply_file(ctx, environment, &path).await {
            seen.insert(path, fingerprint);
        }
    }
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
        Err(error) => {
            tracing::error!(tenant.id = %file.id, error = %format!("{:#}", anyhow::Error::new(error)), "cannot apply");
            false
        }
    }
}
