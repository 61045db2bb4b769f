//! Protobuf's wire format, as far as ONNX files use it.

use super::Malformed;

pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn put_field(number: u64, body: &[u8], out: &mut Vec<u8>) {
    put_varint(number << 3 | 2, out);
    put_varint(body.len() as u64, out);
    out.extend_from_slice(body);
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// Text, bytes or a message.
    Bytes(&'a [u8]),
    /// A whole number.
    Number(u64),
    /// A number of fixed width, which none of the fields that we read is.
    Fixed,
}

/// Fields of a message with their numbers.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            if shift > 63 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
        }
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Body<'a>)> {
        let tag = self.varint()?;
        let body = match tag & 7 {
            0 => Body::Number(self.varint()?),
            1 => {
                self.take(8)?;
                Body::Fixed
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Body::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Body::Fixed
            }
            _ => return None,
        };
        Some((tag >> 3, body))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Body<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}
