//! Writes DER (X.690) for what no library at hand writes. Values come from us, so that nothing can fail.

/// An element with this identifier octet.
pub(crate) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=127) => element.push(short),
        Ok(_) | Err(_) => {
            let length = content.len().to_be_bytes();
            let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
            element.push(0x80 | u8::try_from(digits.len()).expect("at most eight"));
            element.extend_from_slice(digits);
        }
    }
    element.extend_from_slice(content);
    element
}

/// SEQUENCE of these elements.
pub(crate) fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    tagged(0x30, &elements.concat())
}

/// SET OF these elements, in the order DER wants (X.690 section 11.6).
pub(crate) fn set_of(elements: &[Vec<u8>]) -> Vec<u8> {
    tagged(0x31, &sorted(elements))
}

/// Content of a SET OF, in order, for an implicit tag.
pub(crate) fn sorted(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut elements = elements.to_vec();
    elements.sort();
    elements.concat()
}

/// OBJECT IDENTIFIER.
pub(crate) fn oid(arcs: &[u64]) -> Vec<u8> {
    let mut content = base128(arcs[0] * 40 + arcs[1]);
    for arc in &arcs[2..] {
        content.extend(base128(*arc));
    }
    tagged(0x06, &content)
}

/// INTEGER from big-endian bytes of a number that is not negative.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let sign: &[u8] = if digits.first().is_none_or(|byte| *byte >= 0x80) {
        &[0]
    } else {
        &[]
    };
    tagged(0x02, &[sign, digits].concat())
}

fn base128(mut number: u64) -> Vec<u8> {
    let mut digits = vec![(number & 0x7f) as u8];
    while number > 0x7f {
        number >>= 7;
        digits.push(0x80 | (number & 0x7f) as u8);
    }
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(tagged(4, &[0; 127])[..2], [4, 127]);
        assert_eq!(tagged(4, &[0; 128])[..3], [4, 0x81, 128]);
        assert_eq!(tagged(4, &[0; 256])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn numbers_and_identifiers_are_written_as_x690_says() {
        assert_eq!(unsigned(&[0, 0]), [2, 1, 0]);
        assert_eq!(unsigned(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(
            oid(&[1, 2, 840, 113_549]),
            [6, 6, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]
        );
    }

    #[test]
    fn members_of_a_set_are_sorted() {
        assert_eq!(
            set_of(&[vec![2, 1, 5], vec![2, 1, 3]]),
            [0x31, 6, 2, 1, 3, 2, 1, 5]
        );
    }
}
