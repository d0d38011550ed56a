//! Frames: how one record lies in a segment file.
//!
//! `length u32 | crc32c u32 | payload`, little-endian; the checksum covers length and payload, so that a run of zeros
//! is no frame.
//!
//! **Invariant:** what does not check is never handed on.

/// Bytes before the payload.
pub(crate) const HEAD_BYTES: usize = 8;

/// What a frame turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// A whole payload, and how many bytes the frame takes.
    Whole(&'a [u8], usize),
    /// The bytes end before the frame does.
    Short,
    /// The checksum is another one.
    Damaged,
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), payload)
}

/// Appends a frame whose payload `write` appends.
pub(crate) fn append(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEAD_BYTES]);
    write(buffer);
    let payload_start = start + HEAD_BYTES;
    let length = u32::try_from(buffer.len() - payload_start).expect("a packet is limited far below 4 GiB");
    let length = length.to_le_bytes();
    let sum = checksum(length, &buffer[payload_start..]);
    buffer[start..start + 4].copy_from_slice(&length);
    buffer[start + 4..payload_start].copy_from_slice(&sum.to_le_bytes());
}

/// The frame at the start of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Frame<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return Frame::Short;
    };
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else {
        return Frame::Short;
    };
    let payload_bytes = u32::from_le_bytes(*length) as usize;
    let Some(payload) = rest.get(..payload_bytes) else {
        return Frame::Short;
    };
    if payload.is_empty() || u32::from_le_bytes(*sum) != checksum(*length, payload) {
        return Frame::Damaged;
    }
    Frame::Whole(payload, HEAD_BYTES + payload_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_reads_back_and_no_cut_or_flip_passes(
            payload in prop::collection::vec(any::<u8>(), 1..200), bit in 0_usize..1600, cut in 0_usize..200,
        ) {
            let mut bytes = Vec::new();
            append(&mut bytes, |buffer| buffer.extend_from_slice(&payload));
            prop_assert_eq!(read(&bytes), Frame::Whole(&payload, bytes.len()));
            prop_assert_eq!(read(&bytes[..cut % bytes.len()]), Frame::Short);
            let place = bit % (bytes.len() * 8);
            bytes[place / 8] ^= 1 << (place % 8);
            prop_assert!(!matches!(read(&bytes), Frame::Whole(..)));
        }
    }

    #[test]
    fn zeros_are_no_frame() {
        assert_eq!(read(&[0; 64]), Frame::Damaged);
    }
}
