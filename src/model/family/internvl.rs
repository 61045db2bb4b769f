//! InternVL 3 and 3.5: tiles of the grid that suits an image, and a thumbnail after them.

use image::RgbImage;
use ndarray::{Array4, Axis};
use serde_json::Value;

use super::special_tokens::named_token;
use super::{Family, Pixels, image_token_id};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::{Normalisation, resample, resize_within_limits, tiles};
use crate::render::resize::Filter;

pub(super) struct InternVl {
    tile: tiles::Size,
    /// Fewest and most tiles; `None` when images are not cut.
    count: Option<(u32, u32)>,
    filter: Filter,
    normalisation: Normalisation,
    tokens_each: usize,
    start: String,
    context: String,
    end: String,
    image_token_id: i64,
}

/// Most tiles that settings may name.
const MAX_TILES: u64 = 256;

impl InternVl {
    pub(super) fn of(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let config = directory.image_processor_config()?;
        let wrong = |reason: String| ModelError::File {
            path: directory.path.clone(),
            reason: format!("image processor: {reason}"),
        };
        let side = |name: &str| {
            let side = config.get("size").and_then(|size| size.get(name)).and_then(Value::as_u64);
            side.and_then(|side| u32::try_from(side).ok()).filter(|side| (1..=1 << 14).contains(side))
        };
        let size = side("width").zip(side("height"));
        let tile = size.ok_or_else(|| wrong("`size` must have height and width".into()))?;
        let number = |name: &str, default: u64| {
            config.get(name).and_then(Value::as_u64).unwrap_or(default).clamp(1, MAX_TILES) as u32
        };
        // The image processor's own default is not to cut; InternVL's processor asks for it.
        let cuts = config.get("crop_to_patches").and_then(Value::as_bool) != Some(false);
        let processor = directory.processor_config()?;
        let configured =
            processor.get("image_seq_length").or_else(|| directory.config.get("image_seq_length"));
        let tokens_each = configured.and_then(Value::as_u64).unwrap_or(256) as usize;
        Ok(Self {
            tile,
            count: cuts.then(|| (number("min_patches", 1), number("max_patches", 12))),
            filter: resample(&config).map_err(wrong)?,
            normalisation: Normalisation::from_config(&config).map_err(wrong)?,
            tokens_each,
            start: named_token(directory, "start_image_token", "<img>")?,
            context: named_token(directory, "context_image_token", "<IMG_CONTEXT>")?,
            end: named_token(directory, "end_image_token", "</img>")?,
            image_token_id: image_token_id(directory)?,
        })
    }

    fn views(&self, image: &RgbImage) -> Result<Vec<RgbImage>, String> {
        let thumbnail = |image| resize_within_limits(image, self.tile, self.filter);
        let Some((least, most)) = self.count else {
            return Ok(vec![thumbnail(image)?]);
        };
        let (columns, rows) = tiles::nearest_grid(image.dimensions(), self.tile, least, most);
        let size = (columns * self.tile.0, rows * self.tile.1);
        let mut views = tiles::cut(&resize_within_limits(image, size, self.filter)?, self.tile);
        if views.len() != 1 {
            views.push(thumbnail(image)?);
        }
        Ok(views)
    }
}

impl Family for InternVl {
    fn model_type(&self) -> &'static str {
        "internvl"
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let views = self.views(image)?;
        let (width, height) = (self.tile.0 as usize, self.tile.1 as usize);
        let mut values = Array4::zeros((views.len(), 3, height, width));
        for (mut target, view) in values.axis_iter_mut(Axis(0)).zip(&views) {
            target.assign(&self.normalisation.apply(view));
        }
        let tokens = self.context.repeat(self.tokens_each * views.len());
        let expansion = format!("{}{tokens}{}", self.start, self.end);
        Ok(Pixels::views(values.into_dyn(), self.tokens_each, expansion))
    }

    fn image_placeholder(&self) -> &str {
        &self.context
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }
}
