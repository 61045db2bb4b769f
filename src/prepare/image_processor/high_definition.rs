//! Phi's HD transform: an image on a canvas of whole tiles, padded with white, and a small view of all of it.

use image::{Rgb, RgbImage, imageops};
use ndarray::{Array3, Array4, Axis, s};

use super::tiles::Size;
use super::{Normalisation, resize_within_limits};
use crate::render::resize::Filter;

const WHITE: Rgb<u8> = Rgb([255; 3]);

/// Phi-3.5-vision: the largest canvas of at most `most` tiles of `tile` x `tile` whose width the image fills (its height,
/// where the image is taller than wide).
///
/// # Errors
/// When the result would have too many pixels.
pub fn largest_canvas(image: &RgbImage, tile: u32, most: u32) -> Result<RgbImage, String> {
    let (width, height) = image.dimensions();
    let (long, short) = (f64::from(width.max(height)), f64::from(width.min(height)));
    let ratio = long / short;
    let tiles = |scale: u32| f64::from(scale) * (f64::from(scale) / ratio).ceil();
    let scale = (1..=most + 1).take_while(|scale| tiles(*scale) <= f64::from(most)).last().unwrap_or(0);
    let long_px = scale * tile;
    let short_px = (f64::from(long_px) / ratio) as u32;
    if short_px == 0 {
        return Err(format!(
            "image too elongated: {width}x{height} would be resized to {long_px}x{short_px}"
        ));
    }
    let canvas = short_px.div_ceil(tile) * tile;
    let before = (canvas - short_px) / 2;
    // Tall images are transposed there and back, which only swaps the order of the resizer's passes.
    let tall = width < height;
    let upright = if tall { transposed(image) } else { image.clone() };
    let resized = resize_within_limits(&upright, (long_px, short_px), Filter::Bilinear)?;
    let mut padded = RgbImage::from_pixel(long_px, canvas, WHITE);
    imageops::replace(&mut padded, &resized, 0, i64::from(before));
    Ok(if tall { transposed(&padded) } else { padded })
}

fn transposed(image: &RgbImage) -> RgbImage {
    RgbImage::from_fn(image.height(), image.width(), |x, y| *image.get_pixel(y, x))
}

/// An image on a canvas, and how much of it it fills.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// Whole tiles, white to the right or below.
    pub canvas: RgbImage,
    /// Width and height of the image on it.
    pub size: Size,
}

/// Phi-4-multimodal: a canvas of the `grid` of tiles (columns, rows) that the image fills in one direction.
///
/// # Errors
/// When the image would be less than ten pixels wide or high.
pub fn filled_canvas(image: &RgbImage, tile: u32, grid: (u32, u32)) -> Result<Filled, String> {
    let (width, height) = image.dimensions();
    let target = (grid.0 * tile, grid.1 * tile);
    let (across, down) = (f64::from(target.0) / f64::from(width), f64::from(target.1) / f64::from(height));
    let size = if across < down {
        (target.0, (f64::from(height) * across) as u32)
    } else {
        ((f64::from(width) * down) as u32, target.1)
    };
    if size.0.min(size.1) < 10 {
        return Err(format!(
            "image too elongated: {width}x{height} would be resized to {}x{}, at least 10 pixels are needed",
            size.0, size.1
        ));
    }
    let resized = resize_within_limits(image, size, Filter::Bilinear)?;
    let mut canvas = RgbImage::from_pixel(target.0, target.1, WHITE);
    imageops::replace(&mut canvas, &resized, 0, 0);
    Ok(Filled { canvas, size })
}

/// A canvas as the vision encoder takes it: the small view, the tiles row by row, and zeros up to `views`.
pub fn views(canvas: &RgbImage, tile: u32, views: usize, normalisation: &Normalisation) -> Array4<f32> {
    let values = normalisation.apply(canvas);
    let side = tile as usize;
    let (_, height, width) = values.dim();
    let mut all = Array4::zeros((views, 3, side, side));
    all.index_axis_mut(Axis(0), 0).assign(&bicubic(&values, side));
    let places = (0..height / side).flat_map(|row| (0..width / side).map(move |column| (row, column)));
    for (mut view, (row, column)) in all.axis_iter_mut(Axis(0)).skip(1).zip(places) {
        let (top, left) = (row * side, column * side);
        view.assign(&values.slice(s![.., top..top + side, left..left + side]));
    }
    all
}

/// [channels, height, width] to [channels, side, side] by cubic convolution without antialiasing, a = -0.75, pixel centers at
/// a half (torch's `interpolate(mode="bicubic", align_corners=False)`).
fn bicubic(values: &Array3<f32>, side: usize) -> Array3<f32> {
    let (channels, height, width) = values.dim();
    let (rows, columns) = (cubic_taps(height, side), cubic_taps(width, side));
    Array3::from_shape_fn((channels, side, side), |(channel, y, x)| {
        let across = |row: usize| -> f32 {
            columns[x].iter().map(|(column, weight)| values[[channel, row, *column]] * weight).sum()
        };
        rows[y].iter().map(|(row, weight)| across(*row) * weight).sum()
    })
}

fn cubic_taps(from: usize, to: usize) -> Vec<[(usize, f32); 4]> {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|place| {
            let at = scale * (place as f32 + 0.5) - 0.5;
            let first = at.floor();
            let t = at - first;
            let index = |offset: i64| (first as i64 + offset).clamp(0, from as i64 - 1) as usize;
            [
                (index(-1), far(t + 1.0)),
                (index(0), near(t)),
                (index(1), near(1.0 - t)),
                (index(2), far(2.0 - t)),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_side_is_filled_and_the_other_padded_with_white() {
        let image = RgbImage::from_pixel(100, 40, Rgb([0; 3]));
        let canvas = largest_canvas(&image, 8, 4).unwrap();
        assert_eq!(canvas.dimensions(), (16, 8)); // 2 x 1 tiles; three columns would need two rows
        assert_eq!((canvas.get_pixel(0, 0).0, canvas.get_pixel(0, 4).0), ([255; 3], [0; 3]));
        assert_eq!(largest_canvas(&transposed(&image), 8, 4).unwrap(), transposed(&canvas));
        assert!(largest_canvas(&RgbImage::new(1, 2000), 8, 4).is_err());
    }

    #[test]
    fn the_same_size_is_the_same_view() {
        let values = Array3::from_shape_fn((3, 4, 4), |(c, y, x)| (c * 16 + y * 4 + x) as f32);
        assert_eq!(bicubic(&values, 4), values);
    }
}
