//! The master key, and the shape of keys in general.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, bail};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use common::Secret;
use store::Sealer;

use crate::config::MasterKey;

/// WeCom's `EncodingAESKey` leaves two bits of its last character unused, and they need not be zero.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Whether a text is a master key.
pub(crate) fn check(key: &Secret) -> Result<(), &'static str> {
    match STANDARD.decode(key.expose().trim()) {
        Ok(bytes) if bytes.len() == 32 && bytes.iter().any(|&byte| Some(&byte) != bytes.first()) => Ok(()),
        _ => Err("must be 32 random bytes in base64, for instance from `openssl rand -base64 32`"),
    }
}

/// Whether a text is an `EncodingAESKey` (reference wecom 1.2): 43 characters that decode to 32 bytes.
pub(crate) fn is_encoding_aes_key(key: &Secret) -> bool {
    key.expose().len() == 43 && LENIENT.decode(key.expose()).is_ok_and(|bytes| bytes.len() == 32)
}

/// The master key of a process. An absent file is created when `create` says so, readable by its owner only.
pub(crate) fn load(source: &MasterKey, create: bool) -> anyhow::Result<Secret> {
    let file = match source {
        MasterKey::Text(key) => return Ok(Secret::new(key.expose().trim())),
        MasterKey::File { file } => file,
    };
    if create && !file.exists() {
        create_file(file).with_context(|| format!("creating the master key {}", file.display()))?;
    }
    let text = Secret::new(
        fs::read_to_string(file).with_context(|| format!("reading the master key {}", file.display()))?.trim(),
    );
    if let Err(why) = check(&text) {
        bail!("secrets.master_key: {}: {why}", file.display());
    }
    Ok(text)
}

/// Two processes may do this at once: the first one's file stays, and it is never seen half-written.
fn create_file(file: &Path) -> anyhow::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let text = Sealer::new_master_key();
    let draft = file.with_extension(format!("{}.new", std::process::id()));
    let written = write_private(&draft, text.expose()).and_then(|()| match fs::hard_link(&draft, file) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&draft);
    written?;
    removed?;
    Ok(())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_key_is_created_once_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys/master.key");
        let source = MasterKey::File { file: file.clone() };
        assert!(load(&source, false).is_err());
        let first = load(&source, true).unwrap();
        assert_eq!(first.expose(), load(&source, true).unwrap().expose());
        assert_eq!(check(&first), Ok(()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn weak_and_misshapen_keys_are_refused() {
        for key in ["", "secret", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "MTIzNDU2Nzg5MDEyMzQ1Ng=="] {
            assert!(check(&Secret::new(key)).is_err(), "{key}");
        }
        let shapes = [("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", true), ("short", false), ("", false)];
        for (key, fine) in shapes {
            assert_eq!(is_encoding_aes_key(&Secret::new(key)), fine, "{key}");
        }
        assert!(!is_encoding_aes_key(&Secret::new("*".repeat(43))));
    }
}
