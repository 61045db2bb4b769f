//! Resizing as Pillow does it: convolution with antialiasing, on 8-bit channels.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// Pillow's `BICUBIC` (a = -0.5, which others call Catmull-Rom).
pub fn bicubic(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    resize(image, width, height, FilterType::CatmullRom)
}

/// Resizes with one of Pillow's filters; the aspect ratio is not kept.
pub fn resize(image: &RgbImage, width: u32, height: u32, filter: FilterType) -> RgbImage {
    if image.dimensions() == (width, height) {
        return image.clone();
    }
    let mut resized = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .use_alpha(false);
    let done = ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8x3)
        .ok()
        .and_then(|source| Resizer::new().resize(&source, &mut resized, &options).ok());
    debug_assert!(
        done.is_some(),
        "the buffer of an RgbImage has width x height x 3 bytes"
    );
    RgbImage::from_raw(width, height, resized.into_vec()).unwrap_or_default()
}
