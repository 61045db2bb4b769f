//! Image files that the `image` crate does not read, or reads otherwise than Pillow: GIF, and some kinds of TIFF.

use std::io::Cursor;
use std::num::NonZeroU64;

use image::error::{ImageError, LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, Rgb, RgbImage};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{PhotometricInterpretation, Tag};
use tiff::{ColorType, TiffResult};

use super::load::{MAX_DECODED_BYTES, MAX_SIDE_PX};

/// The first picture of a GIF, on its canvas.
///
/// Pillow keeps the colors of transparent pixels, and fills a canvas that is larger than the picture with the transparent
/// color, or with the first one.
pub(super) fn gif(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    if let Some(limit) = NonZeroU64::new(MAX_DECODED_BYTES) {
        options.set_memory_limit(gif::MemoryLimit::Bytes(limit));
    }
    let mut decoder = options.read_info(bytes).map_err(|error| error.to_string())?;
    let screen = (u32::from(decoder.width()), u32::from(decoder.height()));
    let frame = decoder.next_frame_info().map_err(|error| error.to_string())?;
    let frame = frame.ok_or("it has no picture")?;
    let (left, top) = (u32::from(frame.left), u32::from(frame.top));
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    let transparent = frame.transparent.unwrap_or(0);
    let size = (screen.0.max(left + width), screen.1.max(top + height));
    check_size(size, 4)?;

    let palette: Vec<[u8; 3]> = match decoder.palette() {
        Ok(colors) => colors.as_chunks().0.to_vec(),
        Err(_) => (0..=u8::MAX).map(|level| [level; 3]).collect(),
    };
    let color = |index: u8| Rgb(palette.get(usize::from(index)).copied().unwrap_or_default());
    let mut indices = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut indices).map_err(|error| error.to_string())?;
    let mut canvas = RgbImage::from_pixel(size.0, size.1, color(transparent));
    for (y, row) in (top..).zip(indices.chunks_exact(width.max(1) as usize)) {
        for (x, &index) in (left..).zip(row) {
            canvas.put_pixel(x, y, color(index));
        }
    }
    Ok(canvas)
}

/// A TIFF in CMYK, with a palette, in gray with transparency, or in colors that were multiplied by their opacity; 8 bits each.
/// Others are left to the `image` crate, broken ones too.
pub(super) fn tiff(bytes: &[u8]) -> Result<Option<RgbImage>, String> {
    let as_gray = palette_as_gray(bytes);
    let Ok(mut decoder) = Decoder::new(Cursor::new(as_gray.as_deref().unwrap_or(bytes))) else {
        return Ok(None);
    };
    let unpacked = match (decoder.colortype(), &as_gray) {
        (Ok(ColorType::Gray(8)), Some(_)) => Unpacked::Palette(color_map(&mut decoder)),
        (Ok(ColorType::CMYK(8)), _) => Unpacked::Cmyk,
        (Ok(ColorType::Multiband { bit_depth: 8, num_samples: 2 }), _) => Unpacked::GrayAlpha,
        (Ok(ColorType::RGBA(8)), _) if is_premultiplied(&mut decoder) => Unpacked::Premultiplied,
        _ => return Ok(None),
    };
    let size = decoder.dimensions().map_err(|error| error.to_string())?;
    check_size(size, 3 + u64::from(unpacked.samples()))?;
    let orientation = decoder.find_tag_unsigned(Tag::Orientation).ok().flatten();
    let orientation = orientation.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms);
    let limit = usize::try_from(MAX_DECODED_BYTES).unwrap_or(usize::MAX);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = limit;
    limits.intermediate_buffer_size = limit;
    let mut buffer = DecodingResult::U8(Vec::new());
    let mut decoder = decoder.with_limits(limits);
    let layout = decoder.read_image_to_buffer(&mut buffer).map_err(|error| error.to_string())?;
    let DecodingResult::U8(samples) = buffer else {
        return Err("its samples are not of 8 bits".to_string());
    };
    if layout.planes > 1 {
        return Err("a TIFF of this kind is read only with its channels interleaved".to_string());
    }
    let rgb = samples.chunks_exact(unpacked.samples().into()).flat_map(|pixel| unpacked.rgb(pixel)).collect();
    let image = RgbImage::from_raw(size.0, size.1, rgb).ok_or("it has too few pixels")?;
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    Ok(Some(image.into_rgb8()))
}

/// What a pixel's samples are.
enum Unpacked {
    Palette(Vec<[u8; 3]>),
    GrayAlpha,
    Premultiplied,
    Cmyk,
}

impl Unpacked {
    fn samples(&self) -> u8 {
        match self {
            Self::Palette(_) => 1,
            Self::GrayAlpha => 2,
            Self::Premultiplied | Self::Cmyk => 4,
        }
    }

    fn rgb(&self, pixel: &[u8]) -> [u8; 3] {
        match (self, pixel) {
            (Self::Palette(colors), &[index]) => colors.get(usize::from(index)).copied().unwrap_or_default(),
            (Self::GrayAlpha, &[gray, _]) => [gray; 3],
            (Self::Premultiplied, &[.., 0]) => [0; 3],
            (Self::Premultiplied, &[red, green, blue, alpha]) => [red, green, blue].map(|color| {
                let divided = u16::from(color) * 255 / u16::from(alpha);
                u8::try_from(divided).unwrap_or(u8::MAX)
            }),
            (Self::Cmyk, &[cyan, magenta, yellow, black]) => {
                let light = 255 - black;
                [cyan, magenta, yellow].map(|ink| light.saturating_sub(product(ink, light)))
            }
            _ => [0; 3],
        }
    }
}

/// The product of two parts of 255, rounded.
fn product(a: u8, b: u8) -> u8 {
    ((u32::from(a) * u32::from(b) + 127) / 255) as u8
}

/// The same file with its palette's indices declared to be levels of gray: the `tiff` crate reads no palettes.
fn palette_as_gray(bytes: &[u8]) -> Option<Vec<u8>> {
    let little = match bytes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let two = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    };
    let first = bytes.get(4..8)?.try_into().ok()?;
    let first = if little { u32::from_le_bytes(first) } else { u32::from_be_bytes(first) } as usize;
    let entries = (0..usize::from(short(first)?)).map(|entry| first + 2 + 12 * entry);
    let of_photometric = |&at: &usize| short(at) == Some(Tag::PhotometricInterpretation.to_u16());
    let value = entries.into_iter().find(of_photometric)? + 8;
    if short(value)? != PhotometricInterpretation::RGBPalette.to_u16() {
        return None;
    }
    let mut changed = bytes.to_vec();
    let gray = PhotometricInterpretation::BlackIsZero.to_u16();
    let gray = if little { gray.to_le_bytes() } else { gray.to_be_bytes() };
    changed.get_mut(value..value + 2)?.copy_from_slice(&gray);
    Some(changed)
}

/// The palette: all reds, all greens, all blues, in 16 bits.
fn color_map(decoder: &mut Decoder<Cursor<&[u8]>>) -> Vec<[u8; 3]> {
    let levels: Vec<u16> = decoder.find_tag_unsigned_vec(Tag::ColorMap).ok().flatten().unwrap_or_default();
    let count = levels.len() / 3;
    (0..count).map(|index| [0, 1, 2].map(|channel| (levels[channel * count + index] >> 8) as u8)).collect()
}

fn is_premultiplied(decoder: &mut Decoder<Cursor<&[u8]>>) -> bool {
    const ASSOCIATED: u16 = 1;
    let extra: TiffResult<Option<Vec<u16>>> = decoder.find_tag_unsigned_vec(Tag::ExtraSamples);
    extra.ok().flatten().is_some_and(|kinds| kinds.first() == Some(&ASSOCIATED))
}

/// Refuses what would be too large, in the words of the `image` crate.
fn check_size((width, height): (u32, u32), bytes_per_pixel: u64) -> Result<(), String> {
    let refused = |kind| Err(ImageError::Limits(LimitError::from_kind(kind)).to_string());
    if width > MAX_SIDE_PX || height > MAX_SIDE_PX {
        return refused(LimitErrorKind::DimensionError);
    }
    if u64::from(width) * u64::from(height) * bytes_per_pixel > MAX_DECODED_BYTES {
        return refused(LimitErrorKind::InsufficientMemory);
    }
    Ok(())
}
