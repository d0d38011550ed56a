//! How an agency is kept: the canonical JSON of its whole past, one value in the index.
//!
//! Derived: the journal's changes are the truth, and the value is written anew from them.
//!
//! **Invariant:** the encoding carries a version and reads back to an equal agency.
//! **Invariant:** what one agency says is checked here (order of spans, kinds); what agencies say of each other is
//! checked by [`super::Directory::restore`].

use std::str::FromStr;

use serde_json::Value;
use trust::Time;

use crate::agency::{
    Account, Agency, Answers, Dated, Ending, History, PinnedCertificate, Signatory, Standing, Succession,
};
use crate::json::{JsonFault, Reader, Writer, text};

/// The version of the encoding written by this build.
const FORMAT: i64 = 1;

impl Agency {
    /// As one object. About 360 bytes for an agency with name, code and parent; each certificate adds about 130,
    /// each account about 65, each further span about 60. A value passes 4 KB at some thirty certificates, ended
    /// ones counted; an index that wants smaller values splits it itself.
    pub fn to_json(&self) -> Value {
        let accounts = self.accounts.iter().map(|account| {
            let json = Writer::new()
                .text("account", &account.id)
                .text("answers", account.answers.word());
            ended(json.time("from", account.opened_at), account.closed_at).end()
        });
        let certificate = |pin: &PinnedCertificate, json: Writer| {
            json.text("fingerprint", pin.fingerprint)
                .text("signatory", pin.signatory.word())
        };
        let standing = |standing: &Standing, json: Writer| json.text("value", standing.word());
        let json = Writer::new()
            .number("format", FORMAT)
            .text("agency", self.id)
            .text("level", &self.level)
            .list("names", spans(self.names.spans(), value))
            .list("codes", spans(&self.codes, value))
            .list("parents", spans(self.parents.spans(), value))
            .list("places", spans(self.places.spans(), value))
            .list("watchers", spans(self.watchers.spans(), value))
            .list("certificates", spans(&self.certificates, certificate))
            .list("standings", spans(self.standings.spans(), standing))
            .list("accounts", accounts);
        let Some(succession) = &self.succession else {
            return json.end();
        };
        let succession = Writer::new()
            .text("ending", succession.ending.word())
            .time("at", succession.at)
            .list("heirs", succession.heirs.iter().map(text));
        json.value("succession", succession.end()).end()
    }

    /// Reads what [`Agency::to_json`] wrote.
    ///
    /// # Errors
    /// [`JsonFault`] naming the field that is missing or wrong (spans that overlap are wrong, and so is an agency
    /// without name or standing), or the version that this build does not know.
    pub fn from_json(json: Reader<'_>) -> Result<Agency, JsonFault> {
        match json.number("format")? {
            FORMAT => {}
            other => return Err(JsonFault::Version(other)),
        }
        let succession = if json.has("succession") {
            Some(read_succession(json.object("succession")?)?)
        } else {
            None
        };
        let agency = Agency {
            id: json.parse("agency")?,
            names: history(json, "names", read_value)?,
            codes: read_spans(json, "codes", read_value)?,
            parents: history(json, "parents", read_value)?,
            places: history(json, "places", read_value)?,
            watchers: history(json, "watchers", read_value)?,
            level: json.str("level")?.to_owned(),
            certificates: read_spans(json, "certificates", read_certificate)?,
            accounts: json.objects("accounts", read_account)?,
            standings: history(json, "standings", read_standing)?,
            succession,
        };
        if agency.names.newest().is_none() {
            return Err(JsonFault::Wrong("names"));
        }
        let closed = *agency.standings.current().ok_or(JsonFault::Wrong("standings"))? == Standing::Closed;
        if closed != agency.succession.is_some() {
            return Err(JsonFault::Wrong("succession"));
        }
        Ok(agency)
    }
}

fn ended(json: Writer, until: Option<Time>) -> Writer {
    match until {
        Some(until) => json.time("until", until),
        None => json,
    }
}

fn value(value: &impl ToString, json: Writer) -> Writer {
    json.text("value", value.to_string())
}

fn spans<T>(spans: &[Dated<T>], write: impl Fn(&T, Writer) -> Writer) -> impl Iterator<Item = Value> {
    spans.iter().map(move |span| {
        ended(
            write(&span.value, Writer::new().time("from", span.from)),
            span.until,
        )
        .end()
    })
}

fn read_value<T: FromStr>(json: Reader<'_>) -> Result<T, JsonFault> {
    json.parse("value")
}

fn read_standing(json: Reader<'_>) -> Result<Standing, JsonFault> {
    Standing::from_word(json.str("value")?).ok_or(JsonFault::Wrong("value"))
}

fn read_certificate(json: Reader<'_>) -> Result<PinnedCertificate, JsonFault> {
    let signatory = Signatory::from_word(json.str("signatory")?).ok_or(JsonFault::Wrong("signatory"))?;
    Ok(PinnedCertificate {
        fingerprint: json.parse("fingerprint")?,
        signatory,
    })
}

fn read_account(json: Reader<'_>) -> Result<Account, JsonFault> {
    let answers = Answers::from_word(json.str("answers")?).ok_or(JsonFault::Wrong("answers"))?;
    let (opened_at, closed_at) = (json.time("from")?, json.maybe_time("until")?);
    Ok(Account {
        id: json.parse("account")?,
        answers,
        opened_at,
        closed_at,
    })
}

fn read_succession(json: Reader<'_>) -> Result<Succession, JsonFault> {
    let ending = Ending::from_word(json.str("ending")?).ok_or(JsonFault::Wrong("ending"))?;
    Ok(Succession {
        ending,
        at: json.time("at")?,
        heirs: json.texts("heirs")?,
    })
}

fn read_spans<T>(
    json: Reader<'_>,
    key: &'static str,
    read: impl Fn(Reader<'_>) -> Result<T, JsonFault>,
) -> Result<Vec<Dated<T>>, JsonFault> {
    json.objects(key, |span| {
        Ok(Dated {
            value: read(span)?,
            from: span.time("from")?,
            until: span.maybe_time("until")?,
        })
    })
}

fn history<T>(
    json: Reader<'_>,
    key: &'static str,
    read: impl Fn(Reader<'_>) -> Result<T, JsonFault>,
) -> Result<History<T>, JsonFault> {
    History::from_spans(read_spans(json, key, read)?).ok_or(JsonFault::Wrong(key))
}
