//! Images of any resolution as tiles of one size: which grid suits an image, and how it is fitted into it.

use image::{Rgb, RgbImage, imageops};
use serde_json::Value;

use super::{MAX_RESIZED_PIXELS, resize_within_limits};
use crate::render::resize::Filter;

/// Width and height, pixels.
pub type Size = (u32, u32);

/// The sizes in `image_grid_pinpoints` (there as height and width).
///
/// # Errors
/// When it is missing or holds something else than pairs of positive numbers.
pub fn pinpoints(config: &Value) -> Result<Vec<Size>, String> {
    let wrong = || "`image_grid_pinpoints` must be a list of [height, width]".to_string();
    let list = config.get("image_grid_pinpoints").and_then(Value::as_array).ok_or_else(wrong)?;
    let side = |value: Option<&Value>| {
        value.and_then(Value::as_u64).and_then(|side| u32::try_from(side).ok()).filter(|side| *side > 0)
    };
    let pair = |value: &Value| Some((side(value.get(1))?, side(value.get(0))?));
    let sizes: Vec<Size> = list.iter().map(pair).collect::<Option<_>>().ok_or_else(wrong)?;
    if sizes.is_empty() { Err(wrong()) } else { Ok(sizes) }
}

/// The size of `sizes` that keeps most of the image's pixels, and among these the one that wastes least.
pub fn best_resolution((width, height): Size, sizes: &[Size]) -> Size {
    let (image_width, image_height) = (f64::from(width), f64::from(height));
    let mut best = (sizes[0], 0u64, u64::MAX);
    for &(width_px, height_px) in sizes {
        let scale = (f64::from(width_px) / image_width).min(f64::from(height_px) / image_height);
        let fitted = (image_width * scale) as u64 * (image_height * scale) as u64;
        let kept = fitted.min(u64::from(width) * u64::from(height));
        let wasted = u64::from(width_px) * u64::from(height_px) - kept;
        if kept > best.1 || (kept == best.1 && wasted < best.2) {
            best = ((width_px, height_px), kept, wasted);
        }
    }
    best.0
}

/// Resizes into `target` with the aspect kept, and pads with black around the middle.
///
/// # Errors
/// When the result would have too many pixels.
pub fn fit(image: &RgbImage, target: Size, filter: Filter) -> Result<RgbImage, String> {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let scale = (f64::from(target.0) / width, f64::from(target.1) / height);
    let other = |side: f64, scale: f64, most: u32| ((side * scale).ceil() as u32).min(most);
    let size = if scale.0 < scale.1 {
        (target.0, other(height, scale.0, target.1))
    } else {
        (other(width, scale.1, target.0), target.1)
    };
    let resized = resize_within_limits(image, size, filter)?;
    Ok(on_canvas(&resized, target, Rgb([0; 3])))
}

/// Pads to a square around the middle.
///
/// # Errors
/// When the square would have more than [`MAX_RESIZED_PIXELS`].
pub fn square(image: &RgbImage, background: Rgb<u8>) -> Result<RgbImage, String> {
    let side = image.width().max(image.height());
    if u64::from(side).pow(2) > MAX_RESIZED_PIXELS {
        return Err(format!("image too elongated: a square around it has {side}x{side} pixels"));
    }
    Ok(on_canvas(image, (side, side), background))
}

/// Puts an image into the middle of a larger canvas; the odd pixel goes to the right and below.
fn on_canvas(image: &RgbImage, (width, height): Size, background: Rgb<u8>) -> RgbImage {
    if image.dimensions() == (width, height) {
        return image.clone();
    }
    let mut canvas = RgbImage::from_pixel(width, height, background);
    let left = width.saturating_sub(image.width()) / 2;
    let top = height.saturating_sub(image.height()) / 2;
    imageops::replace(&mut canvas, image, i64::from(left), i64::from(top));
    canvas
}

/// Cuts an image into tiles, row by row.
pub fn cut(image: &RgbImage, (width, height): Size) -> Vec<RgbImage> {
    let rows = (0..image.height() / height).map(|row| row * height);
    let tile = |top: u32, left: u32| imageops::crop_imm(image, left, top, width, height).to_image();
    rows.flat_map(|top| (0..image.width() / width).map(move |column| (top, column * width)))
        .map(|(top, left)| tile(top, left))
        .collect()
}

/// The grid (columns, rows) of at least `least` and at most `most` tiles whose aspect is nearest to the image's. Of grids that
/// are as near, a larger one is taken for an image with more than half of its pixels.
pub fn nearest_grid((width, height): Size, tile: Size, least: u32, most: u32) -> (u32, u32) {
    let mut grids: Vec<(u32, u32)> =
        (1..=most).flat_map(|columns| (1..=most).map(move |rows| (columns, rows))).collect();
    grids.retain(|(columns, rows)| (least..=most).contains(&(columns * rows)));
    grids.sort_by_key(|(columns, rows)| columns * rows);
    let aspect = f64::from(width) / f64::from(height);
    let area = u64::from(width) * u64::from(height);
    let mut best = ((1, 1), f64::INFINITY);
    for (columns, rows) in grids {
        let distance = (aspect - f64::from(columns) / f64::from(rows)).abs();
        let pixels = u64::from(tile.0) * u64::from(tile.1) * u64::from(columns) * u64::from(rows);
        if distance < best.1 || (distance == best.1 && 2 * area > pixels) {
            best = ((columns, rows), distance);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_resolution_that_keeps_most_and_wastes_least() {
        let sizes =
            pinpoints(&json!({"image_grid_pinpoints": [[336, 672], [672, 336], [672, 672]]})).unwrap();
        assert_eq!(sizes[0], (672, 336));
        assert_eq!(best_resolution((600, 300), &sizes), (672, 336));
        assert_eq!(best_resolution((1000, 1000), &sizes), (672, 672));
    }

    #[test]
    fn pinpoints_of_another_kind_are_named() {
        for wrong in
            [json!({}), json!({"image_grid_pinpoints": []}), json!({"image_grid_pinpoints": [[0, 3]]})]
        {
            assert!(pinpoints(&wrong).unwrap_err().contains("`image_grid_pinpoints`"));
        }
    }

    #[test]
    fn the_nearest_grid_and_ties_by_area() {
        assert_eq!(nearest_grid((800, 400), (448, 448), 1, 12), (2, 1));
        assert_eq!(nearest_grid((100, 100), (448, 448), 1, 12), (1, 1));
        assert_eq!(nearest_grid((2000, 2000), (448, 448), 1, 12), (3, 3));
    }

    #[test]
    fn tiles_are_cut_by_rows() {
        let image = RgbImage::from_fn(4, 4, |x, y| Rgb([x as u8 / 2, y as u8 / 2, 0]));
        let places: Vec<[u8; 3]> = cut(&image, (2, 2)).iter().map(|tile| tile.get_pixel(0, 0).0).collect();
        assert_eq!(places, [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]);
    }
}
