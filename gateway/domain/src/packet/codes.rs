//! The closed code lists of edXML.
//!
//! Stand under the packet's fields; the numbers are known nowhere else. Read in the samples of the national axis's
//! software kit and its field notes (QCVN 102:2016/BTTTT, section 2.2, and QĐ 28/2018/QĐ-TTg Điều 10).
//!
//! **Invariant**: a code outside of its list is never taken for another one; the reader refuses it by name.

/// What the packet does (`BussinessDocType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BusinessType {
    /// 0: a new document.
    #[default]
    New,
    /// 1: takes a document back.
    Recall,
    /// 2: changes a document or who receives it.
    Update,
    /// 3: puts another document in the place of earlier ones.
    Replace,
}

/// What an addressee says of a document (`StatusCode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusCode {
    /// 01: has arrived in the document software.
    Arrived,
    /// 02: refused.
    Refused,
    /// 03: accepted and registered.
    Accepted,
    /// 04: assigned.
    Assigned,
    /// 05: being worked on.
    InProgress,
    /// 06: done.
    Completed,
    /// 13: the sender asks to have it back.
    ReturnRequested,
    /// 15: update or return agreed to.
    ChangeAccepted,
    /// 16: update or return refused.
    ChangeRefused,
}

/// How urgent a document is (`Priority`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// 0: thường.
    #[default]
    Normal,
    /// 1: khẩn.
    Urgent,
    /// 2: thượng khẩn.
    VeryUrgent,
    /// 3: hỏa tốc.
    Express,
    /// 4: hỏa tốc hẹn giờ.
    ExpressTimed,
}

/// What an update does with a receiver (`ReceiverType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiverType {
    /// 0: no longer receives.
    Removed,
    /// 1: receives from now on.
    Added,
}

/// The entry of a list whose code this is, a leading zero allowed or left out.
fn find<T: Copy>(list: &[(T, &str)], code: &str) -> Option<T> {
    let bare = |text: &str| {
        text.strip_prefix('0')
            .filter(|rest| !rest.is_empty())
            .unwrap_or(text)
            .to_owned()
    };
    list.iter()
        .find(|(_, known)| *known == code || bare(known) == bare(code))
        .map(|(value, _)| *value)
}

impl BusinessType {
    const LIST: [(Self, &'static str); 4] = [
        (Self::New, "0"),
        (Self::Recall, "1"),
        (Self::Update, "2"),
        (Self::Replace, "3"),
    ];

    /// The type of this code.
    pub fn parse(code: &str) -> Option<Self> {
        find(&Self::LIST, code)
    }

    /// Its code, one digit.
    pub fn code(self) -> &'static str {
        match self {
            Self::New => "0",
            Self::Recall => "1",
            Self::Update => "2",
            Self::Replace => "3",
        }
    }
}

impl StatusCode {
    /// All, in the order of their codes.
    pub const ALL: [Self; 9] = [
        Self::Arrived,
        Self::Refused,
        Self::Accepted,
        Self::Assigned,
        Self::InProgress,
        Self::Completed,
        Self::ReturnRequested,
        Self::ChangeAccepted,
        Self::ChangeRefused,
    ];

    /// The status of this code.
    pub fn parse(code: &str) -> Option<Self> {
        find(&Self::ALL.map(|status| (status, status.code())), code)
    }

    /// Its code, two digits.
    pub fn code(self) -> &'static str {
        match self {
            Self::Arrived => "01",
            Self::Refused => "02",
            Self::Accepted => "03",
            Self::Assigned => "04",
            Self::InProgress => "05",
            Self::Completed => "06",
            Self::ReturnRequested => "13",
            Self::ChangeAccepted => "15",
            Self::ChangeRefused => "16",
        }
    }
}

impl Priority {
    const LIST: [(Self, &'static str); 5] = [
        (Self::Normal, "0"),
        (Self::Urgent, "1"),
        (Self::VeryUrgent, "2"),
        (Self::Express, "3"),
        (Self::ExpressTimed, "4"),
    ];

    /// The priority of this code.
    pub fn parse(code: &str) -> Option<Self> {
        find(&Self::LIST, code)
    }

    /// Its code, one digit.
    pub fn code(self) -> &'static str {
        match self {
            Self::Normal => "0",
            Self::Urgent => "1",
            Self::VeryUrgent => "2",
            Self::Express => "3",
            Self::ExpressTimed => "4",
        }
    }

    /// Whether it travels in the urgent queues: everything but `Normal`.
    pub fn is_urgent(self) -> bool {
        self != Self::Normal
    }
}

impl ReceiverType {
    /// The type of this code.
    pub fn parse(code: &str) -> Option<Self> {
        find(&[(Self::Removed, "0"), (Self::Added, "1")], code)
    }

    /// Its code, one digit.
    pub fn code(self) -> &'static str {
        match self {
            Self::Removed => "0",
            Self::Added => "1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_others_do_not() {
        for status in StatusCode::ALL {
            assert_eq!(StatusCode::parse(status.code()), Some(status));
        }
        for (business, code) in BusinessType::LIST {
            assert_eq!(
                (BusinessType::parse(code), business.code()),
                (Some(business), code)
            );
        }
        for (priority, code) in Priority::LIST {
            assert_eq!((Priority::parse(code), priority.code()), (Some(priority), code));
        }
        assert_eq!(StatusCode::parse("3"), Some(StatusCode::Accepted));
        for unknown in ["", "0", "00", "07", "14", "003", "x", "1 "] {
            assert_eq!(StatusCode::parse(unknown), None, "{unknown:?}");
        }
        assert_eq!(ReceiverType::parse("2"), None);
    }
}
