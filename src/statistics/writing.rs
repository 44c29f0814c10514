//! Numbers as people read them.

use std::time::Duration;

/// `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// To two digits: what was estimated must not look as if it had been counted.
pub fn rounded(number: u64) -> u64 {
    let digits = number.checked_ilog10().unwrap_or(0);
    let unit = 10_u64.pow(digits.saturating_sub(1));
    (number.saturating_add(unit / 2) / unit).saturating_mul(unit)
}

/// A share from 0 to 1 in per cent: `0 %`, `0.4 %`, `12 %`. What is not none of them is never written as `0 %`, and what is
/// not all of them never as `100 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent <= 0.0 {
        "0 %".to_owned()
    } else if percent < 0.1 {
        "< 0.1 %".to_owned()
    } else if percent < 9.95 {
        format!("{percent:.1} %")
    } else if percent < 100.0 {
        format!("{:.0} %", percent.min(99.0))
    } else {
        "100 %".to_owned()
    }
}

/// Bytes in binary units: `512 B`, `1.4 MiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "two digits of it are written")]
    let mut size = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if size < 1023.95 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    if size < 9.95 {
        format!("{size:.1} {unit}")
    } else {
        format!("{size:.0} {unit}")
    }
}

/// A duration in its one or two largest units: `850ms`, `12s`, `3m 20s`, `2h 5m`, `4d 1h`.
pub fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (large, large_unit, small, small_unit) = match seconds {
        0 => return format!("{}ms", duration.as_millis()),
        1..60 => return format!("{seconds}s"),
        60..3_600 => (seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => (seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => (seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    };
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit} {small}{small_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        let written = [0, 999, 1000, 12_345, 123_456, 1_234_567].map(thousands);
        assert_eq!(written, ["0", "999", "1,000", "12,345", "123,456", "1,234,567"]);
    }

    #[test]
    fn estimates_have_two_digits() {
        let written = [0, 7, 99, 100, 104, 105, 450_366, 995_000, u64::MAX].map(rounded);
        assert_eq!(
            written,
            [0, 7, 99, 100, 100, 110, 450_000, 1_000_000, 18_000_000_000_000_000_000]
        );
    }

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        let written = [0.0, 0.000_1, 0.001, 0.055, 0.0996, 0.5, 0.999, 1.0].map(percent);
        assert_eq!(
            written,
            ["0 %", "< 0.1 %", "0.1 %", "5.5 %", "10 %", "50 %", "99 %", "100 %"]
        );
    }

    #[test]
    fn sizes_have_two_digits_or_more() {
        let written = [0, 1023, 1024, 1_048_575, 1_468_006, 52_428_800, u64::MAX].map(bytes);
        assert_eq!(
            written,
            ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.4 MiB", "50 MiB", "16384 PiB"]
        );
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let shown = [0, 850, 12_000, 200_000, 7_500_000, 352_800_000].map(|ms| rough(Duration::from_millis(ms)));
        assert_eq!(shown, ["0ms", "850ms", "12s", "3m 20s", "2h 5m", "4d 2h"]);
        assert_eq!(rough(Duration::from_hours(2)), "2h");
    }
}
