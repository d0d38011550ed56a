//! What a packet that `connector send` builds is for: a new document, or a recall, update or replacement of others.

use connector::compose::Draft;
use connector::text::Text;
use domain::ids::Code;
use domain::packet::{Business, BusinessType, Replacement, WrittenDate};

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Purpose {
    #[arg(long, help = Text::HelpRecall.with(&[]), requires = "to", group = "target", value_name = "DOCUMENT-ID")]
    recall_of: Option<String>,
    #[arg(long, help = Text::HelpUpdate.with(&[]), requires = "to", group = "target", value_name = "DOCUMENT-ID")]
    update_of: Option<String>,
    #[arg(
        long,
        help = Text::HelpReplaces.with(&[]),
        requires = "to",
        group = "target",
        value_name = "DOCUMENT-ID[:CODE,CODE…]"
    )]
    replaces: Vec<String>,
    #[arg(long, help = Text::HelpReason.with(&[]), requires = "target")]
    reason: Option<String>,
}

impl Purpose {
    /// What the packet says of it.
    pub(crate) fn business(&self) -> Business {
        let (kind, document_id) = match (&self.recall_of, &self.update_of) {
            (Some(id), _) => (BusinessType::Recall, Some(id.clone())),
            (None, Some(id)) => (BusinessType::Update, Some(id.clone())),
            (None, None) if self.replaces.is_empty() => (BusinessType::New, None),
            (None, None) => (BusinessType::Replace, None),
        };
        Business {
            kind,
            document_id,
            reason: self.reason.clone(),
            replacements: self.replaces.iter().map(|text| replacement(text)).collect(),
            ..Business::default()
        }
    }

    /// A recall or an update without a number of its own bears that of its target: document software of the field does
    /// the same. The id says it: `OrganId,yyyy/MM/dd,Number/Notation`.
    pub(crate) fn name_target(&self, draft: &mut Draft) {
        let Some(id) = self.recall_of.as_ref().or(self.update_of.as_ref()) else {
            return;
        };
        if !draft.number.is_empty() || !draft.notation.is_empty() {
            return;
        }
        let mut parts = id.splitn(3, ',');
        let (Some(_), Some(date), Some(code)) = (parts.next(), parts.next(), parts.next()) else {
            return;
        };
        let Some((number, notation)) = code.split_once('/') else {
            return;
        };
        (draft.number, draft.notation) = (number.to_owned(), notation.to_owned());
        draft.document_id = Some(id.clone());
        draft.date.get_or_insert_with(|| WrittenDate(date.to_owned()));
    }
}

/// Codes follow the last colon, if all that follows it is codes.
fn replacement(text: &str) -> Replacement {
    let whole = || Replacement {
        document_id: text.to_owned(),
        organ_ids: Vec::new(),
    };
    let Some((id, codes)) = text.rsplit_once(':') else {
        return whole();
    };
    let codes: Vec<&str> = codes
        .split(',')
        .map(str::trim)
        .filter(|code| !code.is_empty())
        .collect();
    if codes.iter().any(|code| Code::parse(code).is_err()) {
        return whole();
    }
    Replacement {
        document_id: id.to_owned(),
        organ_ids: codes.into_iter().map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use domain::packet::{DocumentType, Priority, SignerInfo};

    use super::*;

    const TARGET: &str = "000.00.01.H53,2026/11/22,13/2020/QĐ-UBND";

    #[derive(Debug, Parser)]
    struct Line {
        #[arg(long)]
        to: Vec<String>,
        #[command(flatten)]
        purpose: Purpose,
    }

    fn parse(arguments: &[&str]) -> Result<Purpose, clap::Error> {
        let line = ["send", "--to", "000.00.02.H53"].iter().chain(arguments);
        Line::try_parse_from(line).map(|line| line.purpose)
    }

    fn draft() -> Draft {
        Draft {
            to: Vec::new(),
            number: String::new(),
            notation: String::new(),
            document_type: DocumentType::default(),
            subject: String::new(),
            signer: SignerInfo::default(),
            date: None,
            document_id: None,
            priority: Priority::Normal,
            business: Business::default(),
            files: Vec::new(),
        }
    }

    #[test]
    fn flags_become_what_the_packet_is_for() {
        let of = |arguments: &[&str]| parse(arguments).expect("arguments").business();
        assert_eq!(of(&[]), Business::default());
        let recall = of(&["--recall-of", TARGET, "--reason", "sai"]);
        assert_eq!(
            (
                recall.kind,
                recall.document_id.as_deref(),
                recall.reason.as_deref()
            ),
            (BusinessType::Recall, Some(TARGET), Some("sai"))
        );
        assert_eq!(of(&["--update-of", TARGET]).kind, BusinessType::Update);
        let at_two = format!("{TARGET}:000.00.02.H53, 000.00.03.H53");
        let replace = of(&["--replaces", &at_two, "--replaces", "b"]);
        assert_eq!(replace.kind, BusinessType::Replace);
        let ids: Vec<_> = replace
            .replacements
            .iter()
            .map(|one| one.document_id.as_str())
            .collect();
        assert_eq!(ids, [TARGET, "b"]);
        assert_eq!(
            replace.replacements[0].organ_ids,
            ["000.00.02.H53", "000.00.03.H53"]
        );
        assert_eq!(replace.replacements[1].organ_ids, Vec::<String>::new());
        assert_eq!(replacement("a:b:").document_id, "a:b");
    }

    #[test]
    fn one_packet_is_for_one_thing_and_a_reason_needs_one() {
        assert!(parse(&["--recall-of", "a", "--update-of", "b"]).is_err());
        assert!(parse(&["--update-of", "a", "--replaces", "b"]).is_err());
        assert!(parse(&["--reason", "a"]).is_err());
        assert!(Line::try_parse_from(["send", "--recall-of", "a"]).is_err());
    }

    #[test]
    fn a_recall_without_a_number_bears_that_of_its_target() {
        let recall = parse(&["--recall-of", TARGET]).expect("arguments");
        let mut named = draft();
        recall.name_target(&mut named);
        assert_eq!(
            (named.number.as_str(), named.notation.as_str()),
            ("13", "2020/QĐ-UBND")
        );
        assert_eq!(named.document_id.as_deref(), Some(TARGET));
        assert_eq!(named.date, Some(WrittenDate("2026/11/22".to_owned())));
        let own = Draft {
            number: "7".to_owned(),
            ..draft()
        };
        let mut kept = own.clone();
        recall.name_target(&mut kept);
        assert_eq!(kept, own);
        let mut unnamed = draft();
        parse(&["--recall-of", "x"])
            .expect("arguments")
            .name_target(&mut unnamed);
        assert_eq!(unnamed, draft());
    }
}
