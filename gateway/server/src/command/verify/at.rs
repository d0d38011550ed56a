//! `--at`: as of when to judge.

use trust::Time;

/// The last second of a day in Vietnam (+07:00, without summer time).
const END_OF_DAY: &str = "T23:59:59+07:00";

/// Reads RFC 3339 with its offset, or a date, which means the end of that day in Vietnam.
pub(super) fn parse(text: &str) -> Result<Time, String> {
    let is_date = text.len() == "2026-11-21".len();
    let whole = if is_date {
        format!("{text}{END_OF_DAY}")
    } else {
        text.to_owned()
    };
    whole.parse().map_err(|_| {
        "cần ngày (2026-11-21) hoặc thời điểm RFC 3339 kèm múi giờ (2026-11-21T09:05:23+07:00) / a date or an RFC 3339 \
         time with its offset is wanted"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_end_of_its_day_in_vietnam() {
        let told = |text| parse(text).map(|time| time.to_string());
        assert_eq!(told("2026-11-21"), Ok("2026-11-21T16:59:59Z".to_owned()));
        assert_eq!(
            told("2026-11-21T09:05:23+07:00"),
            Ok("2026-11-21T02:05:23Z".to_owned())
        );
        assert_eq!(
            told("2026-11-21T09:05:23Z"),
            Ok("2026-11-21T09:05:23Z".to_owned())
        );
        for unfit in [
            "",
            "2026-13-01",
            "2026-02-30",
            "yesterday",
            "2026-11-21T09:05:23",
            "21/11/2026",
            "2026-11-2",
        ] {
            assert!(parse(unfit).is_err(), "{unfit}");
        }
    }
}
