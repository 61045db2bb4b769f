//! From an image source to RGB pixels: drawn, or decoded within limits.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};

use super::scene;
use crate::suite::ImageSource;

/// Largest width or height of an image that is decoded, pixels.
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
}

/// Draws or decodes the image.
///
/// Transparency is dropped as Pillow's `convert("RGB")` drops it, and the EXIF orientation is applied.
///
/// # Errors
/// When a file cannot be read, is no image in a known format, is broken, or is larger than the limits.
pub fn load(source: &ImageSource) -> Result<RgbImage, ImageError> {
    match source {
        ImageSource::Scene(spec) => Ok(scene::draw(&scene::layout(spec))),
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
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let decoded_bytes = decoder.total_bytes();
    if decoded_bytes > MAX_DECODED_BYTES {
        return Err(format!(
            "it would take {decoded_bytes} bytes of memory, at most {MAX_DECODED_BYTES} are given"
        ));
    }
    let orientation = decoder.orientation().map_err(|error| error.to_string())?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}
