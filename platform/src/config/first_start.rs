//! Generates the secrets of the all-in-one process at its first start and stores them in its data directory.
//! Never overwrites a stored secret and never shows one: notices name the file.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Config, ConfigErrors, Secret, secrets};

/// Only the owner may read stored secrets.
const SECRET_MODE: u32 = 0o600;
/// Only the owner may enter the directory, if we create it.
const DIRECTORY_MODE: u32 = 0o700;
/// A stored secret is one line; a longer file is not ours.
const KEPT_MAX: u64 = 4_096;

/// The secrets that were not set: the configuration holds only a generated proposal for each.
#[derive(Clone, Copy, Default)]
pub(super) struct GeneratedSecrets {
    pub(super) webhook_secret: bool,
    pub(super) secret_key: bool,
}

/// Replaces each proposed secret with the stored one, or stores the proposal when there is none yet.
pub(super) fn persist_secrets(config: &mut Config, made: GeneratedSecrets) -> Result<(), ConfigErrors> {
    if made.secret_key {
        let proposal = BASE64_STANDARD.encode(*config.secret_key);
        let kept = persist_secret(config, "SECRET_KEY", "secret_key", &proposal)?;
        config.secret_key = secrets::secret_key(&kept)
            .map_err(|wrong| not_usable(config, "SECRET_KEY", "secret_key", wrong))?;
    }
    if made.webhook_secret {
        let proposal = hex::encode(rand::random::<[u8; 32]>());
        let kept = persist_secret(config, "WEBHOOK_SECRET", "webhook_secret", &proposal)?;
        config.webhook_secret = Some(Secret::new(kept));
    }
    Ok(())
}

fn persist_secret(
    config: &mut Config,
    name: &'static str,
    file: &str,
    proposal: &str,
) -> Result<String, ConfigErrors> {
    let path = config.data_dir.join(file);
    let (secret, is_new) =
        read_or_make(&path, proposal).map_err(|error| not_usable(config, name, file, error))?;
    if secret.is_empty() {
        return Err(not_usable(config, name, file, "the file is empty"));
    }
    if is_new {
        config.notices.push(format!("{name} is not set: generated one and stored it in {}", path.display()));
    } else if is_open_to_others(&path) {
        config.notices.push(format!("{} can be read by other users: chmod 600 it", path.display()));
    }
    Ok(secret)
}

fn not_usable(config: &Config, name: &'static str, file: &str, why: impl std::fmt::Display) -> ConfigErrors {
    let path = config.data_dir.join(file);
    ConfigErrors::one(name, format!("is not set, and {} cannot be used: {why}", path.display()))
}

/// Returns the secret in `path`, and whether it is new. Two processes that start at once get the same one.
fn read_or_make(path: &Path, proposal: &str) -> io::Result<(String, bool)> {
    if let Some(kept) = read_secret(path)? {
        return Ok((kept, false));
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory)?;
    let draft = path.with_extension(format!("{:08x}.new", rand::random::<u32>()));
    let linked = write_private(&draft, proposal).and_then(|()| fs::hard_link(&draft, path));
    // The draft is removed in any case; a link that exists already means that another process was first.
    fs::remove_file(&draft).or_else(|error| if linked.is_err() { Ok(()) } else { Err(error) })?;
    match linked {
        Ok(()) => File::open(directory)?.sync_all().map(|()| (proposal.to_owned(), true)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok((read_secret(path)?.unwrap_or_default(), false))
        }
        Err(error) => Err(error),
    }
}

fn write_private(path: &Path, secret: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(SECRET_MODE).open(path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()
}

fn read_secret(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(found) if found.len() > KEPT_MAX => {
            Err(io::Error::other(format!("it is longer than {KEPT_MAX} bytes")))
        }
        Ok(_) => fs::read_to_string(path).map(|text| Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}
