//! An XML document: read, and written in every canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::xml::{Canonicalisation, Form, Limits, Tree};

fuzz_target!(|bytes: &[u8]| {
    let Ok(tree) = Tree::parse(bytes, &Limits::default()) else {
        return;
    };
    let exclusive = Form::Exclusive {
        inclusive_prefixes: vec!["a".to_owned()],
    };
    for form in [Form::Inclusive, Form::Inclusive11, exclusive] {
        let mut octets = Vec::new();
        let canonical = Canonicalisation {
            form,
            with_comments: true,
        };
        canonical.document(&tree, None, &mut octets);
        assert!(
            Tree::parse(&octets, &Limits::default()).is_ok() || octets.len() > bytes.len(),
            "what is canonical can be read"
        );
    }
});
