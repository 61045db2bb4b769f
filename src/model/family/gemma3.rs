//! Gemma 3: one square view an image, and crops of elongated ones; image tokens see each other in both directions.

use image::RgbImage;
use ndarray::{Array4, Axis};
use serde_json::Value;

use super::special_tokens::named_token;
use super::{Family, ImagePlace, Pixels, Positions, image_token_id};
use crate::model::{ModelDirectory, ModelError};
use crate::prepare::image_processor::{ImageProcessor, PanAndScan};

pub(super) struct Gemma3 {
    processor: ImageProcessor,
    pan_and_scan: Option<PanAndScan>,
    tokens_each: usize,
    placeholder: String,
    /// One view in the prompt.
    view: String,
    image_token_id: i64,
}

impl Gemma3 {
    pub(super) fn of(directory: &ModelDirectory) -> Result<Self, ModelError> {
        let mut config = directory.image_processor_config()?;
        let wrong = |reason: String| ModelError::File {
            path: directory.path.clone(),
            reason: format!("image processor: {reason}"),
        };
        if config.get("resample").is_none_or(Value::is_null) {
            config["resample"] = 2.into();
        }
        let processor = ImageProcessor::from_config(&config).map_err(wrong)?;
        if processor.output_size().is_none() {
            return Err(wrong("`size` must have height and width".into()));
        }
        let settings = directory.processor_config()?;
        let configured =
            [&settings, &config].into_iter().find_map(|file| file.get("image_seq_length")?.as_u64());
        let configured = configured.or_else(|| directory.config.get("mm_tokens_per_image")?.as_u64());
        let tokens_each = configured.unwrap_or(256) as usize;
        let begin = named_token(directory, "boi_token", "<start_of_image>")?;
        let end = named_token(directory, "eoi_token", "<end_of_image>")?;
        let image = named_token(directory, "image_token", "<image_soft_token>")?;
        Ok(Self {
            processor,
            pan_and_scan: PanAndScan::from_config(&config),
            tokens_each,
            view: format!("\n\n{begin}{}{end}\n\n", image.repeat(tokens_each)),
            placeholder: begin,
            image_token_id: image_token_id(directory)?,
        })
    }
}

impl Family for Gemma3 {
    fn model_type(&self) -> &'static str {
        "gemma3"
    }

    fn pixels(&self, image: &RgbImage) -> Result<Pixels, String> {
        let crops = self.pan_and_scan.map_or_else(Vec::new, |scan| scan.crops(image));
        let (width, height) = self.processor.output_size().unwrap_or_default();
        let mut values = Array4::zeros((1 + crops.len(), 3, height as usize, width as usize));
        for (mut target, view) in values.axis_iter_mut(Axis(0)).zip(std::iter::once(image).chain(&crops)) {
            target.assign(&self.processor.process(view)?);
        }
        let expansion = if crops.is_empty() {
            self.view.clone()
        } else {
            let shown = vec![self.view.as_str(); crops.len()].join(" ");
            format!(
                "Here is the original image {} and here are some crops to help you see better {shown}",
                self.view
            )
        };
        Ok(Pixels::views(values.into_dyn(), self.tokens_each, expansion))
    }

    fn image_placeholder(&self) -> &str {
        &self.placeholder
    }

    fn image_token_id(&self) -> i64 {
        self.image_token_id
    }

    fn positions(&self, length: usize, images: &[ImagePlace]) -> Positions {
        let mut positions = Positions::counting(length);
        for image in images {
            positions.token_types[image.start..image.start + image.length].fill(1);
        }
        positions
    }
}
