//! An instant, as the whole gateway counts time.
//!
//! Stands under everything: verdicts, events and receipts are told with this one type, and the clock itself is read
//! by the server alone and handed in.
//!
//! **Invariant**: a `Time` is a number of microseconds since 1970-01-01T00:00:00 UTC, leap seconds not counted.
//! **Invariant**: nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// An instant: microseconds since 1970-01-01T00:00:00 UTC. Shown and read as RFC 3339 in UTC (`2026-11-21T09:05:23Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A text that is not an RFC 3339 instant between the years 0000 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an instant in RFC 3339")]
pub struct TimeFault;

/// A civil date and time of day in UTC, before it is an instant: what ASN.1 and RFC 3339 write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Time {
    /// The instant that many microseconds after 1970-01-01T00:00:00 UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00 UTC.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The instant that many seconds after 1970-01-01T00:00:00 UTC; saturates outside about ±292,000 years.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Whole seconds since 1970-01-01T00:00:00 UTC, rounded towards the past.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// This instant moved by so many seconds (negative: earlier); saturates at the ends of the range.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    /// The instant of a civil time; `None` where the calendar has no such day or the clock no such second.
    pub(crate) fn from_civil(civil: Civil) -> Option<Self> {
        let in_range = (0..=9999).contains(&civil.year)
            && (1..=12).contains(&civil.month)
            && (1..=days_in_month(civil.year, civil.month)).contains(&civil.day)
            && (0..=23).contains(&civil.hour)
            && (0..=59).contains(&civil.minute)
            && (0..=59).contains(&civil.second);
        if !in_range {
            return None;
        }
        let days = days_from_civil(civil.year, civil.month, civil.day);
        let seconds = days * SECONDS_PER_DAY + civil.hour * 3600 + civil.minute * 60 + civil.second;
        Some(Self::from_seconds(seconds))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.as_seconds();
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if micros != 0 {
            let fraction = format!("{micros:06}");
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Time {
    type Err = TimeFault;

    /// Reads RFC 3339 with any offset; digits of the fraction after the sixth are dropped.
    fn from_str(text: &str) -> Result<Self, TimeFault> {
        read_rfc3339(text.as_bytes()).ok_or(TimeFault)
    }
}

fn read_rfc3339(text: &[u8]) -> Option<Time> {
    let (head, rest) = text.split_at_checked(19)?;
    let separators_hold = head[4] == b'-'
        && head[7] == b'-'
        && matches!(head[10], b'T' | b't' | b' ')
        && head[13] == b':'
        && head[16] == b':';
    if !separators_hold {
        return None;
    }
    let time = Time::from_civil(Civil {
        year: decimal(&head[0..4])?,
        month: decimal(&head[5..7])?,
        day: decimal(&head[8..10])?,
        hour: decimal(&head[11..13])?,
        minute: decimal(&head[14..16])?,
        second: decimal(&head[17..19])?,
    })?;
    let (micros, zone) = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let kept = &fraction[..length.min(6)];
            let scale = 10_i64.pow(u32::try_from(6 - kept.len()).ok()?);
            (decimal(kept)? * scale, &fraction[length..])
        }
        None => (0, rest),
    };
    let offset_seconds = match zone {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (decimal(&[*h1, *h2])?, decimal(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let size = hours * 3600 + minutes * 60;
            if *sign == b'+' { size } else { -size }
        }
        _ => return None,
    };
    Some(Time(time.0 + micros).plus_seconds(-offset_seconds))
}

/// The number that these ASCII digits write; `None` for none, too many or anything else.
pub(crate) fn decimal(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0')),
    )
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar; eras of 400 years that begin in March, so that
/// the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_are_written_in_rfc_3339() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (1_500_000, "1970-01-01T00:00:01.5Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(Time::from_micros(micros).to_string(), text);
            assert_eq!(text.parse(), Ok(Time::from_micros(micros)));
        }
    }

    #[test]
    fn offsets_are_taken_away() {
        assert_eq!("1970-01-01T07:00:00+07:00".parse(), Ok(Time::from_micros(0)));
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
        ] {
            assert_eq!(text.parse::<Time>(), Err(TimeFault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(micros in -62_167_219_200_000_000_i64..253_402_300_800_000_000) {
            let time = Time::from_micros(micros);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Time>();
        }
    }
}
