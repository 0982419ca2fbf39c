//! The lanes of channels whose recipients share a receiver: a push service, identified by its origin, or a bot. Their ids are
//! derived from names (UUIDv5, RFC 9562 §5.5), so that every process computes the same lane without a lookup.

use uuid::Uuid;

use crate::id::LaneId;

/// The UUIDv5 namespace of lane names.
const LANES: Uuid = Uuid::from_u128(0x9a1c_3f0e_5b7d_4c21_8e6a_2f94_d0b8_7731);
/// The recipient id of deliveries to the chat in `TELEGRAM_CHAT_ID`, which has no row.
pub const CONFIGURED_CHAT: Uuid = Uuid::from_u128(0x9a1c_3f0e_5b7d_4c21_8e6a_2f94_d0b8_7732);
/// Messages per second that a bot may send: the Bot API accepts about 30 of a broadcast (core.telegram.org/bots/faq).
pub const BOT_RATE: i32 = 25;

/// The shared lane of push services that have not accepted a message yet. Anyone may subscribe with any service, so an
/// unproven one gets neither a lane nor slots of its own. The services are unrelated, so this lane has no breaker and is never
/// paused.
pub const UNPROVEN_PUSH_LANE: LaneId = LaneId(Uuid::from_u128(0x4833_5023_2962_5880_8ab9_3453_25cf_6040));

/// Most concurrent sends on that lane, all workers together.
pub const UNPROVEN_PUSH_IN_FLIGHT: i32 = 32;

/// Returns the lane of a push service. `origin` is `https://host`, with the port unless it is the default.
#[must_use]
pub fn push_lane(origin: &str) -> LaneId {
    named(&format!("web_push {origin}"))
}

/// Returns the lane of the bot with this token. Only the part before the colon counts, which is not secret.
#[must_use]
pub fn bot_lane(token: &str) -> LaneId {
    let bot = token.split_once(':').map_or(token, |(bot, _)| bot);
    named(&format!("telegram {bot}"))
}

fn named(name: &str) -> LaneId {
    LaneId(Uuid::new_v5(&LANES, name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_lane_and_two_names_have_two() {
        assert_eq!(push_lane("https://a.example"), push_lane("https://a.example"));
        assert_ne!(push_lane("https://a.example"), push_lane("https://b.example"));
        assert_ne!(push_lane("1"), bot_lane("1"));
        assert_eq!(bot_lane("1:old"), bot_lane("1:new"), "another token is still the same bot");
        // Stored in rows: must never change.
        assert_eq!(bot_lane("42").to_string(), "4bcb5dfb-b46b-5f78-906d-b21a9b18edde");
        assert_eq!(UNPROVEN_PUSH_LANE, named("unproven web_push"));
    }
}
