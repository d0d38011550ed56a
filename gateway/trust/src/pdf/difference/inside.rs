//! What is inside an object, however deep: references, nulls.

use super::super::object::{Object, Reference};

/// How often the object, or anything inside it, is null.
pub(super) fn count_nulls(object: &Object) -> usize {
    match object {
        Object::Null => 1,
        Object::Array(items) => items.iter().map(count_nulls).sum(),
        Object::Dictionary(dictionary) => dictionary.iter().map(|(_, value)| count_nulls(value)).sum(),
        Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::Text(_)
        | Object::Reference(_) => 0,
    }
}

/// Whether there is any reference inside the object.
pub(super) fn has_references(object: &Object) -> bool {
    let mut has = false;
    collect(object, &mut |_| has = true);
    has
}

/// Calls `found` for every reference inside the object.
pub(super) fn collect(object: &Object, found: &mut dyn FnMut(Reference)) {
    match object {
        Object::Reference(reference) => found(*reference),
        Object::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Object::Dictionary(dictionary) => dictionary.iter().for_each(|(_, value)| collect(value, found)),
        Object::Null
        | Object::Boolean(_)
        | Object::Integer(_)
        | Object::Real(_)
        | Object::Name(_)
        | Object::Text(_) => {}
    }
}
