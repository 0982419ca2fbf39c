//! The settings of a process: read once, checked together, then plain data. Nothing else in the workspace reads the
//! environment, and no error or notice shows a secret.

mod enums;
mod env_reader;
mod errors;
mod first_start;
mod networks;
mod parsed;
mod roles;
mod secrets;
mod settings;
#[cfg(test)]
mod tests;
mod types;
mod urls;

pub use crate::database::DatabaseUrl;
pub use errors::{ConfigErrors, EXIT_CODE, Problem};
pub use parsed::Config;
pub use settings::{SECTIONS, Section, SettingSpec, UsedBy, settings};
pub use types::{CorsOrigins, LogFormat, RedisUrl, Role, Secret, SecretKey, TelegramSettings, VapidSettings};

impl Config {
    /// Reads every setting with `read`, generates the missing secrets at the first start of the all-in-one process (stored
    /// in its data directory, mode 0600), and returns sentences for the log in [`Config::notices`].
    ///
    /// # Errors
    /// Lists every setting that is wrong.
    pub fn load(role: Role, read: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let (mut config, made) = roles::parse(role, &read)?;
        first_start::persist_secrets(&mut config, made)?;
        Ok(config)
    }
}

/// Reads the environment of the process. Each `main` passes it to [`Config::load`]; nothing else reads the environment.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}
