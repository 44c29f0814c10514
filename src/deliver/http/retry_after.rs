//! The header Retry-After (RFC 9110, section 10.2.3), in both of its forms, and what is said in its place.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::model::Timestamp;

/// A longer wish is taken for this: a receiver that asks for a year has a fault, and would never be heard of again.
const LONGEST: Duration = Duration::from_hours(24);

/// How long to wait: from a number of seconds, or from an HTTP date. A date is the server's, so it is compared with the
/// answer's own `Date` where there is one, and only else with `now`. What cannot be read counts as absent.
pub(super) fn parse(retry_after: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let text = retry_after.trim();
    let pause = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than the longest pause.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        http_date(text)?.since(date.and_then(http_date).unwrap_or(now))
    };
    Some(pause.min(LONGEST))
}

/// How long to wait, where a 429 has no Retry-After: from X-RateLimit-Reset-After, in seconds and their fractions (Discord),
/// or X-RateLimit-Reset, which is whole seconds to wait (Mattermost) or since 1970 (most others).
pub(super) fn of_rate_limit(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    /// 2001: what is larger is no time to wait.
    const A_TIME: u64 = 1_000_000_000;
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let after = header("x-ratelimit-reset-after").and_then(|text| seconds(text.parse().ok()?));
    after.or_else(|| {
        let reset: u64 = header("x-ratelimit-reset")?.parse().ok()?;
        let pause = if reset < A_TIME {
            Duration::from_secs(reset)
        } else {
            Timestamp::default().plus(Duration::from_secs(reset)).since(now)
        };
        Some(pause.min(LONGEST))
    })
}

/// How long to wait, from seconds as a number, as some tools say it in the body. `None` for what is no time.
pub(in crate::deliver) fn seconds(number: f64) -> Option<Duration> {
    Some(Duration::try_from_secs_f64(number).ok()?.min(LONGEST))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::default().plus(since_1970))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn both_forms_are_read() {
        let now = at("1994-11-06T08:49:07Z");
        let seconds = |text| parse(text, None, now).map(|pause| pause.as_secs());
        assert_eq!(seconds("30"), Some(30));
        assert_eq!(seconds(" 0 "), Some(0));
        // The three forms of a date that RFC 9110 wants accepted.
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30));
        assert_eq!(seconds("Sunday, 06-Nov-94 08:49:37 GMT"), Some(30));
        assert_eq!(seconds("Sun Nov  6 08:49:37 1994"), Some(30));
    }

    #[test]
    fn what_stands_in_its_place_is_read() {
        let now = at("2025-11-22T06:28:00Z");
        let wish = |name: &'static str, value: &str| {
            of_rate_limit(
                &HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())]),
                now,
            )
        };
        assert_eq!(
            wish("x-ratelimit-reset-after", "1.25"),
            Some(Duration::from_millis(1250))
        );
        assert_eq!(wish("x-ratelimit-reset", "7"), Some(Duration::from_secs(7)));
        assert_eq!(wish("x-ratelimit-reset", "1763792910"), Some(Duration::from_secs(30)));
        assert_eq!(wish("x-ratelimit-reset", "18446744073709551615"), Some(LONGEST));
        for absurd in ["-1", "NaN", "inf", "", "soon"] {
            assert_eq!(wish("x-ratelimit-reset-after", absurd), None, "{absurd}");
        }
    }

    #[test]
    fn a_date_is_on_the_servers_clock() {
        let now = at("2000-01-01T00:00:00Z");
        let pause = parse(
            "Sun, 06 Nov 1994 08:49:37 GMT",
            Some("Sun, 06 Nov 1994 08:49:07 GMT"),
            now,
        );
        assert_eq!(pause, Some(Duration::from_secs(30)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT", None, now), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_absent_and_the_absurd_is_bounded() {
        let now = Timestamp::default();
        for text in ["", "-1", "1.5", "soon", "１２", "Sun, 99 Nov 1994"] {
            assert_eq!(parse(text, None, now), None, "{text}");
        }
        assert_eq!(parse("99999999999999999999999999", None, now), Some(LONGEST));
        assert_eq!(parse("Fri, 31 Dec 9999 23:59:59 GMT", None, now), Some(LONGEST));
    }
}
