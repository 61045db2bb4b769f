//! Pictures of a suite, small enough for the page.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};

use crate::render::load::load;
use crate::render::resize::{Filter, resize};
use crate::suite::{Group, Part, Presentation};

/// The first picture of a presentation, scaled down to at most this width and height, pixels; `None` where it shows none or
/// it cannot be had.
pub(super) fn first(
    group: &Group,
    shown: &Presentation,
    max_width: u32,
    max_height: u32,
) -> Option<RgbImage> {
    let part = |part: &Part| {
        if let Part::Image(image) = part { Some(*image) } else { None }
    };
    let image = shown.messages.iter().flat_map(|message| &message.content).find_map(part)?;
    let image = load(group.images.get(image)?).ok()?;
    let (width, height) = image.dimensions();
    let scale = (f64::from(max_width) / f64::from(width)).min(f64::from(max_height) / f64::from(height));
    if scale >= 1.0 {
        return Some(image);
    }
    let scaled = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    Some(resize(&image, scaled(width), scaled(height), Filter::Bicubic))
}

/// The picture as a PNG file: a third of the size where it has no color.
pub(super) fn png(image: &RgbImage) -> Option<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let grey = image.pixels().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]);
    let picture = DynamicImage::ImageRgb8(image.clone());
    let picture = if grey { DynamicImage::ImageLuma8(picture.into_luma8()) } else { picture };
    picture.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_picture_without_color_keeps_its_pixels_in_one_channel() {
        let grey = RgbImage::from_fn(40, 30, |x, y| Rgb([(x * 5 + y) as u8; 3]));
        let read = image::load_from_memory(&png(&grey).unwrap()).unwrap();
        assert!(matches!(read, DynamicImage::ImageLuma8(_)));
        assert_eq!(read.to_rgb8(), grey);
        let mut colored = grey.clone();
        colored.put_pixel(3, 3, Rgb([200, 0, 0]));
        assert_eq!(image::load_from_memory(&png(&colored).unwrap()).unwrap().to_rgb8(), colored);
    }
}
