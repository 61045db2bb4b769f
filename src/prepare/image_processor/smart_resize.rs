//! The size that Qwen's processors give an image: sides that are multiples of a factor, pixels within bounds, the aspect
//! about kept.

/// The largest ratio of the sides that the reference takes.
const MAX_ASPECT: f64 = 200.0;

/// What sizes are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBounds {
    /// Both sides are multiples of it.
    pub factor: u32,
    /// Fewest pixels.
    pub min_pixels: u64,
    /// Most pixels.
    pub max_pixels: u64,
}

impl PixelBounds {
    /// Width and height of the resized image. Everything is computed as the reference does it, in 64-bit floats and in its
    /// order; sides are rounded half to even.
    ///
    /// # Errors
    /// When one side is more than 200 times the other, or when there are no pixels.
    pub fn fit(&self, (width, height): (u32, u32)) -> Result<(u32, u32), String> {
        if width == 0 || height == 0 {
            return Err(format!("the image has no pixels: {width}x{height}"));
        }
        let aspect = f64::from(width.max(height)) / f64::from(width.min(height));
        if aspect > MAX_ASPECT {
            return Err(format!(
                "image too elongated: {width}x{height}; one side may be {MAX_ASPECT} times the other, and is {aspect}"
            ));
        }
        let factor = f64::from(self.factor);
        let sides = [f64::from(width), f64::from(height)];
        let pixels = sides[0] * sides[1];
        let (min, max) = (self.min_pixels as f64, self.max_pixels as f64);
        let nearest = sides.map(|side| (side / factor).round_ties_even() * factor);
        let rounded = nearest[0] * nearest[1];
        let fitted = if rounded > max {
            let shrink = (pixels / max).sqrt();
            sides.map(|side| ((side / shrink / factor).floor() * factor).max(factor))
        } else if rounded < min {
            let grow = (min / pixels).sqrt();
            sides.map(|side| (side * grow / factor).ceil() * factor)
        } else {
            nearest
        };
        Ok((fitted[0] as u32, fitted[1] as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QWEN2: PixelBounds = PixelBounds { factor: 28, min_pixels: 3136, max_pixels: 12_845_056 };

    /// Sizes that transformers' `smart_resize` gives.
    #[test]
    fn sides_are_rounded_half_to_even() {
        assert_eq!(QWEN2.fit((70, 98)), Ok((56, 112)));
        assert_eq!(QWEN2.fit((1024, 768)), Ok((1036, 756)));
        assert_eq!(QWEN2.fit((42, 126)), Ok((56, 112)));
    }

    #[test]
    fn pixels_stay_within_bounds() {
        assert_eq!(QWEN2.fit((14, 2800)), Ok((28, 812)));
        assert_eq!(QWEN2.fit((1, 1)), Ok((56, 56)));
        assert_eq!(QWEN2.fit((17, 31)), Ok((56, 84)));
        assert_eq!(PixelBounds { max_pixels: 1_003_520, ..QWEN2 }.fit((4000, 3000)), Ok((1148, 840)));
    }

    #[test]
    fn elongated_images_are_refused_from_200_on() {
        assert!(QWEN2.fit((200, 1)).is_ok());
        let message = QWEN2.fit((1, 2000)).unwrap_err();
        assert!(message.contains("1x2000") && message.contains("200 times"), "{message}");
    }
}
