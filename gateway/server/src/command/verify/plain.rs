//! What strangers wrote, made harmless for a terminal.
//!
//! **Invariant:** nothing that is printed moves the cursor, ends a line or turns the direction of what follows: names of
//! certificates and files are written by whoever wants to be believed.

/// One line, with whatever is not to be seen written out as `\u{..}`.
pub(super) fn plain(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for letter in line.chars() {
        if is_harmful(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Control characters, line and paragraph separators, and what Unicode has to turn directions or to be invisible.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_forges_a_line() {
        assert_eq!(
            plain("CN=A\u{1b}[2K\rĐẠT\nCN=B"),
            "CN=A\\u{1b}[2K\\u{d}ĐẠT\\u{a}CN=B"
        );
        assert_eq!(
            plain("\u{202e}fdp.tset\u{9b}2K\u{2028}\u{feff}"),
            "\\u{202e}fdp.tset\\u{9b}2K\\u{2028}\\u{feff}"
        );
        assert_eq!(plain("Sở Nội vụ, ủy ban/—→"), "Sở Nội vụ, ủy ban/—→");
    }
}
