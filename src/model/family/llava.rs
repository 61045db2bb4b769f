//! LLaVA-1.5: one fixed-size view an image, a fixed number of image tokens, positions that count up.

use image::RgbImage;
use ndarray::Axis;
use serde_json::Value;

use super::{Family, Pixels, image_token_id};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::ImageProcessor;

pub(super) struct Llava {
    processor: ImageProcessor,
    image_token_id: i64,
    tokens: usize,
}

impl Llava {
    pub(super) fn of(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let wrong = |reason: String| ModelError::File { path: directory.path.clone(), reason };
        let processor = ImageProcessor::from_config(&directory.image_processor_config()?)
            .map_err(|reason| wrong(format!("image processor: {reason}")))?;
        let (width, height) = processor.output_size().ok_or_else(|| {
            wrong("image processor: the llava family needs a fixed `crop_size` or `size`".into())
        })?;
        let tokens = tokens_of_view(directory, (width, height))?;
        Ok(Self { processor, image_token_id: image_token_id(directory)?, tokens })
    }
}

/// Features that the projector gives for one view, as transformers' LlavaProcessor counts: patches and additional tokens
/// (CLIP's class token), of which the "default" strategy drops one. Old exports don't write the number of additional
/// tokens; CLIP has one then, other towers have none.
fn tokens_of_view(directory: &ModelDirectory, (width, height): (u32, u32)) -> Result<usize, ModelError> {
    let patch = directory.number(&["vision_config", "patch_size"])?;
    if patch == 0 {
        let reason = "config.json: `vision_config.patch_size` is 0".into();
        return Err(ModelError::File { path: directory.path.clone(), reason });
    }
    let settings = directory.processor_config()?;
    let clip = directory.config["vision_config"]["model_type"] == "clip_vision_model";
    let additional = settings.get("num_additional_image_tokens").and_then(Value::as_u64);
    let additional = additional.unwrap_or(u64::from(clip)) as usize;
    let strategy = directory.config.get("vision_feature_select_strategy").and_then(Value::as_str);
    let dropped = usize::from(strategy.unwrap_or("default") == "default");
    let patches = (width as usize / patch) * (height as usize / patch);
    Ok((patches + additional).saturating_sub(dropped))
}

impl Family for Llava {
    fn model_type(&self) -> &'static str {
        "llava"
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let values = self.processor.process(image)?.insert_axis(Axis(0)).into_dyn();
        Ok(Pixels::views(values, self.tokens, self.image_placeholder().repeat(self.tokens)))
    }

    fn image_placeholder(&self) -> &str {
        "<image>"
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }
}
