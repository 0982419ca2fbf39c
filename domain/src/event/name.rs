//! Names of event types that only Hookyard publishes.

use crate::event_type::{SEEDED, is_reserved};

/// The type of events sent by `POST /v1/endpoints/{id}/test`. It needs no registration.
pub const TEST_EVENT_TYPE: &str = "hookyard.test";

/// Whether only Hookyard publishes events of this type, so that receivers may trust them.
#[must_use]
pub fn is_system_event_type(name: &str) -> bool {
    SEEDED.contains(&name) || is_reserved(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_hookyard_are_system_types() {
        for name in [TEST_EVENT_TYPE, "Hookyard.x", "endpoint.disabled", "message.received", "upload file"] {
            assert!(is_system_event_type(name), "{name}");
        }
        for name in ["hookyard", "hookyards.x", "endpoint.disabled.x", "upload", ""] {
            assert!(!is_system_event_type(name), "{name}");
        }
    }
}
