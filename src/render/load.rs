//! From an image source to RGB pixels: drawn, typeset, or decoded within limits.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits, RgbImage};

use super::{formats, scene, typeset};
use crate::suite::ImageSource;

/// Largest width or height of an image that is decoded or typeset, pixels.
pub const MAX_SIDE_PX: u32 = 20_000;

/// Most memory that decoding one image may take, bytes.
pub const MAX_DECODED_BYTES: u64 = 1 << 30;

/// Largest image file that is read, bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 28;

/// An image that could not be had. It is the error of the rows that show it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The file is not there, or may not be read.
    #[error("cannot read the image {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The bytes are no image, a broken one, or a larger one than is decoded.
    #[error("corrupt image {name}: {reason}")]
    Corrupt {
        /// The file, or "(inline data)".
        name: String,
        /// What the decoder says.
        reason: String,
    },
    /// A text that cannot be shown as an image.
    #[error("cannot typeset the text: {reason}")]
    Untypesettable {
        /// What is wrong with it, and what to do.
        reason: String,
    },
}

/// Draws, typesets or decodes the image.
///
/// Transparency is dropped as Pillow's `convert("RGB")` drops it, and the EXIF orientation is applied.
///
/// # Errors
/// When a file cannot be read, is no image in a known format, is broken, or is larger than the limits; when a text cannot be
/// typeset.
pub fn load(source: &ImageSource) -> Result<RgbImage, ImageError> {
    match source {
        ImageSource::Scene(spec) => Ok(scene::draw(&scene::layout(spec))),
        ImageSource::Text(spec) => {
            typeset::typeset(spec).map_err(|error| ImageError::Untypesettable { reason: error.to_string() })
        }
        ImageSource::Bytes(bytes) => {
            decode(bytes).map_err(|reason| ImageError::Corrupt { name: "(inline data)".into(), reason })
        }
        ImageSource::File(path) => {
            let name = path.display().to_string();
            let unreadable = |error: std::io::Error| ImageError::Unreadable {
                path: name.clone(),
                reason: error.to_string(),
            };
            let size = std::fs::metadata(path).map_err(unreadable)?.len();
            if size > MAX_FILE_BYTES {
                let reason = format!("the file has {size} bytes, at most {MAX_FILE_BYTES} are read");
                return Err(ImageError::Corrupt { name, reason });
            }
            let bytes = std::fs::read(path).map_err(unreadable)?;
            decode(&bytes).map_err(|reason| ImageError::Corrupt { name: name.clone(), reason })
        }
    }
}

fn decode(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let format = reader.format();
    if format == Some(ImageFormat::Gif) {
        return formats::gif(bytes);
    }
    if format == Some(ImageFormat::Tiff)
        && let Some(image) = formats::tiff(bytes)?
    {
        return Ok(image);
    }
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let decoded_bytes = decoder.total_bytes();
    if decoded_bytes > MAX_DECODED_BYTES {
        return Err(format!(
            "it would take {decoded_bytes} bytes of memory, at most {MAX_DECODED_BYTES} are given"
        ));
    }
    let orientation = orientation(&mut decoder).map_err(|error| error.to_string())?;
    let image = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    // A PNG starts with its signature and its header, in which these two are the bits per sample and the color type.
    let is_gray_png = format == Some(ImageFormat::Png) && bytes.get(24..26) == Some(&[16, 0]);
    let mut image = DynamicImage::ImageRgb8(to_rgb(image, is_gray_png));
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}

/// The orientation that EXIF has, else the one that XMP has.
fn orientation(decoder: &mut impl ImageDecoder) -> ImageResult<Orientation> {
    let orientation = decoder.orientation()?;
    let exif = decoder.exif_metadata()?;
    if orientation != Orientation::NoTransforms
        || exif.is_some_and(|chunk| Orientation::from_exif_chunk(&chunk).is_some())
    {
        return Ok(orientation);
    }
    let xmp = decoder.xmp_metadata().ok().flatten().unwrap_or_default();
    Ok(orientation_in_xmp(&xmp).unwrap_or(orientation))
}

/// What follows the first `tiff:Orientation="` or `tiff:Orientation>`.
fn orientation_in_xmp(xmp: &[u8]) -> Option<Orientation> {
    const NAME: &[u8] = b"tiff:Orientation";
    xmp.windows(NAME.len() + 3).find_map(|window| match window.strip_prefix(NAME)? {
        &[b'=', b'"', digit @ b'0'..=b'9'] | &[b'>', digit @ b'0'..=b'9', _] => {
            Some(Orientation::from_exif(digit - b'0'))
        }
        _ => None,
    })?
}

/// What `convert("RGB")` makes of it: transparency is dropped, of 16 bits the upper 8 are kept. Of gray with 16 bits, though,
/// whatever is above 255 becomes 255; that is what the reference models are shown.
fn to_rgb(image: DynamicImage, was_gray: bool) -> RgbImage {
    let clipped = |level: u16| u8::try_from(level).unwrap_or(u8::MAX);
    let upper = |level: u16| (level >> 8) as u8;
    let (width, height) = (image.width(), image.height());
    let rgb: Vec<u8> = match image {
        DynamicImage::ImageLuma16(gray) => gray.pixels().flat_map(|pixel| [clipped(pixel.0[0]); 3]).collect(),
        DynamicImage::ImageLumaA16(gray) if was_gray => {
            gray.pixels().flat_map(|pixel| [clipped(pixel.0[0]); 3]).collect()
        }
        DynamicImage::ImageLumaA16(gray) => gray.pixels().flat_map(|pixel| [upper(pixel.0[0]); 3]).collect(),
        DynamicImage::ImageRgb16(image) => image.pixels().flat_map(|pixel| pixel.0.map(upper)).collect(),
        DynamicImage::ImageRgba16(image) => {
            image.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2]].map(upper)).collect()
        }
        other => return other.into_rgb8(),
    };
    RgbImage::from_raw(width, height, rgb).unwrap_or_default()
}
