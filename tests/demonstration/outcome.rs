//! What was expected and what was observed, as a table and as JSON.
//!
//! **Invariant**: an outcome is good when both say the very same, so that nothing has to be believed.

/// One thing that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// What, in both languages.
    pub(crate) name: &'static str,
    /// How it must come out.
    pub(crate) expected: String,
    /// How it came out.
    pub(crate) observed: String,
}

impl Outcome {
    pub(crate) fn is_ok(&self) -> bool {
        self.expected == self.observed
    }
}

/// `{"seconds": …, "outcomes": [{"name", "expected", "observed", "ok"}]}`, the keys in this order.
pub(crate) fn json(outcomes: &[Outcome], seconds: f64) -> String {
    let text = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    let one = |outcome: &Outcome| {
        format!(
            "  {{\"name\": {}, \"expected\": {}, \"observed\": {}, \"ok\": {}}}",
            text(outcome.name),
            text(&outcome.expected),
            text(&outcome.observed),
            outcome.is_ok()
        )
    };
    let all: Vec<String> = outcomes.iter().map(one).collect();
    format!(
        "{{\"seconds\": {seconds:.1}, \"outcomes\": [\n{}\n]}}\n",
        all.join(",\n")
    )
}

/// The table that a run ends with, on standard output.
#[expect(clippy::print_stdout, reason = "a command")]
pub(crate) fn print_table(outcomes: &[Outcome], seconds: f64) {
    let width = |text: &str| text.chars().count();
    let column = |text: fn(&Outcome) -> &str, title: &str| {
        let widest = outcomes.iter().map(|outcome| width(text(outcome))).max();
        widest.unwrap_or(0).max(width(title))
    };
    let titles = ["Việc / what", "Phải là / expected", "Thực tế / observed"];
    let widths = [
        column(|outcome| outcome.name, titles[0]),
        column(|outcome| &outcome.expected, titles[1]),
    ];
    println!(
        "\n      {:<a$}  {:<b$}  {}",
        titles[0],
        titles[1],
        titles[2],
        a = widths[0],
        b = widths[1]
    );
    for outcome in outcomes {
        let mark = if outcome.is_ok() { "ok " } else { "SAI" };
        let (name, expected, observed) = (outcome.name, &outcome.expected, &outcome.observed);
        println!(
            "{mark}   {name:<a$}  {expected:<b$}  {observed}",
            a = widths[0],
            b = widths[1]
        );
    }
    let good = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    println!("\n{good}/{} đúng / as expected, {seconds:.1} s", outcomes.len());
}
