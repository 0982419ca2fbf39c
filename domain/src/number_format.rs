//! Formats numbers and sizes for people, short enough for a table cell. Every caller formats them the same way.

/// Formats a number with a comma at every thousand: `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
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

/// Formats a size in bytes in binary units: `68 B`, `1.2 MiB`.
#[must_use]
pub fn bytes(size: u64) -> String {
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

/// Formats a share in percent, rounded down: `99.9 %` stays below `100 %` while one failed.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if part >= whole {
        return "100 %".to_owned();
    }
    let tenths = u128::from(part) * 1_000 / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Converts for display of a few digits, where lost precision does not show.
#[expect(clippy::cast_precision_loss, reason = "only a few digits are shown")]
pub(crate) const fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped_beyond_2_to_the_53() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(9_007_199_254_740_993), "9,007,199,254,740,993");
    }

    #[test]
    fn sizes_use_the_largest_unit_that_keeps_the_number_short() {
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
