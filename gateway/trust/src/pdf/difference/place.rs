//! The places from which one object refers to another, as far as the white list knows them.
//!
//! **Invariant**: a place that the white list names is none through which content is drawn: what may change of an object says
//! nothing to whoever reaches it there.

/// How an object refers to another: the places that the white list knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// /Root and /Info of a trailer.
    Root,
    Information,
    /// /Data of a signature reference (table 256).
    Data,
    /// What refers to a field or a widget: the form, its parent, structure and actions; its kids; an array.
    Field,
    Parent,
    Item,
    /// An entry of /Font in resources.
    Font,
    /// /AcroForm of the catalog.
    Form,
    /// /Fields of a form that is an object of its own, and of one that stands in the catalog.
    Fields,
    FormFields,
    /// /Annots of a page, or an item of it.
    Annotations,
    /// /AP of a widget, and a stream or state inside it.
    Appearance,
    AppearanceStream,
    /// A stream or state inside an appearance dictionary that is an object of its own.
    AppearanceEntry,
    /// /Metadata, /Extensions, /DSS of the catalog; of the last, everything inside the catalog itself.
    Metadata,
    Extensions,
    ValidationMaterial,
    Other,
}

/// What refers to fields and widgets: an object that is used elsewhere under such a name is used as a whole, and nothing that
/// may change in a field says anything there.
const FIELD_HOLDERS: &[&[u8]] = &[b"Fields", b"Kids", b"CO", b"Obj", b"T"];

/// What content is drawn with (§7.8.3).
const RESOURCES: &[&[u8]] = &[
    b"Resources",
    b"ExtGState",
    b"ColorSpace",
    b"Pattern",
    b"Shading",
    b"XObject",
    b"Font",
    b"Properties",
    b"CharProcs",
];

/// One step from an object to what it holds; arrays have no names for their items.
pub(super) type Step<'a> = Option<&'a [u8]>;

impl Place {
    /// Where the path leads, from the object that holds the reference.
    pub(super) fn of(path: &[Step<'_>], is_of_catalog: bool) -> Self {
        match path {
            [Some(b"Root")] => Self::Root,
            [Some(b"Info")] => Self::Information,
            [Some(b"AcroForm")] => Self::Form,
            [Some(b"Fields")] => Self::Fields,
            [Some(b"AcroForm"), Some(b"Fields")] => Self::FormFields,
            [Some(b"Annots")] | [Some(b"Annots"), None] => Self::Annotations,
            [Some(b"Parent")] => Self::Parent,
            [] | [None] => Self::Item,
            [.., Some(b"Font"), Some(_)] => Self::Font,
            [Some(b"Reference"), None, Some(b"Data")] | [Some(b"Data")] => Self::Data,
            [Some(b"AP")] => Self::Appearance,
            [Some(b"AP"), Some(b"N" | b"D" | b"R")] | [Some(b"AP"), Some(b"N" | b"D" | b"R"), Some(_)] => {
                Self::AppearanceStream
            }
            [Some(b"N" | b"D" | b"R")] | [Some(b"N" | b"D" | b"R"), Some(_)] => Self::AppearanceEntry,
            [Some(b"Metadata")] => Self::Metadata,
            [Some(b"Extensions")] => Self::Extensions,
            [Some(b"DSS"), ..] if is_of_catalog => Self::ValidationMaterial,
            _ => {
                let named = || path.iter().filter_map(|step| *step);
                let is_drawn_with = named().any(|key| RESOURCES.contains(&key));
                match named().next_back() {
                    Some(key) if !is_drawn_with && FIELD_HOLDERS.contains(&key) => Self::Field,
                    Some(_) | None => Self::Other,
                }
            }
        }
    }
}
