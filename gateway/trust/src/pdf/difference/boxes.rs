//! How large the pages are that readers show: the smallest one bounds what may lie over any.
//!
//! What is seen of a page is where its CropBox and its MediaBox meet (ISO 32000-2 §14.11.2); both may come from a node above
//! it. Which node that is, is not asked: of all that could be, the smallest counts.
//!
//! **Invariant**: no page is smaller than what is told here.

use std::collections::HashSet;

use super::super::file::File;
use super::super::object::{Dictionary, Object};

/// What readers take where a page has no MediaBox: US Letter.
const LETTER: Corners = Corners([0.0, 0.0, 612.0, 792.0]);

/// How far from the origin a corner may lie: 350 metres of points.
pub(super) const CORNER_MAX: f64 = 1_000_000.0;

/// Boxes that pages may inherit at most; files have one or two.
const INHERITED_MAX: usize = 16;

/// A rectangle by its lower left and upper right corner (§7.9.5).
#[derive(Clone, Copy)]
pub(super) struct Corners([f64; 4]);

impl Corners {
    /// `None` where it is no rectangle.
    pub(super) fn read(file: &File<'_>, rectangle: &Object, revision: usize) -> Option<Self> {
        let rectangle = file.follow(rectangle, revision).ok()?;
        let corners = rectangle.array()?.iter().map(|corner| {
            let corner = file.follow(corner, revision).ok()?;
            // Readers count in 32 bits.
            corner
                .value
                .as_number()
                .filter(|number| number.abs() <= CORNER_MAX)
        });
        let [left, bottom, right, top]: [f64; 4] = corners.collect::<Option<Vec<f64>>>()?.try_into().ok()?;
        Some(Self([
            left.min(right),
            bottom.min(top),
            left.max(right),
            bottom.max(top),
        ]))
    }

    /// In units of user space.
    pub(super) fn area(self) -> f64 {
        let [left, bottom, right, top] = self.0;
        (right - left).max(0.0) * (top - bottom).max(0.0)
    }

    /// Whether something can be drawn inside: readers do not agree about what is thinner than a point.
    pub(super) fn has_room(self) -> bool {
        let [left, bottom, right, top] = self.0;
        (right - left).min(top - bottom) >= 1.0
    }

    fn meet(self, other: Self) -> Self {
        let [one, other] = [self.0, other.0];
        Self([
            one[0].max(other[0]),
            one[1].max(other[1]),
            one[2].min(other[2]),
            one[3].min(other[3]),
        ])
    }

    fn key(self) -> Key {
        self.0.map(f64::to_bits)
    }
}

/// The same, to be told apart.
type Key = [u64; 4];

/// The boxes of a file.
#[derive(Default)]
pub(super) struct Boxes {
    /// MediaBox and CropBox, as they stand in one dictionary.
    own: HashSet<(Option<Key>, Option<Key>)>,
    /// Those that pages below may inherit.
    media: HashSet<Key>,
    crop: HashSet<Key>,
    /// Something that is no rectangle, or stands where no page is looked for.
    is_strange: bool,
    /// Something that may be a page has no MediaBox of its own.
    is_bare: bool,
}

impl Boxes {
    /// Those of an object.
    pub(super) fn note(&mut self, file: &File<'_>, dictionary: &Dictionary, revision: usize) {
        let mut read = |key: &[u8]| {
            let corners = dictionary
                .get(key)
                .map(|page| Corners::read(file, page, revision));
            self.is_strange |= corners.is_some_and(|corners| corners.is_none());
            corners.flatten().map(Corners::key)
        };
        let (media, crop) = (read(b"MediaBox"), read(b"CropBox"));
        // Readers leave out one that nothing could be seen in.
        let crop = crop.filter(|crop| Corners(crop.map(f64::from_bits)).area() > 0.0);
        let is_page = dictionary.name(b"Type") == Some(b"Page")
            || dictionary.get(b"Annots").is_some()
            // Annotations and signatures have contents, too: text.
            || matches!(dictionary.get(b"Contents"), Some(Object::Reference(_) | Object::Array(_)));
        self.is_bare |= is_page && media.is_none();
        if media.is_none() && crop.is_none() {
            return;
        }
        self.own.insert((media, crop));
        if dictionary.name(b"Type") != Some(b"Page") {
            self.media.extend(media);
            self.crop.extend(crop);
        }
    }

    /// Those of a dictionary inside an object: pages are objects, and what is drawn as one may be none.
    pub(super) fn note_inner(&mut self, dictionary: &Dictionary) {
        self.is_strange |= [&b"MediaBox"[..], b"CropBox"].iter().any(|key| {
            let found = dictionary.get(key);
            found.is_some_and(|it| matches!(it, Object::Array(_) | Object::Reference(_)))
        });
    }

    /// The area of the smallest page there may be, in units of user space.
    pub(super) fn smallest(&self) -> f64 {
        if self.is_strange || self.media.len().max(self.crop.len()) > INHERITED_MAX {
            return 0.0;
        }
        let corners = |key: &Key| Corners(key.map(f64::from_bits));
        let above = |keys: &HashSet<Key>, otherwise: Option<Corners>| -> Vec<Corners> {
            keys.iter().map(corners).chain(otherwise).collect()
        };
        let everywhere = Corners([f64::MIN, f64::MIN, f64::MAX, f64::MAX]);
        let media_above = above(&self.media, self.is_bare.then_some(LETTER));
        let crop_above = above(&self.crop, Some(everywhere));
        let mut smallest = f64::MAX;
        let bare = (None, None);
        for (media, crop) in self.own.iter().chain(self.is_bare.then_some(&bare)) {
            let media = media
                .as_ref()
                .map_or_else(|| media_above.clone(), |own| vec![corners(own)]);
            let crop = crop
                .as_ref()
                .map_or_else(|| crop_above.clone(), |own| vec![corners(own)]);
            for one in &media {
                for other in &crop {
                    smallest = smallest.min(one.meet(*other).area());
                }
            }
        }
        // Without any page nothing is known.
        if smallest == f64::MAX { 0.0 } else { smallest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MediaBox and CropBox of one dictionary.
    type Own = (Option<[f64; 4]>, Option<[f64; 4]>);

    fn boxes(own: &[Own], media: &[[f64; 4]]) -> f64 {
        let key = |corners: &[f64; 4]| Corners(*corners).key();
        let boxes = Boxes {
            own: own
                .iter()
                .map(|(media, crop)| (media.as_ref().map(key), crop.as_ref().map(key)))
                .collect(),
            media: media.iter().map(key).collect(),
            ..Boxes::default()
        };
        boxes.smallest()
    }

    const LETTER_AREA: f64 = 612.0 * 792.0;

    #[test]
    fn of_a_page_is_seen_where_its_boxes_meet() {
        let media = [0.0, 0.0, 600.0, 800.0];
        let crop = [300.0, 400.0, 900.0, 1200.0];
        assert!((boxes(&[(Some(media), Some(crop))], &[]) - 300.0 * 400.0).abs() < 1e-6);
        assert!((boxes(&[(Some(media), None)], &[]) - 600.0 * 800.0).abs() < 1e-6);
        let apart = [700.0, 0.0, 900.0, 100.0];
        assert!(boxes(&[(Some(media), Some(apart))], &[]).abs() < 1e-6);
        // The MediaBox may be any of those above.
        let above = [0.0, 0.0, 400.0, 500.0];
        assert!((boxes(&[(None, Some(crop))], &[media, above]) - 100.0 * 100.0).abs() < 1e-6);
    }

    #[test]
    fn a_page_without_a_box_is_one_of_letter_size() {
        let large = [0.0, 0.0, 14_400.0, 14_400.0];
        let bare = |is_bare: bool, media: &[[f64; 4]]| {
            let key = |corners: &[f64; 4]| Corners(*corners).key();
            let boxes = Boxes {
                own: HashSet::from([(Some(key(&large)), None)]),
                media: media.iter().map(key).collect(),
                is_bare,
                ..Boxes::default()
            };
            boxes.smallest()
        };
        assert!((bare(true, &[]) - LETTER_AREA).abs() < 1e-6);
        assert!((bare(true, &[large]) - LETTER_AREA).abs() < 1e-6);
        assert!((bare(false, &[]) - 14_400.0 * 14_400.0).abs() < 1e-6);
        assert!(Boxes::default().smallest() < 1e-6, "nothing is known");
    }
}
