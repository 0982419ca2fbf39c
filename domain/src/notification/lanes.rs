//! The lanes of channels whose recipients share one receiver: a push service, by its origin, and a bot. Their ids are made
//! from names (UUIDv5, RFC 9562 §5.5), so that every process means the same lane without asking.

use uuid::Uuid;

use crate::id::LaneId;

/// The namespace of these names.
const LANES: Uuid = Uuid::from_u128(0x9a1c_3f0e_5b7d_4c21_8e6a_2f94_d0b8_7731);
/// The recipient of a delivery to the chat that `TELEGRAM_CHAT_ID` names: no row stands for it.
pub const CHAT_OF_SETTINGS: Uuid = Uuid::from_u128(0x9a1c_3f0e_5b7d_4c21_8e6a_2f94_d0b8_7732);
/// Messages a second that a bot may send: the Bot API takes about 30 of a broadcast (core.telegram.org/bots/faq).
pub const BOT_RATE: i32 = 25;

/// The lane of subscriptions whose push service has no lane of its own yet. Anyone may subscribe at any service, so one that
/// has taken no message costs no lane and no slots of its own. Its services share nothing else, so it has no breaker and no
/// rests.
pub const UNPROVEN_PUSH_LANE: LaneId = LaneId(Uuid::from_u128(0x4833_5023_2962_5880_8ab9_3453_25cf_6040));

/// Most sends under way on that lane, all workers together.
pub const UNPROVEN_PUSH_IN_FLIGHT: i32 = 32;

/// The lane of a push service: `origin` is `https://host` with its port, if it is not the scheme's own.
#[must_use]
pub fn push_lane(origin: &str) -> LaneId {
    named(&format!("web_push {origin}"))
}

/// The lane of the bot with this token. Only what stands before the colon counts, which is no secret.
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
