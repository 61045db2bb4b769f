//! Gemma 3's pan and scan: an elongated image is also shown in crops along its longer side.

use image::{RgbImage, imageops};
use serde_json::Value;

/// The settings; the published processor's where the configuration leaves them out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanAndScan {
    /// Shortest side of a crop, pixels.
    min_crop_size: f64,
    /// Most crops.
    max_num_crops: u32,
    /// From which ratio of the sides on.
    min_ratio: f64,
}

impl PanAndScan {
    /// Reads the settings; `None` when it is switched off.
    pub fn from_config(config: &Value) -> Option<Self> {
        if config.get("do_pan_and_scan").and_then(Value::as_bool) != Some(true) {
            return None;
        }
        let number = |name: &str, default: f64| config.get(name).and_then(Value::as_f64).unwrap_or(default);
        Some(Self {
            min_crop_size: number("pan_and_scan_min_crop_size", 256.0),
            max_num_crops: number("pan_and_scan_max_num_crops", 4.0) as u32,
            min_ratio: number("pan_and_scan_min_ratio_to_activate", 1.2),
        })
    }

    /// The crops of an image, none where it is not elongated enough.
    pub fn crops(&self, image: &RgbImage) -> Vec<RgbImage> {
        let (width, height) = image.dimensions();
        let wide = width >= height;
        let (long, short) = if wide { (width, height) } else { (height, width) };
        let ratio = f64::from(long) / f64::from(short);
        if ratio < self.min_ratio {
            return Vec::new();
        }
        let fitting = (f64::from(long) / self.min_crop_size) as u32;
        let count = ((ratio + 0.5) as u32).min(fitting).max(2).min(self.max_num_crops);
        if count == 0 {
            return Vec::new();
        }
        let step = long.div_ceil(count);
        if f64::from(step.min(short)) < self.min_crop_size {
            return Vec::new();
        }
        let crop = |index: u32| {
            let start = index * step;
            match wide {
                true => imageops::crop_imm(image, start, 0, step, short).to_image(),
                false => imageops::crop_imm(image, 0, start, short, step).to_image(),
            }
        };
        (0..count).filter(|index| index * step < long).map(crop).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn crops_follow_the_longer_side_and_the_last_may_be_smaller() {
        let scan = PanAndScan::from_config(&json!({"do_pan_and_scan": true})).unwrap();
        let sizes = |width, height| -> Vec<(u32, u32)> {
            scan.crops(&RgbImage::new(width, height)).iter().map(RgbImage::dimensions).collect()
        };
        assert_eq!(sizes(1001, 500), [(501, 500), (500, 500)]);
        assert_eq!(sizes(300, 1000), [(300, 334), (300, 334), (300, 332)]);
        assert!(sizes(500, 499).is_empty());
        assert!(sizes(400, 200).is_empty(), "crops would be smaller than 256 pixels");
        assert!(PanAndScan::from_config(&json!({})).is_none());
    }
}
