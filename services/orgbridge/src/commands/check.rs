//! `config check`

use service::{Config, Problem, TenantFile};

use super::{Done, Source};
use crate::{Output, failure::Failure, texts};

/// Checks the configuration and, where `tenants_dir` is set, the tenant files in it. All problems are told at once.
pub(super) fn check(source: &Source, output: &mut Output<'_>) -> Done {
    let language = output.language;
    let config = source.config()?;
    let mut problems = Vec::new();
    match source.file() {
        Some(file) => output.line(texts::config_is_fine(language, file.display()))?,
        None => output.line(texts::defaults_are_used(language))?,
    }
    check_tenants(&config, source, output, &mut problems)?;
    if problems.is_empty() { Ok(()) } else { Err(Failure::Wrong(problems)) }
}

fn check_tenants(config: &Config, source: &Source, output: &mut Output<'_>, problems: &mut Vec<String>) -> Done {
    let language = output.language;
    let Some(directory) = &config.tenants_dir else { return Ok(()) };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(texts::cannot_read_directory(language, directory.display(), error));
            return Ok(());
        }
    };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    for path in files {
        match TenantFile::read(&path, &source.environment) {
            Ok(file) => {
                output.line(texts::tenant_file_is_fine(language, path.display(), &file.id))?;
                for warning in file.warnings() {
                    output.aside(texts::warning(language, &file.id, warning))?;
                }
            }
            Err(found) => problems.extend(found.iter().map(Problem::to_string)),
        }
    }
    Ok(())
}
