//! LLaVA-NeXT (1.6) and LLaVA-OneVision: the whole image, and tiles of the grid that suits it; the tiles' features form one map,
//! without the padding, with a learned separator after each row.

use image::{Rgb, RgbImage};
use ndarray::{Array4, Axis};
use serde_json::Value;

use super::{Company, Family, FeatureRow, Packing, Pixels, image_token_id};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::{Normalisation, mean_color, resample, resize_within_limits, tiles};
use crate::render::resize::Filter;

pub(super) struct AnyResolution {
    model_type: &'static str,
    pinpoints: Vec<tiles::Size>,
    /// Side of a tile, pixels.
    tile: u32,
    filter: Filter,
    normalisation: Normalisation,
    /// What pads an image to a square.
    background: Rgb<u8>,
    /// Features of a tile are `side` x `side`.
    side: usize,
    /// Tiles whose features the map of an image may have, before it is shrunken.
    most_tiles: Option<usize>,
    /// Whether images are shown in tiles only when they are alone in a prompt.
    tiles_when_alone: bool,
    placeholder: String,
    image_token_id: i64,
}

impl AnyResolution {
    /// LLaVA-NeXT.
    pub(super) fn next(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let strategy = directory.config.get("vision_feature_select_strategy").and_then(Value::as_str);
        if strategy.unwrap_or("default") != "default" {
            let reason = "`vision_feature_select_strategy` must be \"default\": the class token has no place in a map of tiles";
            return Err(ModelError::File { path: directory.path.join("config.json"), reason: reason.into() });
        }
        Self::of(directory, "llava_next", None)
    }

    /// LLaVA-OneVision.
    pub(super) fn one_vision(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let aspect = directory.config.get("vision_aspect_ratio").and_then(Value::as_str);
        let aspect = aspect.unwrap_or("anyres_max_9");
        let most_tiles = aspect.strip_prefix("anyres_max_").and_then(|most| most.parse().ok());
        if most_tiles.is_none() {
            let reason = format!("`vision_aspect_ratio` is {aspect:?}, expected \"anyres_max_N\"");
            return Err(ModelError::File { path: directory.path.join("config.json"), reason });
        }
        Self::of(directory, "llava_onevision", most_tiles)
    }

    fn of(
        directory: &ModelDirectory,
        model_type: &'static str,
        most_tiles: Option<usize>,
    ) -> Result<Self, ModelError> {
        let config = directory.image_processor_config()?;
        let wrong = |reason: String| ModelError::File {
            path: directory.path.clone(),
            reason: format!("image processor: {reason}"),
        };
        let side_of = |of: &str, name: &str| config.get(of)?.get(name)?.as_u64();
        let tile = side_of("crop_size", "height")
            .or_else(|| side_of("size", "height"))
            .or_else(|| side_of("size", "shortest_edge"))
            .and_then(|side| u32::try_from(side).ok())
            .filter(|side| (1..=1 << 14).contains(side))
            .ok_or_else(|| wrong("`crop_size` or `size` must give a side".into()))?;
        let patch = directory.number(&["vision_config", "patch_size"])?;
        let pinpoints = tiles::pinpoints(&config).map_err(wrong)?;
        if pinpoints.iter().any(|size| size.0 % tile + size.1 % tile > 0) {
            return Err(wrong(format!(
                "`image_grid_pinpoints` must be multiples of the tile's side, {tile}"
            )));
        }
        let processor = directory.processor_config()?;
        let placeholder = processor.get("image_token").and_then(Value::as_str).unwrap_or("<image>");
        Ok(Self {
            model_type,
            pinpoints,
            tile,
            filter: resample(&config).map_err(wrong)?,
            normalisation: Normalisation::from_config(&config).map_err(wrong)?,
            background: mean_color(&config),
            side: (tile as usize).checked_div(patch).unwrap_or(0),
            most_tiles,
            tiles_when_alone: most_tiles.is_some(),
            placeholder: placeholder.into(),
            image_token_id: image_token_id(directory)?,
        })
    }

    /// Features of one tile.
    fn tokens_of_tile(&self) -> usize {
        self.side * self.side
    }

    fn of_views(&self, views: &[RgbImage], map: Vec<FeatureRow>) -> Pixels {
        let tile = self.tile as usize;
        let mut values = Array4::zeros((views.len(), 3, tile, tile));
        for (mut target, view) in values.axis_iter_mut(Axis(0)).zip(views) {
            target.assign(&self.normalisation.apply(view));
        }
        let base = (0..self.tokens_of_tile()).map(FeatureRow::One);
        let rows: Vec<FeatureRow> = base.chain(map).collect();
        let mut pixels = Pixels::views(values.into_dyn(), self.tokens_of_tile(), String::new());
        pixels.tokens = rows.len();
        pixels.expansion = self.placeholder.repeat(rows.len());
        pixels.grid = [1, 1, rows.len()];
        pixels.packing = Packing::Rows(rows);
        pixels
    }

    /// The map of all tiles' features: unpadded, shrunken where it is too large, a separator after each row.
    fn map(&self, image: tiles::Size, grid: tiles::Size) -> Vec<FeatureRow> {
        let side = self.side;
        let (columns, rows) = (grid.0 as usize * side, grid.1 as usize * side);
        let feature = |row: usize, column: usize| {
            let tile = 1 + row / side * grid.0 as usize + column / side;
            tile * self.tokens_of_tile() + row % side * side + column % side
        };
        let (top, left) = padding(image, (columns, rows));
        let (height, width) = (rows - 2 * top, columns - 2 * left);
        let ratio = self
            .most_tiles
            .map_or(0.0, |most| ((height * width) as f64 / (most * self.tokens_of_tile()) as f64).sqrt());
        let mut map = Vec::new();
        if ratio > 1.1 {
            let (down, across) = (taps(height, shrunken(height, ratio)), taps(width, shrunken(width, ratio)));
            for row in &down {
                for column in &across {
                    let blend = row.iter().flat_map(|(y, by)| {
                        column.iter().map(move |(x, also)| (feature(top + y, left + x), by * also))
                    });
                    map.push(FeatureRow::Blend(blend.collect()));
                }
                map.push(FeatureRow::Newline);
            }
        } else {
            for row in 0..height {
                map.extend((0..width).map(|column| FeatureRow::One(feature(top + row, left + column))));
                map.push(FeatureRow::Newline);
            }
        }
        map
    }
}

/// Rows above (and below) and columns to the left (and right) of a feature map that hold nothing but padding, as
/// transformers' `unpad_image` counts them.
fn padding((width, height): tiles::Size, (columns, rows): (usize, usize)) -> (usize, usize) {
    // Python's round(value, 7), which ends in the nearest decimal.
    let rounded = |value: f64| format!("{value:.7}").parse::<f64>().unwrap_or(value) as usize;
    let (width, height) = (f64::from(width), f64::from(height));
    if width / height > columns as f64 / rows as f64 {
        (rows.saturating_sub(rounded(height * (columns as f64 / width))) / 2, 0)
    } else {
        (0, columns.saturating_sub(rounded(width * (rows as f64 / height))) / 2)
    }
}

/// `side // ratio` as Python divides floats: the remainder is exact, so a quotient that would only be rounded up to a whole
/// number stays below it (with ratio = sqrt(90 * 90 / 6561), 90 / ratio is 81.0 and 90 // ratio is 80).
fn shrunken(side: usize, ratio: f64) -> usize {
    let side = side as f64;
    ((side - side % ratio) / ratio).round() as usize
}

/// Which inputs make each output of a bilinear resize without antialiasing, pixel centers at a half (torch's
/// `interpolate(mode="bilinear", align_corners=False)`).
fn taps(from: usize, to: usize) -> Vec<[(usize, f32); 2]> {
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|place| {
            let at = (scale * (place as f32 + 0.5) - 0.5).max(0.0);
            let first = (at as usize).min(from.saturating_sub(1));
            let second = (first + 1).min(from.saturating_sub(1));
            let weight = at - first as f32;
            [(first, 1.0 - weight), (second, weight)]
        })
        .collect()
}

impl Family for AnyResolution {
    fn model_type(&self) -> &'static str {
        self.model_type
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let size = image.dimensions();
        let target = tiles::best_resolution(size, &self.pinpoints);
        let fitted = tiles::fit(image, target, self.filter)?;
        let mut views = vec![resize_within_limits(image, (self.tile, self.tile), self.filter)?];
        views.extend(tiles::cut(&fitted, (self.tile, self.tile)));
        Ok(self.of_views(&views, self.map(size, (target.0 / self.tile, target.1 / self.tile))))
    }

    fn pixels_among_others(&self, image: &RgbImage) -> Result<Pixels, String> {
        if !self.tiles_when_alone {
            return self.pixels(image);
        }
        let squared = tiles::square(image, self.background)?;
        let view = resize_within_limits(&squared, (self.tile, self.tile), self.filter)?;
        Ok(self.of_views(&[view], vec![FeatureRow::Newline]))
    }

    fn company(&self) -> Company {
        if self.tiles_when_alone { Company::Matters } else { Company::Ignored }
    }

    fn image_placeholder(&self) -> &str {
        &self.placeholder
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_above_and_below_wide_images() {
        assert_eq!(padding((1000, 333), (48, 48)), (16, 0));
        assert_eq!(padding((333, 1000), (48, 48)), (0, 16));
        assert_eq!(padding((500, 500), (48, 48)), (0, 0));
    }

    #[test]
    fn sides_shrink_as_python_divides() {
        // python3 -c 'import math; [print(n, n // math.sqrt(n * n / 6561)) for n in (90, 91, 108, 111, 147, 162)]'
        for (side, expected) in [(90, 80), (91, 80), (108, 81), (111, 80), (147, 80), (162, 81)] {
            let ratio = ((side * side) as f64 / 6561.0).sqrt();
            assert_eq!(shrunken(side, ratio), expected, "{side}");
        }
    }

    #[test]
    fn taps_blend_neighbours() {
        assert_eq!(taps(4, 2), [[(0, 0.5), (1, 0.5)], [(2, 0.5), (3, 0.5)]]);
        assert_eq!(taps(3, 3), [[(0, 1.0), (1, 0.0)], [(1, 1.0), (2, 0.0)], [(2, 1.0), (2, 0.0)]]);
    }
}
