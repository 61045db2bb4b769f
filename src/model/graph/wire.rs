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

pub(super) fn put_number(number: u64, value: u64, out: &mut Vec<u8>) {
    put_varint(number << 3, out);
    put_varint(value, out);
}

pub(super) fn put_fixed(number: u64, value: [u8; 4], out: &mut Vec<u8>) {
    put_varint(number << 3 | 5, out);
    out.extend(value);
}

/// Where a part of some bytes starts in them.
pub(super) fn offset(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}

/// The last field of that number that holds bytes.
pub(super) fn bytes_of(message: &[u8], wanted: u64) -> Result<Option<&[u8]>, Malformed> {
    let mut found = None;
    for field in Fields(message) {
        if let (number, Body::Bytes(bytes)) = field?
            && number == wanted
        {
            found = Some(bytes);
        }
    }
    Ok(found)
}

/// The last field of that number that holds a whole number.
pub(super) fn number_of(message: &[u8], wanted: u64) -> Result<Option<u64>, Malformed> {
    let mut found = None;
    for field in Fields(message) {
        if let (number, Body::Number(value)) = field?
            && number == wanted
        {
            found = Some(value);
        }
    }
    Ok(found)
}

/// Whole numbers one after the other.
pub(super) fn varints(packed: &[u8]) -> Option<Vec<i64>> {
    let mut rest = Fields(packed);
    let mut numbers = Vec::new();
    while !rest.0.is_empty() {
        numbers.push(rest.varint()?.cast_signed());
    }
    Some(numbers)
}

pub(super) fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// Text, bytes or a message.
    Bytes(&'a [u8]),
    /// A whole number.
    Number(u64),
    /// Four bytes.
    Fixed(u32),
    /// Eight bytes, which none of the fields that we read has.
    Wide,
}

/// A field's bytes, tag and all, its number, and what it holds.
pub(super) type Record<'a> = (&'a [u8], u64, Body<'a>);

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

    /// The next field with its bytes.
    pub(super) fn next_record(&mut self) -> Option<Result<Record<'a>, Malformed>> {
        let before = self.0;
        let field = self.next()?;
        let record = before.get(..before.len() - self.0.len()).unwrap_or_default();
        Some(field.map(|(number, body)| (record, number, body)))
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
                Body::Wide
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Body::Bytes(self.take(length)?)
            }
            5 => Body::Fixed(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
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
