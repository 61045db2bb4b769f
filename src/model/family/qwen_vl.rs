//! Qwen2-VL, Qwen2.5-VL and Qwen3-VL: one view of any size cut into patches, and positions on three axes (M-RoPE).
//!
//! The three differ in data only: sides of patches, means and deviations, and bounds on pixels, all in the image processor's
//! settings. What Qwen2.5-VL and Qwen3-VL do otherwise with time matters for videos alone.

use image::RgbImage;
use ndarray::{Array2, arr2};
use serde_json::{Value, json};

use super::special_tokens::named_token;
use super::{Family, ImagePlace, ImageTensor, Packing, Pixels, Positions, image_token_id};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::{
    Normalisation, Patches, PixelBounds, or_defaults, resample, resize_within_limits,
};
use crate::render::resize::Filter;

pub(super) struct QwenVl {
    model_type: &'static str,
    /// None: images are taken as they are.
    resize: Option<(PixelBounds, Filter)>,
    patches: Patches,
    normalisation: Normalisation,
    placeholder: String,
    image_token_id: i64,
}

/// Sides of patches and tokens that settings may have at most: they bound what an image is resized to.
const MAX_SIDE: u64 = 1 << 10;

impl QwenVl {
    pub(super) fn of(directory: &ModelDirectory, model_type: &'static str) -> Result<Self, ModelError> {
        let settings = or_defaults(directory.image_processor_config()?, &defaults());
        let wrong = |reason: String| ModelError::File {
            path: directory.path.clone(),
            reason: format!("image processor: {reason}"),
        };
        let side = |name: &str| match settings[name].as_u64() {
            Some(side) if (1..=MAX_SIDE).contains(&side) => Ok(side as usize),
            _ => Err(wrong(format!("`{name}` is {}, expected 1 to {MAX_SIDE}", settings[name]))),
        };
        let patches = Patches {
            patch: side("patch_size")?,
            merge: side("merge_size")?,
            temporal: side("temporal_patch_size")?,
        };
        let resize = if settings["do_resize"] == false {
            None
        } else {
            let (min_pixels, max_pixels) = pixel_bounds(&settings).map_err(wrong)?;
            let factor = (patches.patch * patches.merge) as u32;
            Some((PixelBounds { factor, min_pixels, max_pixels }, resample(&settings).map_err(wrong)?))
        };
        Ok(Self {
            model_type,
            resize,
            patches,
            normalisation: Normalisation::from_config(&settings).map_err(wrong)?,
            placeholder: named_token(directory, "image_token", "<|image_pad|>")?,
            image_token_id: image_token_id(directory)?,
        })
    }
}

/// What holds where the settings say nothing.
fn defaults() -> Value {
    json!({
        "patch_size": 14,
        "merge_size": 2,
        "temporal_patch_size": 2,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "size": {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280},
    })
}

/// Fewest and most pixels: `min_pixels` and `max_pixels`, as older versions of transformers write them, go before what `size`
/// calls `shortest_edge` and `longest_edge`.
fn pixel_bounds(settings: &Value) -> Result<(u64, u64), String> {
    let bound = |older: &str, newer: &str| {
        let size = &settings["size"];
        let mut places = [&settings[older], &size[newer], &size[older]].into_iter();
        places
            .find_map(Value::as_u64)
            .filter(|pixels| *pixels > 0)
            .ok_or_else(|| format!("`size` is {size}, expected `{newer}`, or `{older}` beside it, in pixels"))
    };
    Ok((bound("min_pixels", "shortest_edge")?, bound("max_pixels", "longest_edge")?))
}

impl Family for QwenVl {
    fn model_type(&self) -> &'static str {
        self.model_type
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let resized = match self.resize {
            None => image.clone(),
            Some((bounds, filter)) => resize_within_limits(image, bounds.fit(image.dimensions())?, filter)?,
        };
        let (values, rows, columns) = self.patches.cut(&resized, &self.normalisation)?;
        let grid = [1, rows / self.patches.merge, columns / self.patches.merge];
        let tokens = grid.iter().product();
        Ok(Pixels {
            inputs: vec![
                ("pixel_values", ImageTensor::Float(values.into_dyn())),
                ("image_grid_thw", ImageTensor::Int(arr2(&[[1, rows as i64, columns as i64]]).into_dyn())),
            ],
            views: None,
            features: tokens,
            packing: Packing::AsEncoded,
            tokens,
            grid,
            expansion: self.placeholder.repeat(tokens),
        })
    }

    fn image_placeholder(&self) -> &str {
        &self.placeholder
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }

    fn positions(&self, length: usize, images: &[ImagePlace]) -> Positions {
        multimodal_rope(length, images)
    }
}

/// Positions in time, height and width (M-RoPE). Text counts up on all three axes; an image's tokens stand where it begins,
/// plus their place in its grid; what follows goes on behind its longer side.
fn multimodal_rope(length: usize, images: &[ImagePlace]) -> Positions {
    let mut ids = Array2::zeros((3, length));
    let (mut token, mut next) = (0, 0);
    for image in images {
        while token < image.start.min(length) {
            ids.column_mut(token).fill(next as i64);
            (token, next) = (token + 1, next + 1);
        }
        let [_, height, width] = image.grid.map(|side| side.max(1));
        for within in 0..image.length.min(length - token) {
            let place = [within / (height * width), within / width % height, within % width];
            for (axis, offset) in place.into_iter().enumerate() {
                ids[[axis, token]] = (next + offset) as i64;
            }
            token += 1;
        }
        next += height.max(width);
    }
    for (step, token) in (token..length).enumerate() {
        ids.column_mut(token).fill((next + step) as i64);
    }
    Positions::of(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(start: usize, rows: usize, columns: usize) -> ImagePlace {
        ImagePlace { start, length: rows * columns, grid: [1, rows, columns] }
    }

    /// `get_rope_index` of Qwen2VLModel, Qwen2_5_VLModel and Qwen3VLModel in transformers 5.23 gives all of these: called with
    /// `mm_token_type_ids` that are 1 at the images' tokens, `spatial_merge_size` 2, and grids of twice these rows and columns.
    #[test]
    fn positions_are_those_of_get_rope_index() {
        let positions = multimodal_rope(17, &[place(1, 3, 1), place(6, 2, 4)]);
        let expected = [
            [0, 1, 1, 1, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 10, 11, 12],
            [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 7, 7, 7, 7, 10, 11, 12],
            [0, 1, 1, 1, 4, 5, 6, 7, 8, 9, 6, 7, 8, 9, 10, 11, 12],
        ];
        assert_eq!((positions.ids, positions.next), (arr2(&expected), 13));

        // An image at the end: generation goes on behind its longer side.
        let positions = multimodal_rope(13, &[place(3, 1, 5), place(9, 2, 2)]);
        let expected = [
            [0, 1, 2, 3, 3, 3, 3, 3, 8, 9, 9, 9, 9],
            [0, 1, 2, 3, 3, 3, 3, 3, 8, 9, 9, 10, 10],
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9, 10],
        ];
        assert_eq!((positions.ids, positions.next), (arr2(&expected), 11));

        let positions = multimodal_rope(6, &[place(0, 2, 3)]);
        let expected = [[0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]];
        assert_eq!((positions.ids, positions.next), (arr2(&expected), 3));
    }

    #[test]
    fn without_images_all_axes_count_up() {
        assert_eq!(multimodal_rope(3, &[]).ids, arr2(&[[0, 1, 2]; 3]));
        assert_eq!(multimodal_rope(3, &[]).next, 3);
    }

    #[test]
    fn bounds_are_read_by_older_and_newer_names() {
        assert_eq!(pixel_bounds(&defaults()), Ok((3136, 1_003_520)));
        let older = json!({"min_pixels": 4, "max_pixels": 9});
        assert_eq!(pixel_bounds(&or_defaults(older, &defaults())), Ok((4, 9)));
        let both =
            json!({"min_pixels": null, "max_pixels": 9, "size": {"shortest_edge": 5, "longest_edge": 6}});
        assert_eq!(pixel_bounds(&both), Ok((5, 9)));
        assert_eq!(pixel_bounds(&json!({"size": {"min_pixels": 7, "max_pixels": 8}})), Ok((7, 8)));
        let message = pixel_bounds(&json!({"size": {"height": 4, "width": 4}})).unwrap_err();
        assert!(message.contains("shortest_edge"), "{message}");
    }
}
