//! Numbers, sizes and spans of time, short enough for a table's cell.

pub(crate) use domain::measure::microseconds;
use entity::bounded::Bounded;

/// With a comma at every thousand: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count that may have stopped at its limit: `12`, or `10,000+`.
pub(crate) fn bounded(count: Bounded) -> String {
    format!("{}{}", grouped(count.count), if count.more { "+" } else { "" })
}

/// A size in binary units: `68 B`, `1.2 MiB`.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut amount = as_f64(size) / 1024.0;
    let mut unit = 0;
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// A share in percent, never rounded up to a whole: `99.9 %` stays below `100 %` while one failed.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if part >= whole {
        return "100 %".to_owned();
    }
    let tenths = u128::from(part) * 1_000 / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
const fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_stopped_says_so() {
        assert_eq!(bounded(Bounded::of(0)), "0");
        assert_eq!(bounded(Bounded::of(10_000)), "10,000");
        assert_eq!(bounded(Bounded::of(10_001)), "10,000+");
        assert_eq!(bounded(Bounded::part(7, Bounded::of(10_001))), "7+");
    }

    #[test]
    fn thousands_are_grouped_also_beyond_what_a_script_can_hold() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(9_007_199_254_740_993), "9,007,199,254,740,993");
    }

    #[test]
    fn sizes_change_their_unit_where_the_number_would_get_long() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(2 * 1024 * 1024 * 1024), "2.0 GiB");
        assert_eq!(bytes(u64::MAX), "16777216.0 TiB");
    }

    #[test]
    fn shares_round_down() {
        assert_eq!(percent(9_999, 10_000), "99.9 %");
        assert_eq!(percent(0, 3), "0.0 %");
        assert_eq!(percent(3, 3), "100 %");
        assert_eq!(percent(0, 0), "100 %");
    }
}
