//! How Idefics3 and SmolVLM split an image: tiles by rows, and the whole image shrunken to one more tile.

use image::{RgbImage, imageops};
use serde_json::Value;

use super::{resample, resize_within_limits};
use crate::render::resize::Filter;

/// The longest side that the first resize may give.
const MAX_SIDE: u32 = 4096;

/// The longest side that settings may name.
const MAX_SETTING: u32 = 1 << 16;

/// The settings of this processor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Splitter {
    first: Option<First>,
    /// Side of a tile.
    tile: u32,
    /// Whether there are tiles, or only the whole image.
    split: bool,
    filter: Filter,
}

/// What is done before splitting.
#[derive(Debug, Clone, Copy, PartialEq)]
enum First {
    /// The longer side; the aspect is kept, small images grow.
    LongestEdge(u32),
    /// Width and height, whatever the aspect.
    Exact(u32, u32),
}

/// An image in tiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiles {
    /// Tiles by rows, then the whole image.
    pub views: Vec<RgbImage>,
    /// Rows and columns of tiles; 0 and 0 where there is only the whole image.
    pub grid: (usize, usize),
}

impl Splitter {
    /// Reads the settings.
    ///
    /// # Errors
    /// When a field is missing or of another kind than expected: the message names it.
    pub fn from_config(config: &Value) -> Result<Self, String> {
        let side = |of: &str, name: &str| {
            let found = config.get(of)?.get(name)?.as_u64()?;
            u32::try_from(found).ok().filter(|side| (1..=MAX_SETTING).contains(side))
        };
        let first = if config.get("do_resize").and_then(Value::as_bool) == Some(false) {
            None
        } else if let Some(longest) = side("size", "longest_edge") {
            Some(First::LongestEdge(longest))
        } else if let (Some(width), Some(height)) = (side("size", "width"), side("size", "height")) {
            Some(First::Exact(width, height))
        } else {
            let size = config.get("size").unwrap_or(&Value::Null);
            return Err(format!("`size` is {size}, expected longest_edge, or height and width"));
        };
        let tile = side("max_image_size", "longest_edge").ok_or_else(|| {
            let size = config.get("max_image_size").unwrap_or(&Value::Null);
            format!("`max_image_size` is {size}, expected longest_edge")
        })?;
        let split = config.get("do_image_splitting").and_then(Value::as_bool).unwrap_or(true);
        Ok(Self { first, tile, split, filter: resample(config)? })
    }

    /// Resizes and splits an image; all views are squares of one size.
    ///
    /// # Errors
    /// When a resized image would have no pixels or too many.
    pub fn split(&self, image: &RgbImage) -> Result<Tiles, String> {
        let (width, height) = image.dimensions();
        if width == 0 || height == 0 {
            return Err(format!("the image has no pixels: {width}x{height}"));
        }
        let mut resized = match self.first {
            None => image.clone(),
            Some(First::LongestEdge(side)) => {
                resize_within_limits(image, longest_edge((width, height), side), self.filter)?
            }
            Some(First::Exact(width, height)) => resize_within_limits(image, (width, height), self.filter)?,
        };
        let mut views = Vec::new();
        let mut grid = (0, 0);
        if self.split {
            let size = whole_tiles(resized.dimensions(), self.tile)?;
            resized = resize_within_limits(&resized, size, self.filter)?;
            let (rows, columns) = (size.1 / self.tile, size.0 / self.tile);
            if (rows, columns) != (1, 1) {
                grid = (rows as usize, columns as usize);
                let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
                views.extend(places.map(|(row, column)| {
                    let (left, top) = (column * self.tile, row * self.tile);
                    imageops::crop_imm(&resized, left, top, self.tile, self.tile).to_image()
                }));
            }
        }
        views.push(resize_within_limits(&resized, (self.tile, self.tile), self.filter)?);
        Ok(Tiles { views, grid })
    }
}

/// The longer side becomes `side`, the other is truncated to whole pixels and made even; then neither is longer than
/// [`MAX_SIDE`].
fn longest_edge((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let aspect = f64::from(width) / f64::from(height);
    let even = |other: f64| (other as u32).next_multiple_of(2).max(1);
    let (width, height) = if width >= height {
        (side, even(f64::from(side) / aspect))
    } else {
        (even(f64::from(side) * aspect), side)
    };
    let aspect = f64::from(width) / f64::from(height);
    if width >= height && width > MAX_SIDE {
        (MAX_SIDE, ((f64::from(MAX_SIDE) / aspect) as u32).max(1))
    } else if height > MAX_SIDE {
        (((f64::from(MAX_SIDE) * aspect) as u32).max(1), MAX_SIDE)
    } else {
        (width, height)
    }
}

/// The next size of whole tiles: the longer side first, the other by the aspect from that.
fn whole_tiles((width, height): (u32, u32), tile: u32) -> Result<(u32, u32), String> {
    let aspect = f64::from(width) / f64::from(height);
    let whole = |side: u32| {
        let whole = side.div_ceil(tile).checked_mul(tile).filter(|whole| *whole > 0);
        whole.ok_or_else(|| format!("{width}x{height} pixels cannot become whole tiles of {tile}x{tile}"))
    };
    if width >= height {
        let width = whole(width)?;
        Ok((width, whole((f64::from(width) / aspect) as u32)?))
    } else {
        let height = whole(height)?;
        Ok((whole((f64::from(height) * aspect) as u32)?, height))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shorter_side_is_even_and_never_nothing() {
        assert_eq!(longest_edge((1024, 768), 2048), (2048, 1536));
        assert_eq!(longest_edge((333, 1000), 1456), (484, 1456));
        assert_eq!(longest_edge((1, 10_000), 2048), (1, 2048));
        assert_eq!(longest_edge((3000, 1000), 9000), (4096, 1365));
    }

    #[test]
    fn tiles_go_by_rows_and_the_whole_image_comes_last() {
        let config = json!({"size": {"longest_edge": 8}, "max_image_size": {"longest_edge": 4}});
        let splitter = Splitter::from_config(&config).unwrap();
        let image = RgbImage::from_fn(8, 6, |x, y| image::Rgb([if x < 4 { 10 } else { 200 }, y as u8, 0]));
        let tiles = splitter.split(&image).unwrap();
        assert_eq!((tiles.views.len(), tiles.grid), (5, (2, 2)));
        assert!(tiles.views.iter().all(|view| view.dimensions() == (4, 4)));
        assert!(tiles.views[0].get_pixel(0, 0)[0] < 50 && tiles.views[1].get_pixel(3, 0)[0] > 150);
        assert!(tiles.views[2].get_pixel(0, 3)[1] > tiles.views[0].get_pixel(0, 3)[1]);
    }

    #[test]
    fn settings_of_another_kind_are_named() {
        let message = Splitter::from_config(&json!({"size": {"shortest_edge": 4}})).unwrap_err();
        assert!(message.contains("`size`"), "{message}");
        let message = Splitter::from_config(&json!({"size": {"longest_edge": 4}})).unwrap_err();
        assert!(message.contains("`max_image_size`"), "{message}");
    }
}
