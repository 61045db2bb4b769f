//! LLaVA-1.5: one fixed-size view an image, a fixed number of image tokens, positions that count up.

use image::RgbImage;
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
        // The class token is dropped by the "default" strategy and kept by "full".
        let strategy = directory.config.get("vision_feature_select_strategy").and_then(Value::as_str);
        let class_token = usize::from(strategy == Some("full"));
        let tokens = (width as usize / patch) * (height as usize / patch) + class_token;
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

    fn pixels(&self, image: &RgbImage) -> Pixels {
        Pixels {
            values: self.processor.process(image).insert_axis(ndarray::Axis(0)).into_dyn(),
            tokens: self.tokens,
        }
    }

    fn expand(&self, tokens: usize) -> String {
        self.placeholder.repeat(tokens)
    }

    fn positions(&self, length: usize) -> Vec<i64> {
        (0..length as i64).collect()
    }
}
