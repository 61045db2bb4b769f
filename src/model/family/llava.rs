//! LLaVA-1.5: one fixed-size view an image, a fixed number of image tokens, positions that count up.

use image::RgbImage;
use ndarray::Axis;
use serde_json::Value;

use super::{Family, Pixels};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::ImageProcessor;

pub(super) struct Llava {
    processor: ImageProcessor,
    placeholder: String,
    image_token_id: i64,
    tokens: usize,
}

impl Llava {
    pub(super) fn of(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let wrong = |reason: String| ModelError::File { path: directory.path.clone(), reason };
        let processor = ImageProcessor::from_config(&directory.image_processor_config()?)
            .map_err(|reason| wrong(format!("image processor: {reason}")))?;
        let image_token_id =
            directory.number(&["image_token_id"]).or_else(|_| directory.number(&["image_token_index"]))?;
        let patch = directory.number(&["vision_config", "patch_size"])?;
        let (width, height) = processor.output_size().ok_or_else(|| {
            wrong("image processor: the llava family needs a fixed `crop_size` or `size`".into())
        })?;
        if patch == 0 {
            return Err(wrong("config.json: `vision_config.patch_size` is 0".into()));
        }
        // As transformers' LlavaProcessor counts: patches and additional tokens (CLIP's class token), of which the
        // "default" strategy drops one. Old exports don't write the number; CLIP has one then, other towers have none.
        let settings = directory.processor_config()?;
        let clip = directory.config["vision_config"]["model_type"] == "clip_vision_model";
        let additional = settings.get("num_additional_image_tokens").and_then(Value::as_u64);
        let additional = additional.unwrap_or(u64::from(clip)) as usize;
        let strategy = directory.config.get("vision_feature_select_strategy").and_then(Value::as_str);
        let dropped = usize::from(strategy.unwrap_or("default") == "default");
        let patches = (width as usize / patch) * (height as usize / patch);
        let tokens = (patches + additional).saturating_sub(dropped);
        Ok(Self { processor, placeholder: "<image>".into(), image_token_id: image_token_id as i64, tokens })
    }
}

impl Family for Llava {
    fn model_type(&self) -> &'static str {
        "llava"
    }

    fn image_placeholder(&self) -> &str {
        &self.placeholder
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let values = self.processor.process(image)?.insert_axis(Axis(0)).into_dyn();
        Ok(Pixels { values, tokens: self.tokens })
    }

    fn expand(&self, tokens: usize) -> String {
        self.placeholder.repeat(tokens)
    }

    fn positions(&self, length: usize) -> Vec<i64> {
        (0..length as i64).collect()
    }
}
