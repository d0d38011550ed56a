//! The grammars of agency codes (`OrganId`), and what their structure says about superiors.
//!
//! Used where people bring codes in: import and pages. On the road only the directory decides what a code means.
//!
//! **Invariant:** a grammar never refuses a code that the directory holds.

use crate::ids::Code;

/// The grammars that a code may follow (`OrganId`, edXML). Never a reason to refuse a code that the directory holds:
/// `28.22.H17` and `000.A53.000` are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodeForm {
    /// QCVN 102:2016/BTTTT: `000.02.01.H53`, lowest level first, unused levels zero.
    Qcvn102,
    /// QĐ 20/2020/QĐ-TTg Đ4: `H53.1.2`, highest level first, at most 35 characters.
    Qd20,
    /// QĐ 20/2020/QĐ-TTg Đ6, other organisations: `Z01` to `Z99` and up to 32 characters without inner structure.
    Qd20Other,
    /// None of these.
    Neither,
}

impl CodeForm {
    /// The grammar that this code follows.
    pub fn of(code: &Code) -> CodeForm {
        let groups: Vec<&[u8]> = code.as_str().split('.').map(str::as_bytes).collect();
        let digits =
            |group: &[u8], count: usize| group.len() == count && group.iter().all(u8::is_ascii_digit);
        let top = |group: &[u8], letters: std::ops::RangeInclusive<u8>| {
            group.len() == 3 && letters.contains(&group[0]) && digits(&group[1..], 2)
        };
        let group20 = |group: &&[u8]| {
            !group.is_empty() && group.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        };
        if let [v, z, y, m] = groups[..]
            && digits(v, 3)
            && digits(z, 2)
            && digits(y, 2)
            && top(m, b'A'..=b'Z')
        {
            return CodeForm::Qcvn102;
        }
        let length_fits = code.as_str().len() <= 35;
        if top(groups[0], b'A'..=b'Y') && groups.iter().all(group20) && length_fits {
            return CodeForm::Qd20;
        }
        let scheme = groups[0]
            .get(..3)
            .filter(|head| top(head, b'Z'..=b'Z') && *head != b"Z00");
        if groups.len() == 1 && scheme.is_some() && groups[0].len() > 3 && length_fits {
            return CodeForm::Qd20Other;
        }
        CodeForm::Neither
    }
}

/// The codes that the structure of this code names as its superiors, nearest first. A guess for imports: where the
/// directory says otherwise, the directory is right.
pub fn superior_codes(code: &Code) -> Vec<Code> {
    let mut groups: Vec<&str> = code.as_str().split('.').collect();
    let mut superiors = Vec::new();
    match CodeForm::of(code) {
        CodeForm::Qcvn102 => {
            for (place, zeros) in ["000", "00", "00"].into_iter().enumerate() {
                if groups[place] != zeros {
                    groups[place] = zeros;
                    superiors.push(groups.join("."));
                }
            }
        }
        CodeForm::Qd20 => {
            while groups.len() > 1 {
                groups.pop();
                superiors.push(groups.join("."));
            }
        }
        CodeForm::Qd20Other | CodeForm::Neither => {}
    }
    let parse = |text: &String| Code::parse(text).expect("a part of a code is a code");
    superiors.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        Code::parse(text).expect("a code")
    }

    #[test]
    fn codes_follow_one_grammar_or_none() {
        for (text, form) in [
            ("000.02.01.H53", CodeForm::Qcvn102),
            ("000.00.00.G22", CodeForm::Qcvn102),
            ("H53", CodeForm::Qd20),
            ("H53.1A.02", CodeForm::Qd20),
            ("Z01ABC", CodeForm::Qd20Other),
            ("Z01", CodeForm::Neither),
            ("Z00ABC", CodeForm::Neither),
            ("H53.", CodeForm::Neither),
            ("H53.a", CodeForm::Neither),
            ("H53.00000000000000000000000000000000", CodeForm::Neither),
            ("000.1137.H53", CodeForm::Neither),
            ("28.22.H17", CodeForm::Neither),
            ("001.00.20.TT2", CodeForm::Neither),
            ("vxp.saas.03", CodeForm::Neither),
            ("số.é", CodeForm::Neither),
        ] {
            assert_eq!(CodeForm::of(&code(text)), form, "{text}");
        }
    }

    #[test]
    fn superiors_are_read_from_the_structure_of_a_code() {
        let of =
            |text: &str| -> Vec<String> { superior_codes(&code(text)).iter().map(Code::to_string).collect() };
        assert_eq!(
            of("005.02.01.H53"),
            ["000.02.01.H53", "000.00.01.H53", "000.00.00.H53"]
        );
        assert_eq!(of("000.02.00.H53"), ["000.00.00.H53"]);
        assert_eq!(of("H53.1.2"), ["H53.1", "H53"]);
        assert!(of("000.00.00.H53").is_empty() && of("28.22.H17").is_empty());
    }
}
