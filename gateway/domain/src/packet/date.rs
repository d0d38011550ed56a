//! Dates and times as senders write them.
//!
//! Stand under the packet's fields. Two forms are met in traffic, `yyyy/MM/dd` (the kit of the national axis) and
//! `dd/MM/yyyy` (a provincial axis), and references hold dates that never were (`2014/02/30`).
//!
//! **Invariant**: the text is kept as written; what it means is asked for, and may be nothing.

use jiff::civil::{Date, DateTime};

/// A date as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WrittenDate(pub String);

/// A date with a time as written. No zone is ever written; Vietnam's (+07:00) is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WrittenTime(pub String);

impl WrittenDate {
    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The day, if the text is one of the calendar.
    pub fn civil(&self) -> Option<Date> {
        date(&self.0)
    }
}

impl WrittenTime {
    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment on a Vietnamese clock, if the text is one: a date in either form, then `HH:mm:ss`, with hours alone
    /// also of one digit.
    pub fn civil(&self) -> Option<DateTime> {
        let (day, clock) = self.0.split_once(' ')?;
        let day = date(day)?;
        let mut parts = clock.split(':');
        let hour = number(parts.next()?, 1..=2)?;
        let minute = number(parts.next()?, 2..=2)?;
        let second = number(parts.next()?, 2..=2)?;
        if parts.next().is_some() {
            return None;
        }
        let narrow = |value: i16| i8::try_from(value).ok();
        DateTime::new(
            day.year(),
            day.month(),
            day.day(),
            narrow(hour)?,
            narrow(minute)?,
            narrow(second)?,
            0,
        )
        .ok()
    }
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (first, month, last) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    // A year has four digits and a day at most two: the forms cannot be confused.
    let (year, day) = if first.len() == 4 {
        (first, last)
    } else {
        (last, first)
    };
    let year = number(year, 4..=4)?;
    let month = i8::try_from(number(month, 1..=2)?).ok()?;
    let day = i8::try_from(number(day, 1..=2)?).ok()?;
    Date::new(year, month, day).ok()
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i16> {
    if !digits.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_mean_the_same_day() {
        let day = jiff::civil::date(2020, 10, 30);
        assert_eq!(WrittenDate("2020/10/30".into()).civil(), Some(day));
        assert_eq!(WrittenDate("30/10/2020".into()).civil(), Some(day));
    }

    #[test]
    fn days_that_never_were_mean_nothing() {
        for text in [
            "",
            "2014/02/30",
            "30/02/2014",
            "2020/13/01",
            "20/10/30",
            "2020-10-30",
            "+020/1/1",
            "2020/1/1/1",
        ] {
            assert_eq!(WrittenDate(text.into()).civil(), None, "{text:?}");
        }
    }

    #[test]
    fn times_are_read_in_both_forms() {
        let moment = jiff::civil::date(2018, 9, 28).at(17, 25, 11, 0);
        assert_eq!(WrittenTime("2018/09/28 17:25:11".into()).civil(), Some(moment));
        assert_eq!(WrittenTime("28/09/2018 17:25:11".into()).civil(), Some(moment));
        for text in [
            "2018/09/28",
            "2018/09/28 24:00:00",
            "2018/09/28 1:2:3",
            "2018/09/28 10:00:00:00",
        ] {
            assert_eq!(WrittenTime(text.into()).civil(), None, "{text:?}");
        }
    }
}
