//! From TOML, or from a stored document, to a [`TenantFile`].

mod platforms;

use std::{collections::BTreeSet, path::Path};

use common::{DestinationId, Platform, Secret, TenantId, Zone};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    DestinationFile, DestinationKind, DestinationSettings, DingtalkSection, JiandaoyunSection, Language, TenantFile,
    WecomSection, document, mapping,
};
use crate::{
    config::{is_http_url, is_lane},
    layers::{Environment, Layer, Problem, join},
};

type Tree = Map<String, Value>;

/// The keys above the first section.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Head {
    id: String,
    name: String,
    lane: Option<String>,
    language: Language,
    time_zone: Option<String>,
    directory: Option<Directory>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Directory {
    Wecom,
    Dingtalk,
}

/// The keys that all kinds of destinations have.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Common {
    id: String,
    kind: String,
    role: Option<Role>,
    backfill: bool,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Core,
}

const COMMON_KEYS: [&str; 4] = ["id", "kind", "role", "backfill"];

pub(super) fn from_toml(
    text: &str,
    source: &str,
    base_dir: &Path,
    environment: &Environment,
) -> Result<TenantFile, Vec<Problem>> {
    let mut layer = Layer::new(source, base_dir, environment);
    let mut tree = layer.parse(text);
    if !layer.problems.is_empty() && tree.is_empty() {
        return Err(layer.problems);
    }
    read_mapping(&mut layer, base_dir, &mut tree);
    from_tree(layer, tree, Origin::File)
}

/// Where a tenant is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file that is applied now.
    File,
    /// The database. What a former release took must stay readable, or nothing at all would be done for that tenant.
    Store,
}

/// Checks everything and builds the file, from values in which every reference has been resolved.
pub(super) fn from_tree(mut layer: Layer<'_>, tree: Tree, origin: Origin) -> Result<TenantFile, Vec<Problem>> {
    let mut document = Value::Object(tree.clone());
    document::for_each_secret(&mut document, &mut |path, value| {
        if value.is_object() || value.is_array() {
            layer.refuse(&path.replace('/', "."), "must be a text, or { env = .. } or { file = .. }");
        }
    });
    let mut head = Tree::new();
    let (mut wecom, mut dingtalk, mut jiandaoyun) = (None, None, None);
    let mut entries = Vec::new();
    for (key, value) in tree {
        match key.as_str() {
            "wecom" => wecom = Some(section::<WecomSection>(&mut layer, &key, value)),
            "dingtalk" => dingtalk = Some(section::<DingtalkSection>(&mut layer, &key, value)),
            "jiandaoyun" => jiandaoyun = Some(section::<JiandaoyunSection>(&mut layer, &key, value)),
            "destinations" => entries = list_of_tables(&mut layer, value),
            _ => drop(head.insert(key, value)),
        }
    }
    let head = head_of(&mut layer, head);
    if let Some(wecom) = &wecom {
        platforms::check_wecom(&mut layer, wecom);
    }
    if let Some(dingtalk) = &dingtalk {
        platforms::check_dingtalk(&mut layer, dingtalk, origin);
    }
    if let Some(jiandaoyun) = &jiandaoyun {
        platforms::check_jiandaoyun(&mut layer, jiandaoyun, origin);
        if origin == Origin::File && !jiandaoyun.mapping.is_null() {
            check_zone_of_forms(&mut layer, head.time_zone.as_deref());
        }
    }
    let platforms = Platforms { wecom: wecom.as_ref(), dingtalk: dingtalk.as_ref(), origin };
    let destinations = destinations(&mut layer, entries, platforms);
    let directory = directory(&mut layer, head.directory, wecom.is_some(), dingtalk.is_some());
    let id = head.id.parse::<TenantId>();
    match (layer.problems.is_empty(), id) {
        (true, Ok(id)) => {
            let name = if head.name.is_empty() { id.to_string() } else { head.name };
            let (document, secrets) = document::split(document);
            Ok(TenantFile {
                id,
                name,
                lane: head.lane.unwrap_or_else(|| "shared".to_owned()),
                language: head.language,
                time_zone: head.time_zone.unwrap_or_else(|| "Asia/Shanghai".to_owned()),
                directory,
                wecom,
                dingtalk,
                jiandaoyun,
                destinations,
                document,
                secrets,
            })
        }
        _ => Err(layer.problems),
    }
}

/// A section with the keys that were fine; the others are problems by now.
fn section<T: DeserializeOwned + Default>(layer: &mut Layer<'_>, path: &str, value: Value) -> T {
    let given = layer.section(path, value);
    let accepted = layer.accept::<T>(path, given);
    decode(layer, path, accepted)
}

fn decode<T: DeserializeOwned + Default>(layer: &mut Layer<'_>, path: &str, accepted: Tree) -> T {
    serde_json::from_value(Value::Object(accepted)).unwrap_or_else(|_| {
        // Each key was accepted alone, so this says that two keys contradict each other, which no section knows.
        layer.refuse(path, "cannot be read");
        T::default()
    })
}

fn head_of(layer: &mut Layer<'_>, given: Tree) -> Head {
    let refused_before = layer.problems.iter().any(|problem| problem.key == "id");
    let has_id = given.contains_key("id");
    let accepted = layer.accept::<Head>("", given);
    let head: Head = decode(layer, "", accepted);
    if !has_id && !refused_before {
        layer.refuse("id", "is required");
    } else if let Err(error) = head.id.parse::<TenantId>()
        && !layer.problems.iter().any(|problem| problem.key == "id")
    {
        layer.refuse("id", error.to_string());
    }
    if head.lane.as_deref().is_some_and(|lane| !is_lane(lane)) {
        layer.refuse("lane", "a lane has 1 to 63 characters out of a-z, 0-9 and -");
    }
    if head.time_zone.as_deref().is_some_and(|zone| !is_zone(zone)) {
        layer.refuse("time_zone", "must be a name such as Asia/Shanghai");
    }
    head
}

fn is_zone(zone: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    !zone.is_empty() && zone.bytes().all(allowed)
}

/// A form's dates are midnights of the tenant's zone, so its clocks must be known for every day.
fn check_zone_of_forms(layer: &mut Layer<'_>, zone: Option<&str>) {
    if zone.is_some_and(|zone| is_zone(zone) && Zone::named(zone).is_none()) {
        let why = "must be a zone without summer time, such as Asia/Shanghai: a form's dates are its midnights";
        layer.refuse("time_zone", why);
    }
}

fn directory(
    layer: &mut Layer<'_>,
    chosen: Option<Directory>,
    has_wecom: bool,
    has_dingtalk: bool,
) -> Option<Platform> {
    match (chosen, has_wecom, has_dingtalk) {
        (None, true, true) => {
            layer.refuse("directory", "is required when both platforms are configured: wecom or dingtalk");
            None
        }
        (Some(Directory::Wecom), false, _) => {
            layer.refuse("directory", "is wecom, but there is no [wecom] section");
            None
        }
        (Some(Directory::Dingtalk), _, false) => {
            layer.refuse("directory", "is dingtalk, but there is no [dingtalk] section");
            None
        }
        (Some(Directory::Wecom), ..) | (None, true, false) => Some(Platform::Wecom),
        (Some(Directory::Dingtalk), ..) | (None, false, true) => Some(Platform::Dingtalk),
        (None, false, false) => None,
    }
}

fn check_aes_key(layer: &mut Layer<'_>, key: &str, aes_key: &Secret) {
    if !crate::master_key::is_encoding_aes_key(aes_key) {
        layer.refuse(key, "must be 43 characters out of A-Z, a-z, 0-9, + and /");
    }
}

fn check_url(layer: &mut Layer<'_>, key: &str, url: &str) {
    if !is_http_url(url) {
        layer.refuse(key, "must be an http:// or https:// address");
    }
}

fn required(layer: &mut Layer<'_>, key: &str, value: &str) {
    let said_already = layer.problems.iter().any(|problem| problem.key == key);
    if value.is_empty() && !said_already {
        layer.refuse(key, "is required");
    }
}

fn list_of_tables(layer: &mut Layer<'_>, value: Value) -> Vec<Tree> {
    let Value::Array(list) = value else {
        layer.refuse("destinations", "must be a list: [[destinations]]");
        return Vec::new();
    };
    let paths = (1..).map(|place| format!("destinations[{place}]"));
    paths.zip(list).map(|(path, entry)| layer.section(&path, entry)).collect()
}

/// The sections that destinations take a default from, and where all of it is read from.
#[derive(Clone, Copy)]
struct Platforms<'a> {
    wecom: Option<&'a WecomSection>,
    dingtalk: Option<&'a DingtalkSection>,
    origin: Origin,
}

fn destinations(layer: &mut Layer<'_>, entries: Vec<Tree>, platforms: Platforms<'_>) -> Vec<DestinationFile> {
    let mut taken = BTreeSet::new();
    let mut out = Vec::new();
    for (place, entry) in (1..).zip(entries) {
        let id = entry.get("id").and_then(Value::as_str).filter(|id| id.parse::<DestinationId>().is_ok());
        let path = id.map_or_else(|| format!("destinations[{place}]"), |id| format!("destinations.{id}"));
        if let Some(id) = id
            && !taken.insert(id.to_owned())
        {
            layer.refuse(&path, "this id is taken by another destination");
        }
        out.extend(destination(layer, &path, entry, platforms));
    }
    out
}

fn destination(layer: &mut Layer<'_>, path: &str, entry: Tree, platforms: Platforms<'_>) -> Option<DestinationFile> {
    let (common, settings): (Tree, Tree) = entry.into_iter().partition(|(key, _)| COMMON_KEYS.contains(&key.as_str()));
    let accepted = layer.accept::<Common>(path, common);
    let common: Common = decode(layer, path, accepted);
    if let Err(error) = common.id.parse::<DestinationId>() {
        let key = join(path, "id");
        let why = if common.id.is_empty() { "is required".to_owned() } else { error.to_string() };
        layer.refuse(&key, why);
    }
    let Some(kind) = DestinationKind::from_name(&common.kind) else {
        let known: Vec<&str> = DestinationKind::ALL.iter().map(|kind| kind.as_str()).collect();
        layer.refuse(&join(path, "kind"), format!("must be one of {}", known.join(", ")));
        return None;
    };
    let settings = settings_of(layer, path, kind, settings, platforms);
    let core = common.role == Some(Role::Core);
    Some(DestinationFile { id: common.id.parse().ok()?, core, backfill: common.backfill, settings })
}

fn settings_of(
    layer: &mut Layer<'_>,
    path: &str,
    kind: DestinationKind,
    given: Tree,
    Platforms { wecom, dingtalk, origin }: Platforms<'_>,
) -> DestinationSettings {
    let given = Value::Object(given);
    let need = |layer: &mut Layer<'_>, key: &str, value: &str| required(layer, &join(path, key), value);
    match kind {
        DestinationKind::Postgres => {
            let settings: super::PostgresSettings = section(layer, path, given);
            check_scheme(layer, path, settings.url.expose(), &["postgres://", "postgresql://"]);
            need(layer, "schema", &settings.schema);
            DestinationSettings::Postgres(settings)
        }
        DestinationKind::Sqlite => {
            let settings: super::SqliteSettings = section(layer, path, given);
            check_scheme(layer, path, settings.url.expose(), &["sqlite://"]);
            DestinationSettings::Sqlite(settings)
        }
        DestinationKind::Scim => {
            let settings: super::ScimSettings = section(layer, path, given);
            check_url(layer, &join(path, "url"), &settings.url);
            need(layer, "token", settings.token.expose());
            DestinationSettings::Scim(settings)
        }
        DestinationKind::Webhook => {
            let settings: super::WebhookSettings = section(layer, path, given);
            check_url(layer, &join(path, "url"), &settings.url);
            need(layer, "secret", settings.secret.expose());
            DestinationSettings::Webhook(settings)
        }
        DestinationKind::WecomCallback => {
            let mut settings: super::WecomCallbackSettings = section(layer, path, given);
            if settings.receive_id.is_empty() {
                settings.receive_id = wecom.map(|wecom| wecom.corp_id.clone()).unwrap_or_default();
            }
            check_relay(layer, path, &settings.url, &settings.token, &settings.aes_key, settings.spacing_millis);
            need(layer, "receive_id", &settings.receive_id);
            DestinationSettings::WecomCallback(settings)
        }
        DestinationKind::DingtalkCallback => {
            let mut settings: super::DingtalkCallbackSettings = section(layer, path, given);
            if settings.receive_id.is_empty() {
                settings.receive_id = dingtalk.map(|dingtalk| dingtalk.client_id.clone()).unwrap_or_default();
            }
            check_relay(layer, path, &settings.url, &settings.token, &settings.aes_key, settings.spacing_millis);
            if origin == Origin::File {
                need(layer, "receive_id", &settings.receive_id);
            }
            DestinationSettings::DingtalkCallback(settings)
        }
        DestinationKind::Http => {
            let settings: super::HttpSettings = section(layer, path, given);
            check_url(layer, &join(path, "url"), &settings.url);
            DestinationSettings::Http(settings)
        }
        DestinationKind::WecomMembers => {
            if wecom.is_none() {
                layer.refuse(path, "writes with the tenant's [wecom] contact_secret, but there is no such section");
            }
            DestinationSettings::WecomMembers(section(layer, path, given))
        }
    }
}

fn check_scheme(layer: &mut Layer<'_>, path: &str, url: &str, schemes: &[&str]) {
    if !schemes.iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
        layer.refuse(&join(path, "url"), format!("must start with {}", schemes.join(" or ")));
    }
}

fn check_relay(layer: &mut Layer<'_>, path: &str, url: &str, token: &Secret, aes_key: &Secret, spacing_millis: u64) {
    check_url(layer, &join(path, "url"), url);
    required(layer, &join(path, "token"), token.expose());
    check_aes_key(layer, &join(path, "aes_key"), aes_key);
    if spacing_millis > 60_000 {
        layer.refuse(&join(path, "spacing_millis"), "must be at most 60000");
    }
}

/// Replaces the mapping's file names by the files' contents: other processes do not have the files.
fn read_mapping(layer: &mut Layer<'_>, base_dir: &Path, tree: &mut Tree) {
    let Some(mapping) = tree.get_mut("jiandaoyun").and_then(|section| section.get_mut("mapping")) else { return };
    match mapping {
        Value::String(name) => match read_json(base_dir, name) {
            Ok(content) => *mapping = content,
            Err(why) => layer.refuse("jiandaoyun.mapping", why),
        },
        Value::Object(halves) => {
            for half in ["source", "target"] {
                let Some(value) = halves.get_mut(half) else { continue };
                let Some(name) = value.as_str() else { continue };
                match read_json(base_dir, name) {
                    Ok(content) => *value = content,
                    Err(why) => layer.refuse(&format!("jiandaoyun.mapping.{half}"), why),
                }
            }
        }
        _ => layer.refuse("jiandaoyun.mapping", "must be a table or the name of a JSON file"),
    }
}

fn read_json(base_dir: &Path, name: &str) -> Result<Value, String> {
    let path = base_dir.join(name);
    let text = std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let unreadable = |why: String| format!("cannot read {}: {why}", path.display());
    let text = String::from_utf8(text).map_err(|error| unreadable(error.utf8_error().to_string()))?;
    mapping::read(&text).map_err(|error| unreadable(error.to_string()))
}
