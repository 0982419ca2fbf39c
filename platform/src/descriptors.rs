//! File descriptors: raises the limit of this process and bounds inbound connections, so that deliveries, the database and
//! files always get theirs.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::config::Config;

/// Highest limit that is requested: beyond it, programs that walk over all descriptors take long.
const MOST: u64 = 1_048_576;
/// Reserved for databases, queues, files, listeners, lookups and logs.
const RESERVED: u64 = 512;
/// Descriptors per concurrent send: its connection, and an idle one to another host.
const FOR_A_SEND: u64 = 2;
/// Fewest inbound connections, however low the limit is.
const FEWEST: u64 = 32;

/// Inbound connections that a process accepts without a lower limit.
const INBOUND: usize = 8_192;

/// Raises the limit of this process as far as possible, and warns when it is too low for all connections and sends.
pub fn prepare(config: &Config) {
    if let Some(warning) = Descriptors::raise().warning(INBOUND, config) {
        tracing::warn!("{warning}");
    }
}

/// The number of file descriptors that this process may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors(u64);

impl Descriptors {
    /// Raises the soft limit to the hard limit and returns the limit in force. A limit that can't be raised stays.
    #[must_use]
    pub fn raise() -> Self {
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
            && soft < hard.min(MOST)
        {
            // Refused in some sandboxes; the derived bounds are smaller then.
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(MOST), hard);
        }
        Self::now()
    }

    /// Returns the current limit.
    #[must_use]
    pub fn now() -> Self {
        Self(getrlimit(Resource::RLIMIT_NOFILE).map_or(MOST, |(soft, _)| soft))
    }

    /// Returns how many connections a listener may accept, at most `wanted`. Under a low limit this is a quarter of the
    /// unreserved descriptors: there may be two listeners, and sends get the other half.
    #[must_use]
    pub fn connections(self, wanted: usize, config: &Config) -> usize {
        let wanted_here = u64::try_from(wanted).unwrap_or(u64::MAX);
        let sends = u64::try_from(config.send_slots).unwrap_or(u64::MAX).saturating_mul(FOR_A_SEND);
        let left = self.0.saturating_sub(RESERVED);
        let share = left.saturating_sub(sends).max(left / 2) / 2;
        usize::try_from(share.max(FEWEST).min(wanted_here)).unwrap_or(wanted)
    }

    /// Returns a warning when the limit is too low for `connections` inbound connections and all send slots.
    #[must_use]
    pub fn warning(self, connections: usize, config: &Config) -> Option<String> {
        let sends = u64::try_from(config.send_slots).unwrap_or(u64::MAX).saturating_mul(FOR_A_SEND);
        let inbound = u64::try_from(connections).unwrap_or(u64::MAX).saturating_mul(2);
        let needed = RESERVED.saturating_add(sends).saturating_add(inbound);
        (self.0 < needed).then(|| {
            format!(
                "the limit of open files is {}, below the {needed} that all connections and SEND_SLOTS may need: fewer \
                 connections are accepted; raise it (ulimit -n, LimitNOFILE=)",
                self.0
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;

    fn config(slots: &str) -> Config {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |name: &str| match name {
            "DATA_DIR" => Some(folder.path().display().to_string()),
            "SEND_SLOTS" => Some(slots.to_owned()),
            _ => None,
        };
        Config::load(Role::AllInOne, read).expect("valid")
    }

    #[test]
    fn connections_leave_room_for_sends_and_for_what_is_reserved() {
        let config = config("1024");
        assert_eq!(Descriptors(1_048_576).connections(8_192, &config), 8_192);
        assert_eq!(Descriptors(512 + 2_048 + 4_000).connections(8_192, &config), 2_000);
        assert_eq!(Descriptors(1_024).connections(8_192, &config), 128);
        assert_eq!(Descriptors(16).connections(8_192, &config), 32, "never none");
        assert_eq!(Descriptors(1_048_576).connections(16, &config), 16);
    }

    #[test]
    fn a_limit_that_is_too_low_is_named() {
        let config = config("1024");
        let needed = 512 + 2 * 1_024 + 2 * 8_192;
        assert_eq!(Descriptors(needed).warning(8_192, &config), None);
        let warning = Descriptors(needed - 1).warning(8_192, &config).expect("a warning");
        assert!(warning.contains("18943") && warning.contains("18944"), "{warning}");
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_limit() {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        setrlimit(Resource::RLIMIT_NOFILE, soft.min(256), hard).expect("lowered");
        assert_eq!(Descriptors::raise(), Descriptors(hard.min(MOST)));
        assert_eq!(Descriptors::now(), Descriptors(hard.min(MOST)));
    }
}
